"""A box to paste into or a file, the loss report while nothing is applied yet, *Apply*, and *Undo* afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from components import session
from components.plain_text import plain
from core.connection import Connection
from core.errors import InvalidImport
from core.importers import Import, Line, read_import
from core.importers.found import MOST_CHARACTERS
from core.importers.loss_report import VERDICTS

ICONS = {"understood": ":green[:material/check: understood]", "kept raw": ":blue[:material/extension: kept raw]"}
REJECTED = ":red[:material/block: rejected]"
FILES = ["json", "yaml", "yml", "har", "txt", "sh", "bat", "ps1", "py", "js", "mjs", "ts"]
LISTED = 60
LARGEST_MB = 4 * MOST_CHARACTERS // 1_000_000
"""What the reader takes: its characters, of up to four bytes each."""
PLACEHOLDER = "curl https://…/completions -d '{…}'"
Apply = Callable[[dict[str, Any]], None]


def _closed() -> None:
    session.set_importing(False)


@st.dialog("Import a call", width="large", icon=":material/input:", on_dismiss=_closed)
def code_import(connection: Connection, apply: Apply, *, key: str) -> None:
    """Read a call and, once *Apply* is pressed, give its draft to ``apply``. Say `session.set_importing` before it is opened."""
    with st.container(key=f"import-{key}", gap="small"):
        st.caption(
            "A curl command, a call in Python or JavaScript, a JSON body, a preset or a HAR file. Nothing of it is executed or sent."
        )
        text = st.text_area("Paste it here", height=160, key=f"import-text-{key}", placeholder=PLACEHOLDER)
        file = st.file_uploader("Or a file", type=FILES, key=f"import-file-{key}", max_upload_size=LARGEST_MB)
        if not text.strip() and file is None:
            st.caption("What becomes of each field shows here before anything is changed. Press Ctrl+Enter after pasting.")
            return
        try:
            read = read_import(file.getvalue(), file.name) if file is not None and not text.strip() else read_import(text)
        except InvalidImport as refused:
            st.markdown(f":red[:material/error: {plain(refused.cause)}] {plain(refused.next_step)}")
            return
        _report(read, connection)
        taken = read.draft["body"] or read.draft["extra"]
        if st.button(
            "Apply",
            type="primary",
            icon=":material/check:",
            key=f"import-apply-{key}",
            disabled=not taken,
            on_click=_applied,
            args=(apply, read, key),
        ):
            st.rerun()  # closes the dialog


def _applied(apply: Apply, read: Import, key: str) -> None:
    apply(read.draft)
    session.set_importing(False)
    session.set_imported(key, _summary(read))


def _summary(read: Import) -> str:
    counts = [f"{count} {verdict}" for verdict in VERDICTS if (count := read.count(verdict))]
    removed = [f"{len(read.secrets)} secrets removed"] if read.secrets else []
    return f"Imported from {read.source}: {', '.join([*counts, *removed])}"


def _report(read: Import, connection: Connection) -> None:
    """What was understood, kept raw and rejected, field by field; what was removed; and where the call went."""
    st.markdown(f"**{plain(_summary(read).replace('Imported from', 'Read as'))}**")
    order = {"rejected": 0, "kept raw": 1, "understood": 2}
    lines = sorted(read.lines, key=lambda line: order[line.verdict])
    with st.container(height=260 if len(lines) > 8 else "content", key="import-report", gap="xxsmall"):
        st.markdown("\n".join(map(_row, lines[:LISTED])))
        if len(lines) > LISTED:
            st.caption(f"and {len(lines) - LISTED} more")
    for secret in read.secrets:
        st.markdown(f":orange[:material/key_off: Removed: {plain(secret)}]")
    for note in read.notes:
        st.caption(f":material/info: {plain(note)}")
    if read.url and read.url != connection.base_url + connection.path:
        st.caption(
            f":material/lan: It went to {plain(read.url)}. Yours stays {plain(connection.name)}: "
            "choose or add that server on the Connections page."
        )


def _row(line: Line) -> str:
    return f"- **{plain(line.path, 80)}** {ICONS.get(line.verdict, REJECTED)} · {plain(line.text, 300)}"


def imported_line(key: str, undo: Callable[[str], None]) -> None:
    """After an import: what it came to, and a way back to the draft before it."""
    said = session.imported(key)
    if said is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"imported-{key}"):
        st.caption(f":material/input: {plain(said)}")
        st.button("Undo", key=f"import-undo-{key}", icon=":material/undo:", type="tertiary", on_click=undo, args=(key,))
        st.button(
            "",
            key=f"import-dismiss-{key}",
            icon=":material/close:",
            type="tertiary",
            help="Keep it",
            on_click=session.set_imported,
            args=(key, None),
        )
