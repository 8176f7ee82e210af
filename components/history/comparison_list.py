"""The comparisons of the History page: a list of them, and what can be done with those that are ticked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import streamlit as st

from components import session
from components.compare import desk
from components.compare.blind_vote import tallied
from components.compare.export import export_comparison
from components.pager import pager
from components.services import workspace
from components.share.entries import share_kept_comparison
from core.comparison.record import LONGEST_NAME
from core.comparison.runs import state
from core.comparison.votes import PART, votes_of
from core.errors import StorageProblem
from core.storage.comparison_repository import ComparisonRow

PAGE = 50
COLUMNS: dict[str, Any] = {
    "": st.column_config.TextColumn("★", width=32),
    "time": st.column_config.DatetimeColumn("changed (UTC)", format="YYYY-MM-DD HH:mm:ss", width=150),
    "name": st.column_config.TextColumn("name", width=200),
    "slots": st.column_config.NumberColumn("slots", width=48),
    "models": st.column_config.ListColumn("models", width=220),
    "runs": st.column_config.NumberColumn("runs", width=48),
    "status": st.column_config.TextColumn("status", width=130),
    "prompt": st.column_config.TextColumn("prompt", width=240),
    "tags": st.column_config.ListColumn("tags", width="small"),
    "note": st.column_config.TextColumn("note", width="small"),
}


def comparison_filters() -> tuple[str, bool]:
    """Draw the search; the words to look for, and whether only starred ones are meant."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="comparisons-filters"):
        text = st.text_input(
            "Search",
            key="comparisons.text",
            type="search",
            placeholder="Words of a name, a note, a model or a prompt's beginning",
            icon=":material/search:",
            persist_state="session",
        )
        starred = st.toggle("Starred", key="comparisons.starred", persist_state="session")
    return text or "", starred


def comparison_list(text: str, *, starred: bool) -> None:
    """Draw the list and the bar; StorageProblem where the list cannot be read."""
    current = workspace()
    current.comparisons.flush()
    view = f"comparisons {text!r} {starred}"
    skip = len(session.history.pages(view)) * PAGE
    rows, count = current.listed_comparisons.page(text, starred=starred, skip=skip, limit=PAGE)
    above = st.container(gap="small")
    ticked = _table(rows) if rows else _nothing(filtered=bool(text or starred))
    with above:
        if rows or skip:
            _bar(ticked, rows, skip, count, view)
        _undo()
    if len(ticked) == 1:
        _votes(ticked[0].id)


def _nothing(*, filtered: bool) -> list[ComparisonRow]:
    if filtered:
        st.info("No comparison fits. Look for other words.", icon=":material/search_off:")
    else:
        st.info("A comparison is kept here from its first run on. There is none yet.", icon=":material/compare:")
        st.page_link("compare.py", label="Compare settings side by side", icon=":material/compare:")
    return []


def _table(rows: Sequence[ComparisonRow]) -> list[ComparisonRow]:
    """The rows that are ticked."""
    statuses = workspace().runs.statuses([run for row in rows for run in row.runs])
    listed = hashlib.sha256("\n".join(row.id for row in rows).encode()).hexdigest()[:16]
    event: Any = st.dataframe(
        [_shown(row, statuses) for row in rows],
        key=f"comparisons-table-{listed}",
        column_config=COLUMNS,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        height=min(420, 38 + 35 * len(rows)),
        row_height=35,
        placeholder="",
        alt="Comparisons; tick rows to work with them",
    )
    chosen = event["selection"]["rows"] if event else []
    return [rows[place] for place in sorted(chosen) if place < len(rows)]


def _shown(row: ComparisonRow, statuses: Mapping[str, str]) -> dict[str, Any]:
    return {
        "": "★" if row.starred else "",
        "time": row.updated_at,
        "name": row.name,
        "slots": row.slots,
        "models": list(row.models),
        "runs": len(row.runs),
        "status": state(row.runs, statuses),
        "prompt": " ".join(row.prompt_start.split()),
        "tags": list(row.tags),
        "note": row.note,
    }


def _bar(ticked: Sequence[ComparisonRow], rows: Sequence[ComparisonRow], skip: int, count: int, view: str) -> None:
    """Where one is in the list, and what can be done with the ticked ones."""
    current = workspace()
    pages, alone = session.history.pages(view), ticked[0] if len(ticked) == 1 else None
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="comparisons-bar"):
        if pages or count > skip + len(rows):
            following = str(len(pages) + 1) if count > skip + len(rows) else None
            pager("comparisons", pages, following, partial(session.history.set_pages, view), back="Newer", on="Older")
        if (
            st.button("Open", key="comparisons.open", icon=":material/compare:", disabled=alone is None, help="Exactly as it was left")
            and alone is not None
            and desk.open_stored(alone.id)
        ):
            st.switch_page("compare.py")
        share_kept_comparison(alone.id if alone else None)
        st.button(
            "Delete",
            key="comparisons.delete",
            icon=":material/delete:",
            disabled=not ticked,
            help="The ticked comparisons, not their runs; it can be undone",
            on_click=_delete,
            args=([row.id for row in ticked],),
        )
        files = st.popover("Export", key="comparisons.export", icon=":material/download:", disabled=alone is None, on_change="rerun")
        found = current.comparisons.find(alone.id) if files.open and alone is not None else None
        if found is not None:
            with files:
                export_comparison(found, key=f"comparisons.export.{found.id}")
        box = st.popover("Name and marks", key="comparisons.marks", icon=":material/edit:", disabled=alone is None, on_change="rerun")
        if box.open and alone is not None:
            with box:
                _marks(alone)
        kind = "comparison" if count == 1 else "comparisons"
        said = f"{skip + 1:,}–{skip + len(rows):,} of {count:,} {kind}" if rows else f"{count:,} {kind}"
        st.caption(f"{len(ticked)} ticked · {said}" if ticked else said)  # last, for there the table's own tools lie over the bar


def _votes(comparison_id: str) -> None:
    """What the blind votes of a comparison came to; nothing where there is none."""
    found = workspace().comparisons.find(comparison_id)
    if found is not None:
        tallied(found.board, votes_of(found.parts.get(PART)))


def _marks(row: ComparisonRow) -> None:
    store = workspace().comparisons
    with st.container(key=f"comparisons-marks-{row.id}"):
        name = st.text_input("Name", row.name, key=f"comparisons.name.{row.id}", max_chars=LONGEST_NAME)
        note = st.text_input("Note", row.note, key=f"comparisons.note.{row.id}")
        tags = st.multiselect(
            "Tags", list(row.tags), list(row.tags), key=f"comparisons.tags.{row.id}", accept_new_options=True, placeholder="Add a tag"
        )
        starred = st.toggle("Star", row.starred, key=f"comparisons.star.{row.id}")
    if (name, note, tuple(tags), starred) != (row.name, row.note, row.tags, row.starred):
        store.rename(row.id, name)
        store.annotate(row.id, note)
        store.tag(row.id, tags)
        store.star(row.id, starred)
        st.rerun()


def _delete(ids: list[str]) -> None:
    with suppress(StorageProblem):  # then it is done later, and the page says that the history cannot be read
        workspace().comparisons.delete(ids)
    session.history.set_deleted_comparisons(ids)
    if session.comparison.current_id() in ids:
        session.comparison.forget()


def _undo() -> None:
    deleted = session.history.deleted_comparisons()
    if not deleted:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="comparisons-undo"):
        st.caption(f"{len(deleted)} comparison{'s' if len(deleted) > 1 else ''} deleted. The runs are still there.")
        st.button("Undo", key="comparisons.undo", icon=":material/undo:", on_click=_bring_back, args=(deleted,))


def _bring_back(ids: list[str]) -> None:
    with suppress(StorageProblem):
        workspace().comparisons.undelete(ids)
    session.history.set_deleted_comparisons([])
