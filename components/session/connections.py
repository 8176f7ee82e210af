"""Which server runs go to, and the keys typed for it, which stay in the server's memory."""

from __future__ import annotations

import streamlit as st
from pydantic import SecretStr

from core.connection import Connection, ServerKind
from core.connection_check import Verdict
from core.server_choice import ServerChoice, choose_connection

_CHOICE = "session.connection"
_TYPED_KEYS = "session.keys"
_VERDICT = "session.verdict"


def server_choice() -> ServerChoice:
    """Which server the session talks to, as edited on the Connections page."""
    return ServerChoice.model_validate(st.session_state.get(_CHOICE, {}))


def set_server_choice(choice: ServerChoice) -> None:
    """Remember which server to talk to."""
    st.session_state[_CHOICE] = choice.model_dump(exclude_unset=True)


def typed_key(kind: ServerKind) -> SecretStr | None:
    """The key typed for ``kind`` in this session."""
    found: SecretStr | None = st.session_state.get(_TYPED_KEYS, {}).get(kind)
    return found


def set_typed_key(kind: ServerKind, key: SecretStr | None) -> None:
    """Keep a typed key in the server's memory for this session; ``None`` forgets it."""
    keys = dict(st.session_state.get(_TYPED_KEYS, {}))
    keys.pop(kind, None)
    if key is not None:
        keys[kind] = key
    st.session_state[_TYPED_KEYS] = keys


def connection() -> Connection:
    """The connection of this session, put together from its choice, its keys, the environment and Streamlit's secrets."""
    from components.services import workspace

    current = workspace()
    return choose_connection(
        server_choice(),
        current.settings,
        local=current.local_connection,
        typed_keys={"orq": typed_key("orq"), "openai": typed_key("openai")},
        secrets=streamlit_secrets(),
    )


def verdict() -> Verdict | None:
    """The outcome of the last test of the connection; ``None`` before one, and when it was of another connection."""
    found: Verdict | None = st.session_state.get(_VERDICT)
    return found


def set_verdict(outcome: Verdict | None) -> None:
    """Keep the outcome of a test; ``None`` forgets it."""
    st.session_state[_VERDICT] = outcome


def streamlit_secrets() -> dict[str, str]:
    """The top-level strings of Streamlit's secrets; empty when there is no secrets file."""
    try:
        return {name: value for name, value in st.secrets.items() if isinstance(value, str)}
    except FileNotFoundError:
        return {}
