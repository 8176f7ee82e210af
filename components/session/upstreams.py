"""The form that adds a server behind the local router: what is edited, what is wrong with it, how the last test ended."""

from __future__ import annotations

import streamlit as st
from pydantic import SecretStr

from core.connection_check import Verdict

_TYPED_KEY = "session.upstream_key"
_KEY_FIELD = "session.upstream_key_field"
_EDITING = "session.upstream_editing"
_PROBLEMS = "session.upstream_problems"
_VERDICT = "session.upstream_verdict"
_ADDED = "session.upstream_added"


def typed_key() -> SecretStr | None:
    """The key typed for an upstream that is being added."""
    found: SecretStr | None = st.session_state.get(_TYPED_KEY)
    return found


def set_typed_key(key: SecretStr | None) -> None:
    """Keep a key until its upstream is added; ``None`` forgets it."""
    st.session_state[_TYPED_KEY] = key


def key_field() -> int:
    """The number of the key's field. Each typed key gets a new field: a value set from here may miss a browser that is already sending
    its next click, and the key would stay on the page."""
    return int(st.session_state.get(_KEY_FIELD, 0))


def next_key_field() -> None:
    """Draw the key's field anew, empty."""
    st.session_state[_KEY_FIELD] = key_field() + 1


def editing() -> str | None:
    """The name of the upstream being changed; ``None`` while one is being added."""
    found: str | None = st.session_state.get(_EDITING)
    return found


def edit(name: str) -> None:
    """Change the upstream of this name."""
    st.session_state[_EDITING] = name


def problems() -> dict[str, str]:
    """What is wrong with the form, by field."""
    found: dict[str, str] = st.session_state.get(_PROBLEMS, {})
    return found


def set_problems(found: dict[str, str]) -> None:
    """Replace what is wrong with the form."""
    st.session_state[_PROBLEMS] = found


def verdict(name: str) -> Verdict | None:
    """The outcome of the last test, if it was made of this upstream; ``name`` is empty for the form's."""
    of, found = st.session_state.get(_VERDICT, (None, None))
    return found if of == name else None


def set_verdict(name: str, outcome: Verdict) -> None:
    """Keep the outcome of a test."""
    st.session_state[_VERDICT] = (name, outcome)


def take_added() -> str | None:
    """The name of the upstream that was added or changed last, given once."""
    found: str | None = st.session_state.pop(_ADDED, None)
    return found


def set_added(name: str) -> None:
    """Say at the next draw that this upstream can be used."""
    st.session_state[_ADDED] = name


def forget_form() -> None:
    """Begin a new upstream: nothing is edited, wrong, tested or typed."""
    for key in (_EDITING, _PROBLEMS, _VERDICT):
        st.session_state.pop(key, None)
    set_typed_key(None)
    next_key_field()
