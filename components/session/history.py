"""The History page: where one is in its list, what is ticked, what was deleted, exported or imported last."""

from __future__ import annotations

import streamlit as st

_HISTORY_PAGES = "session.history_pages"
_TICKED_RUNS = "session.ticked_runs"
_DELETED_RUNS = "session.deleted_runs"
_EXPORT = "session.export"
_IMPORT_REPORT = "session.import_report"
_DELETED_COMPARISONS = "session.deleted_comparisons"


def pages(view: str) -> list[str]:
    """The cursors of the pages one went through on the History page, the shown one last; empty on the first page, or of another view.

    ``view`` says what is listed: another filter or order begins on the first page.
    """
    found: tuple[str, list[str]] = st.session_state.get(_HISTORY_PAGES, ("", []))
    return list(found[1]) if found[0] == view else []


def set_pages(view: str, cursors: list[str]) -> None:
    """Remember where in the history one is."""
    st.session_state[_HISTORY_PAGES] = (view, cursors)


def ticked() -> list[str]:
    """The runs that are ticked on the History page."""
    found: list[str] = st.session_state.get(_TICKED_RUNS, [])
    return found


def set_ticked(ids: list[str]) -> None:
    """Remember which runs are ticked, for when the list changes around them."""
    st.session_state[_TICKED_RUNS] = ids


def deleted_runs() -> tuple[str, int] | None:
    """What the last deletion on the History page took: its moment (ISO 8601), for undoing, and how many runs."""
    found: tuple[str, int] | None = st.session_state.get(_DELETED_RUNS)
    return found


def set_deleted_runs(deletion: tuple[str, int] | None) -> None:
    """Offer to undo a deletion; ``None`` offers nothing."""
    st.session_state[_DELETED_RUNS] = deletion


def deleted_comparisons() -> list[str]:
    """The comparisons that the last deletion on the History page took, for undoing."""
    found: list[str] = st.session_state.get(_DELETED_COMPARISONS, [])
    return found


def set_deleted_comparisons(ids: list[str]) -> None:
    """Offer to bring comparisons back; an empty list offers nothing."""
    st.session_state[_DELETED_COMPARISONS] = ids


def export_id() -> str | None:
    """The export that was asked for last."""
    found: str | None = st.session_state.get(_EXPORT)
    return found


def set_export_id(value: str | None) -> None:
    """Remember the export that was asked for."""
    st.session_state[_EXPORT] = value


def import_report() -> str | None:
    """What the last import came to."""
    found: str | None = st.session_state.get(_IMPORT_REPORT)
    return found


def set_import_report(text: str | None) -> None:
    """Remember what an import came to."""
    st.session_state[_IMPORT_REPORT] = text
