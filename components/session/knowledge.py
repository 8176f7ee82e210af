"""The Knowledge page: the view shown, what a search found, an upload's outcome, a deletion asked about."""

from __future__ import annotations

from typing import Any

import streamlit as st

_KNOWLEDGE_RESULT = "session.knowledge_result"
_SWITCHED_OFF = "session.switched_off"
_UPLOADS = "session.uploads"
_UPLOAD_REPORT = "session.upload_report"
_DELETION = "session.deletion"
_KNOWLEDGE_REFUSAL = "session.knowledge_refusal"
_SHOWN_VIEW = "session.knowledge_view"

VIEW = "knowledge.view"

VIEWS = ("Search", "Documents")


def view() -> str:
    """Which view of a base the Knowledge page shows: one of ``VIEWS``."""
    return str(st.session_state.get(VIEW) or st.session_state.get(_SHOWN_VIEW) or VIEWS[0])


def show_view(view: str) -> None:
    """For a callback: show this view of a base."""
    st.session_state[VIEW] = st.session_state[_SHOWN_VIEW] = view


def seed_view() -> None:
    """Let the view's widget, about to be drawn, start from the view shown last: other pages make Streamlit forget it."""
    st.session_state[VIEW] = st.session_state[_SHOWN_VIEW] = view()


def result() -> dict[str, Any] | None:
    """What the last search on the Knowledge page found, so that a redraw does not search again."""
    found: dict[str, Any] | None = st.session_state.get(_KNOWLEDGE_RESULT)
    return found


def set_result(result: dict[str, Any] | None) -> None:
    """Keep what a search found; ``None`` makes the next draw search anew."""
    st.session_state[_KNOWLEDGE_RESULT] = result


def switched_off() -> list[dict[str, str]]:
    """The chunks that were switched off in this session: ``base_id``, ``document_id``, ``chunk_id`` and a ``name`` to show."""
    found: list[dict[str, str]] = st.session_state.get(_SWITCHED_OFF, [])
    return found


def set_switched_off(chunks: list[dict[str, str]]) -> None:
    """Replace the list of chunks that were switched off."""
    st.session_state[_SWITCHED_OFF] = chunks


def upload_edition() -> int:
    """A number for the widgets of an upload; a new one empties them."""
    return int(st.session_state.get(_UPLOADS, 0))


def next_upload(failed: list[str], *, added: int) -> None:
    """Empty the widgets of the upload, and keep what it came to: how many files were added, and a sentence for each that was not."""
    st.session_state[_UPLOADS] = upload_edition() + 1
    st.session_state[_UPLOAD_REPORT] = [added, failed]


def take_upload_report() -> tuple[int, list[str]]:
    """What the last upload came to, given once."""
    added, failed = st.session_state.pop(_UPLOAD_REPORT, [0, []])
    return added, failed


def deletion_asked() -> list[str]:
    """The ids of what is about to be deleted: a base, or a base and a document; empty when nothing is."""
    found: list[str] = st.session_state.get(_DELETION, [])
    return found


def ask_deletion(ids: list[str]) -> None:
    """Ask whether to delete what bears these ids."""
    st.session_state[_DELETION] = ids


def refusal() -> str | None:
    """Why the last base was not made, if it was not."""
    found: str | None = st.session_state.get(_KNOWLEDGE_REFUSAL)
    return found


def set_refusal(text: str | None) -> None:
    """Remember why a base was not made; ``None`` forgets it."""
    st.session_state[_KNOWLEDGE_REFUSAL] = text
