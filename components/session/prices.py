"""The price table of the Settings page, as edited and not saved yet."""

from __future__ import annotations

import streamlit as st

_PRICE_ROWS = "session.price_rows"
_PRICE_EDITION = "session.price_edition"
_PRICES_REFUSED = "session.prices_refused"
_PRICES_QUESTION = "session.prices_question"


def rows() -> list[dict[str, str]] | None:
    """The rows of the price table as edited and not saved yet; ``None`` where they are as saved."""
    found: list[dict[str, str]] | None = st.session_state.get(_PRICE_ROWS)
    return found


def set_rows(rows: list[dict[str, str]] | None) -> None:
    """Keep the edited rows of the price table; ``None`` goes back to what is saved."""
    st.session_state[_PRICE_ROWS] = rows


def edition() -> int:
    """A number for the price table; a new one drops what was typed into the old one."""
    return int(st.session_state.get(_PRICE_EDITION, 0))


def next_edition() -> None:
    """Draw the price table anew."""
    st.session_state[_PRICE_EDITION] = edition() + 1


def refused() -> bool:
    """Whether the last Save found something wrong with the price table."""
    return bool(st.session_state.get(_PRICES_REFUSED))


def set_refused(refused: bool) -> None:
    """Remember whether Save was refused."""
    st.session_state[_PRICES_REFUSED] = refused


def question() -> bool:
    """Whether the Settings page asks if the prices are to be reset."""
    return bool(st.session_state.get(_PRICES_QUESTION))


def ask(asked: bool) -> None:
    """Ask whether the prices are to be reset; ``False`` asks no more."""
    st.session_state[_PRICES_QUESTION] = asked
