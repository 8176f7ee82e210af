"""The History page: which runs, the list of them, and what can be done with those that are ticked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import partial

import streamlit as st

from components import session
from components.compare import desk
from components.history.changes import said_if_refused
from components.history.comparison_list import comparison_filters, comparison_list
from components.history.run_charts import run_charts, usage_figures
from components.history.run_detail import run_detail
from components.history.run_files import export_runs, import_file
from components.history.run_filters import run_filters, sort_by
from components.history.run_pair import run_pair
from components.history.run_table import run_table
from components.pager import pager
from components.plain_text import plain
from components.services import workspace
from core.comparison.board import MOST_SLOTS
from core.errors import StorageProblem
from core.storage.run_query import RunFilter, RunOrder, RunPage

PAGE = 50


def history() -> None:
    """Draw the page; a database that cannot be read is said, not raised."""
    try:
        _history()
    except StorageProblem as problem:
        st.error(plain(f"The history cannot be read. {problem.cause} {problem.next_step}"), icon=":material/database_off:")


def _history() -> None:
    above = st.container(gap="small")
    runs, comparisons, charts, usage = st.tabs(["Runs", "Comparisons", "Charts", "Usage"], key="history-tabs", on_change="rerun")
    if comparisons.open:
        with above:
            words, starred = comparison_filters()
        with comparisons:
            comparison_list(words, starred=starred)
        return
    with above:
        which, order = run_filters(_values, sorting=not (charts.open or usage.open))
    if charts.open:
        with charts:
            run_charts(which)
    elif usage.open:
        with usage:
            usage_figures(which)
    else:
        with runs:
            _runs(which, order)


def _values(name: str) -> Sequence[str]:
    """What there is to filter by."""
    runs = workspace().runs
    match name:
        case "models":
            return tuple(dict.fromkeys([*runs.values("model_asked"), *runs.values("model_answered")]))
        case "finish_reasons":
            return tuple(dict.fromkeys(one for joined in runs.values("finish_reason") for one in joined.split(",")))
        case "connections":
            return runs.values("connection_name")
        case "threads":
            return runs.values("thread")
        case "identities":
            return runs.values("identity")
        case _:
            return runs.tags()


def _runs(which: RunFilter, order: RunOrder) -> None:
    repository = workspace().runs
    view = repr((which, order))
    cursors = session.history.pages(view)
    count = repository.count(which)
    page = repository.page(which, order, after=cursors[-1] if cursors else None, limit=PAGE)
    above = st.container(gap="small")
    selected: list[str] = []
    if not page.rows:
        _nothing(which)
    else:
        listed = hashlib.sha256("\n".join(row.id for row in page.rows).encode()).hexdigest()[:16]
        selected = run_table(page.rows, key=f"history-table-{listed}", order=order, on_sort=sort_by, ticked=session.history.ticked())
    session.history.set_ticked(selected)
    with above:
        _bar(which, order, selected, count, page, cursors)
        _undo()
    _chosen(selected)


def _nothing(which: RunFilter) -> None:
    if which == RunFilter():
        st.info("Every run is kept here. There is none yet.", icon=":material/history:")
        st.page_link("playground.py", label="Run something in the Playground", icon=":material/experiment:")
    else:
        st.info("No run fits. Take out a filter above, or look for other words.", icon=":material/search_off:")


def _bar(which: RunFilter, order: RunOrder, selected: Sequence[str], count: int, page: RunPage, cursors: list[str]) -> None:
    """Where one is in the list, and what can be done with the ticked runs. A list without runs leaves Import."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="history-bar"):
        if page.rows or cursors:
            _turns(which, order, page, cursors)
            _doings(selected)
            export = st.popover("Export", icon=":material/download:", key="history.export", on_change="rerun")
            if export.open:
                with export:
                    export_runs(which, selected, count)
        with st.popover("Import", icon=":material/upload:", key="history.import"):
            import_file()
        first = len(cursors) * PAGE
        runs = f"{count:,} run{'' if count == 1 else 's'}"
        said = f"{first + 1:,}–{first + len(page.rows):,} of {runs}" if page.rows else runs
        st.caption(f"{len(selected)} ticked · {said}" if selected else said)  # last, for there the table's own tools lie over the bar


def _turns(which: RunFilter, order: RunOrder, page: RunPage, cursors: list[str]) -> None:
    """The way back and on through the list."""
    view = repr((which, order))
    back, on = ("Newer", "Older") if order == RunOrder() else ("Back", "More")
    pager("history", cursors, page.next, partial(session.history.set_pages, view), back=back, on=on)


def _doings(selected: Sequence[str]) -> None:
    """What can be done with the ticked runs."""
    comparable = 2 <= len(selected) <= MOST_SLOTS
    if st.button(
        "Compare",
        key="history.compare",
        icon=":material/compare:",
        disabled=not comparable,
        help=f"The ticked runs, 2 to {MOST_SLOTS} of them, side by side: their requests become slots",
    ):
        _compare(selected)
    st.button(
        "Delete",
        key="history.delete",
        icon=":material/delete:",
        disabled=not selected,
        help="The ticked runs; it can be undone",
        on_click=_delete,
        args=(tuple(selected),),
    )
    with st.popover("Tag", icon=":material/sell:", disabled=not selected, key="history.tag"):
        _tag(selected)


def _compare(ids: Sequence[str]) -> None:
    """Leave for the Compare page with the runs in its slots, the oldest as the baseline."""
    found = [run.snapshot for run_id in ids if (run := workspace().runs.find(run_id))]
    desk.open_runs(sorted(found, key=lambda run: run.created_at))
    st.switch_page("compare.py")


def _tag(selected: Sequence[str]) -> None:
    tag = st.text_input("Tag the ticked runs", key="history.tag.name", placeholder="baseline")
    with st.container(horizontal=True, gap="small"):
        st.button("Add", key="history.tag.add", type="primary", disabled=not tag.strip(), on_click=_put_tag, args=(tuple(selected), tag))
        st.button("Remove", key="history.tag.remove", disabled=not tag.strip(), on_click=_take_tag, args=(tuple(selected), tag))
        st.button("Star", key="history.tag.star", icon=":material/star:", on_click=_star, args=(tuple(selected),))


@said_if_refused
def _put_tag(ids: Sequence[str], tag: str) -> None:
    workspace().runs.tag(ids, tag)


@said_if_refused
def _take_tag(ids: Sequence[str], tag: str) -> None:
    workspace().runs.untag(ids, tag)


@said_if_refused
def _star(ids: Sequence[str]) -> None:
    workspace().runs.star(ids)


@said_if_refused
def _delete(ids: Sequence[str]) -> None:
    moment = workspace().runs.delete(RunFilter(ids=tuple(ids)))
    session.history.set_deleted_runs((moment.isoformat(), len(ids)) if moment else None)


def _undo() -> None:
    deletion = session.history.deleted_runs()
    if deletion is None:
        return
    moment, count = deletion
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="history-undo"):
        st.caption(f"{count:,} run{'s' if count > 1 else ''} deleted.")
        st.button("Undo", key="history.undo", icon=":material/undo:", on_click=_bring_back, args=(moment,))


@said_if_refused
def _bring_back(moment: str) -> None:
    workspace().runs.undelete(datetime.fromisoformat(moment))
    session.history.set_deleted_runs(None)


def _chosen(selected: Sequence[str]) -> None:
    """One ticked run is shown whole, two are compared."""
    found = [run for run_id in selected[:2] if (run := workspace().runs.find(run_id))]
    if len(selected) == 1 and found:
        run_detail(found[0])
    elif len(selected) == 2 and len(found) == 2:
        run_pair(*found)
    elif len(selected) > 2:
        st.caption(f"Tick one run to see it whole, two to {MOST_SLOTS} to compare them.")
