"""The links made and opened in this session."""

from __future__ import annotations

import streamlit as st

_MADE_SHARE = "session.made_share"
_VISITED_SHARES = "session.visited_shares"


def made() -> dict[str, str] | None:
    """The link that the sheet made last: its ``id``, of what (``signature``), or the ``problem`` that kept it from being made."""
    found: dict[str, str] | None = st.session_state.get(_MADE_SHARE)
    return found


def set_made(value: dict[str, str] | None) -> None:
    """Remember the link that was made; ``None`` forgets it."""
    st.session_state[_MADE_SHARE] = value


def visited() -> list[str]:
    """The links that this session has opened, each of which counts as one visit."""
    found: list[str] = st.session_state.get(_VISITED_SHARES, [])
    return found


def note_visit(share_id: str) -> None:
    """Remember that a link was opened."""
    st.session_state[_VISITED_SHARES] = [*visited(), share_id][-100:]
