"""The Presets page: which presets, the list of them, and the one that is shown whole."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import partial

import streamlit as st

from components import session
from components.pager import pager
from components.plain_text import plain
from components.presets.files import export_presets, import_presets
from components.presets.filters import preset_filters
from components.presets.preset_detail import preset_detail
from components.presets.shelves import folder_shelf, starter_shelf, starters_offer
from components.services import workspace
from core.errors import StorageProblem
from core.storage.preset_query import PresetFilter, PresetOrder, PresetPage

PAGE = 50
LINK = "preset"
"""The query parameter that finds a preset again."""
COLUMNS = {
    "": st.column_config.TextColumn("★", width=32),
    "name": st.column_config.TextColumn("name", width=220),
    "kind": st.column_config.TextColumn("sets", width=84),
    "model": st.column_config.TextColumn("model", width=130),
    "folder": st.column_config.TextColumn("folder", width=110),
    "tags": st.column_config.ListColumn("tags", width="small"),
    "version": st.column_config.NumberColumn("version", format="%d", width=60),
    "saved": st.column_config.DatetimeColumn("saved (UTC)", format="YYYY-MM-DD HH:mm", width=130),
}


def library() -> None:
    """Draw the page; a database that cannot be read is said, not raised."""
    shelves = ["Library", "Folder", "Starters"] if workspace().preset_folder.root else ["Library", "Starters"]
    shelf = st.segmented_control(
        "Presets of", shelves, default="Library", required=True, key="presets.shelf", label_visibility="collapsed", persist_state="session"
    )
    if shelf == "Folder":
        folder_shelf()
    elif shelf == "Starters":
        starter_shelf()
    else:
        try:
            _library()
        except StorageProblem as problem:
            st.error(plain(f"The library cannot be read. {problem.cause} {problem.next_step}"), icon=":material/database_off:")


def _library() -> None:
    repository = workspace().presets
    if session.presets.shown() is None and st.query_params.get(LINK):
        session.presets.show(st.query_params[LINK])
    if repository.empty():
        _undo()
        starters_offer()
        _bar([], PresetFilter(), 0)
        return
    left, right = st.columns([0.58, 0.42], gap="medium")
    with left:
        which, order = preset_filters()
        selected = _list(which, order)
    with right:
        _chosen(selected)


def _list(which: PresetFilter, order: PresetOrder) -> list[str]:
    repository, view = workspace().presets, repr((which, order))
    cursors = session.presets.pages(view)
    page = repository.page(which, order, after=cursors[-1] if cursors else None, limit=PAGE)
    count = page.count
    _undo()
    selected: list[str] = []
    if page.presets:
        selected = _table(page, session.presets.ticked())
    elif which.archived:
        st.info("Nothing is archived here.", icon=":material/archive:")
    else:
        st.info("No preset fits. Take out a filter, or look for other words.", icon=":material/search_off:")
    session.presets.set_ticked(selected)
    _bar(selected, which, count)
    _pager(page, count, view, cursors)
    return selected


def _table(page: PresetPage, ticked: Sequence[str]) -> list[str]:
    listed = hashlib.sha256("\n".join(one.id for one in page.presets).encode()).hexdigest()[:16]
    rows = [
        {
            "": "★" if one.starred else "",
            "name": one.label.name,
            "kind": f"{one.sets} {'field' if one.kind == 'draft' else 'slot'}{'' if one.sets == 1 else 's'}",
            "model": ", ".join(one.models),
            "folder": one.label.folder,
            "tags": list(one.label.tags),
            "version": one.version,
            "saved": one.saved_at,
        }
        for one in page.presets
    ]
    event = st.dataframe(
        rows,
        key=f"presets-table-{listed}",
        column_config=COLUMNS,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [place for place, one in enumerate(page.presets) if one.id in ticked]}},
        height=min(560, 38 + 35 * len(rows)),
        row_height=35,
        placeholder="",
        alt="Presets; tick one to see it whole, several to work with them",
    )
    chosen = event["selection"]["rows"] if event else []
    return [page.presets[place].id for place in sorted(chosen) if place < len(rows)]


def _bar(selected: Sequence[str], which: PresetFilter, count: int) -> None:
    """What can be done with the ticked presets, and with files."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="presets-bar"):
        if selected:
            st.caption(f"{len(selected)} ticked", width="content")
            st.button("Star", key="presets.star_all", icon=":material/star:", on_click=_star, args=(tuple(selected),))
            what = "Bring back" if which.archived else "Archive"
            icon = ":material/unarchive:" if which.archived else ":material/archive:"
            st.button(what, key="presets.archive_all", icon=icon, on_click=archive, args=(tuple(selected), not which.archived))
            st.button(
                "Delete",
                key="presets.delete_all",
                icon=":material/delete:",
                on_click=delete,
                args=(tuple(selected),),
                help="It can be undone",
            )
        export = st.popover("Export", icon=":material/download:", key="presets.export", on_change="rerun", disabled=not count)
        if export.open:
            with export:
                export_presets(which, selected, count)
        taken = st.popover("Import", icon=":material/upload:", key="presets.import", on_change="rerun")
        if taken.open:
            with taken:
                import_presets()


def _pager(page: PresetPage, count: int, view: str, cursors: list[str]) -> None:
    if count <= PAGE and not cursors:
        st.caption(f"{count:,} preset{'' if count == 1 else 's'}")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="presets-pager"):
        first = len(cursors) * PAGE
        st.caption(f"{first + 1:,}–{first + len(page.presets):,} of {count:,} presets", width="content")
        pager("presets", cursors, page.next, partial(session.presets.set_pages, view))


def _chosen(selected: Sequence[str]) -> None:
    """One ticked preset is shown whole, else the one that was asked for by its id."""
    if len(selected) == 1:
        session.presets.show(selected[0])
    shown = session.presets.shown()
    found = workspace().presets.find(shown) if shown and len(selected) < 2 else None
    if found is None:
        if LINK in st.query_params:
            del st.query_params[LINK]
        st.caption(
            "Tick a preset to see what it sets, to run it, and to see its versions." if len(selected) < 2 else "Tick one to see it whole."
        )
        return
    st.query_params[LINK] = found.id
    preset_detail(found)


def _star(ids: Sequence[str]) -> None:
    workspace().presets.star(ids)


def archive(ids: Sequence[str], archived: bool) -> None:
    """The callback of Archive and of Bring back."""
    workspace().presets.archive(ids, archived)
    session.presets.set_ticked([])


def delete(ids: Sequence[str]) -> None:
    """The callback of Delete."""
    moment = workspace().presets.delete(ids)
    session.presets.set_deleted((moment.isoformat(), len(ids)) if moment else None)
    session.presets.set_ticked([])
    session.presets.show(None)


def _undo() -> None:
    deletion = session.presets.deleted()
    if deletion is None:
        return
    moment, count = deletion
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="presets-undo"):
        st.caption(f"{count:,} preset{'s' if count > 1 else ''} deleted.", width="content")
        st.button("Undo", key="presets.undo", icon=":material/undo:", on_click=_bring_back, args=(moment,))


def _bring_back(moment: str) -> None:
    workspace().presets.undelete(datetime.fromisoformat(moment))
    session.presets.set_deleted(None)
