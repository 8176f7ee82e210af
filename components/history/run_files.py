"""Runs as files: an export that is written beside everything else, and an import of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import streamlit as st

from components import session
from components.plain_text import plain
from components.services import workspace
from core.errors import PlaygroundError
from core.export.export_jobs import Export
from core.export.run_files import FileKind
from core.export.run_import import import_runs
from core.storage.run_query import RunFilter

KINDS: tuple[FileKind, ...] = get_args(FileKind)
WHAT = {
    "jsonl": "everything, one run a line; can be imported again",
    "csv": "a table, for a spreadsheet",
    "parquet": "a table, for pandas, DuckDB and the like",
}
ASK_AGAIN_S = 0.4
LARGEST_MB = 200


def export_runs(which: RunFilter, selected: Sequence[str], count: int) -> None:
    """The popover's content: what to export, as what, and the file once it is there."""
    chosen = f"the {len(selected)} ticked runs" if len(selected) > 1 else "the ticked run"
    scopes = ([chosen] if selected else []) + [f"all {count:,} runs that are listed"]
    scope = st.radio("Export", scopes, key=f"history.export.scope.{bool(selected)}")
    kind: FileKind = st.segmented_control("As", KINDS, default="jsonl", required=True, key="history.export.kind")
    st.caption(WHAT[kind])
    st.button(
        "Write the file",
        key="history.export.start",
        type="primary",
        icon=":material/download:",
        disabled=not count,
        on_click=_start,
        args=(RunFilter(ids=tuple(selected)) if selected and scope == chosen else which, kind),
    )
    running = _current()
    if running is not None:
        st.fragment(_progress, run_every=None if running.ended else ASK_AGAIN_S)()


def _start(which: RunFilter, kind: FileKind) -> None:
    try:
        session.history.set_export_id(workspace().exports.start(which, kind, "runs"))
    except PlaygroundError as error:
        session.history.set_export_id(None)
        st.toast(plain(f"{error.cause} {error.next_step}"), icon=":material/error:")


def _current() -> Export | None:
    export_id = session.history.export_id()
    return workspace().exports.find(export_id) if export_id else None


def _progress() -> None:
    export = _current()
    if export is None:
        st.caption("The file is not there any more.")
    elif export.problem:
        st.error(plain(export.problem), icon=":material/error:")
    elif export.path is None:
        st.progress(min(export.written / max(export.total, 1), 1.0), f"{export.written:,} of {export.total:,} runs")
    else:
        st.link_button(
            f"Download {export.name} ({_runs(export.written)}, {_size(export.size_bytes)})",
            f"api/exports/{export.id}",
            icon=":material/download:",
            type="primary",
        )


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1024:,.0f} KB" if size_bytes < 1024**2 else f"{size_bytes / 1024**2:,.1f} MB"


def import_file() -> None:
    """The popover's content: a file of runs, and what came of it."""
    file = st.file_uploader("Runs that were exported as JSONL", type=["jsonl"], key="history.import.file", max_upload_size=LARGEST_MB)
    st.caption(
        f"Runs that are here already stay as they are. A file of more than {LARGEST_MB} MB goes in from the terminal, in the playground's "
        "folder and with its environment: `python -m core import FILE`."
    )
    if file is not None and st.button("Import", key="history.import.start", type="primary", icon=":material/upload:"):
        with st.spinner("Importing …"):
            session.history.set_import_report(import_runs(file, workspace().runs).sentence)
        st.rerun()
    report = session.history.import_report()
    if report:
        st.markdown(plain(report, 400))


def _runs(count: int) -> str:
    return f"{count:,} run{'' if count == 1 else 's'}"
