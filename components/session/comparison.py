"""The comparison being edited."""

from __future__ import annotations

from typing import Any

import streamlit as st

_COMPARISON_PRESET = "session.comparison_preset"
_COMPARISON = "session.comparison"
_COMPARISON_ID = "session.comparison_id"
_COMPARISON_SEEN = "session.comparison_seen"
_COMPARISON_UNDO = "session.comparison_undo"
_COMPARISON_NOTICE = "session.comparison_notice"
_COMPARISON_COUNTED = "session.comparison_counted"
_COMPARISON_QUESTION = "session.comparison_question"
_COMPARISON_GROUPS = "session.comparison_groups"


def current() -> dict[str, Any] | None:
    """The comparison being edited, less its drafts, which each slot has under its own key; ``None`` before there is one."""
    found: dict[str, Any] | None = st.session_state.get(_COMPARISON)
    return found


def set_current(value: dict[str, Any]) -> None:
    """Replace the comparison being edited."""
    st.session_state[_COMPARISON] = value


def current_id() -> str | None:
    """The id of the comparison being edited; ``None`` before there is one."""
    found: str | None = st.session_state.get(_COMPARISON_ID)
    return found


def set_current_id(value: str, *, revision: int) -> None:
    """Edit this comparison, of which the session has ``revision``."""
    st.session_state[_COMPARISON_ID] = value
    st.session_state[_COMPARISON_SEEN] = revision


def revision() -> int:
    """The revision of the comparison that this session has."""
    return int(st.session_state.get(_COMPARISON_SEEN, 0))


def forget() -> None:
    """Edit none; the Compare page then begins a new one."""
    for key in (_COMPARISON, _COMPARISON_ID, _COMPARISON_SEEN, _COMPARISON_UNDO):
        st.session_state.pop(key, None)


def undo() -> tuple[str, dict[str, Any], dict[str, Any]] | None:
    """Which comparison was edited before the last button changed its slots or began anew, how it was, and what there was after."""
    found: tuple[str, dict[str, Any], dict[str, Any]] | None = st.session_state.get(_COMPARISON_UNDO)
    return found


def set_undo(change: tuple[str, dict[str, Any], dict[str, Any]] | None) -> None:
    """Remember a change of slots, for undoing; ``None`` forgets it."""
    st.session_state[_COMPARISON_UNDO] = change


def take_notice() -> str | None:
    """What there is to say about the comparison, given once."""
    found: str | None = st.session_state.pop(_COMPARISON_NOTICE, None)
    return found


def set_notice(text: str) -> None:
    """Say something about the comparison when the page is drawn next."""
    st.session_state[_COMPARISON_NOTICE] = text


def counted() -> float:
    """When (``time.monotonic()``) the figures of the comparison were drawn while runs were under way."""
    return float(st.session_state.get(_COMPARISON_COUNTED, 0.0))


def set_counted(moment: float) -> None:
    """Remember when the figures were drawn."""
    st.session_state[_COMPARISON_COUNTED] = moment


def question() -> list[int] | None:
    """The places of the slots that Run asks about, because they may cost more than the budget; ``None`` when it asks nothing."""
    found: list[int] | None = st.session_state.get(_COMPARISON_QUESTION)
    return found


def ask(places: list[int] | None) -> None:
    """Ask whether to run these slots; ``None`` asks no more."""
    st.session_state[_COMPARISON_QUESTION] = places


def preset() -> tuple[str, str, int] | None:
    """The comparison whose preset was noted, the preset's id (empty for none) and its version."""
    found: tuple[str, str, int] | None = st.session_state.get(_COMPARISON_PRESET)
    return found


def set_preset(value: tuple[str, str, int]) -> None:
    """Note which preset's version a comparison is."""
    st.session_state[_COMPARISON_PRESET] = value


def open_groups() -> frozenset[str]:
    """The groups of parameters that were open when settings were closed last; none at first."""
    found: frozenset[str] = st.session_state.get(_COMPARISON_GROUPS, frozenset())
    return found


def set_open_groups(groups: frozenset[str]) -> None:
    """Have the next slot's settings begin with these groups open."""
    st.session_state[_COMPARISON_GROUPS] = groups
