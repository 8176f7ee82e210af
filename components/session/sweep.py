"""The sweep that may stand in place of the comparison: which, how it is being made, which of its calls is shown whole."""

from __future__ import annotations

from typing import Any

import streamlit as st

_SWEEP_VIEW = "session.sweep_view"
_SWEEP_LINKED = "session.sweep_is_linked"
_SWEEP_LEFT = "session.sweep_left"
_SWEEP_FORM = "session.sweep_form"
_SWEEP_CALL = "session.sweep_call"


def view() -> str | None:
    """The sweep that stands in place of the comparison: its id, or empty for one that is being made; ``None`` for the comparison."""
    found: str | None = st.session_state.get(_SWEEP_VIEW)
    return found


def set_view(value: str | None) -> None:
    """Show a sweep, or the comparison again."""
    if value is not None:
        st.session_state[_SWEEP_LEFT] = value
    st.session_state[_SWEEP_VIEW] = value
    st.session_state.pop(_SWEEP_CALL, None)
    st.session_state.pop(_SWEEP_LINKED, None)


def is_linked() -> bool:
    """Whether the page's address has named the sweep that is shown."""
    return bool(st.session_state.get(_SWEEP_LINKED))


def set_is_linked() -> None:
    """The page's address names the sweep that is shown, from now on."""
    st.session_state[_SWEEP_LINKED] = True


def left() -> str | None:
    """The sweep that was shown last: its address may still stand there when the comparison is shown again."""
    found: str | None = st.session_state.get(_SWEEP_LEFT)
    return found


def form() -> dict[str, Any]:
    """The sweep being made, as ``components.sweep.builder`` keeps it."""
    found: dict[str, Any] = st.session_state.setdefault(_SWEEP_FORM, {})
    return found


def call() -> int | None:
    """The number of the call that is shown whole."""
    found: int | None = st.session_state.get(_SWEEP_CALL)
    return found


def set_call(value: int | None) -> None:
    """Show a call whole."""
    st.session_state[_SWEEP_CALL] = value
