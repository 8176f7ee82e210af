"""Run, Stop, the pre-flight line, and looking at or bringing in a call: one line at the bottom of the Playground."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from components import session
from components.code_block import MOST_SHOWN, long_code
from components.code_export import code_export
from components.code_import import code_import
from components.parameter_form import collect
from components.plain_text import plain
from components.prompts.source import without_value
from components.runs.run_column import Slot, replace_draft, start, stop
from components.services import workspace
from core.client.client import encode_body
from core.errors import InvalidRequest
from core.outgoing import most_tokens
from core.prices.preflight import most_cost
from core.prices.pricing import dollars


def looks(slot: Slot) -> str:
    """What the bar shows of a slot, apart from what its popovers do."""
    return f"{slot.running} {slot.obstacles} {preflight(slot)}"


def shows_body(slot: str) -> bool:
    """Whether a popover of the bar shows what will leave."""
    return any(st.session_state.get(f"{popover}-{slot}") for popover in ("wire", "code"))


def run_bar(slot: Slot) -> None:
    """Run, Stop, the pre-flight line and what is on the wire: one line at the bottom of the page."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"bar-{slot.name}"):
        st.button(
            "Run 1 call",
            key="run",
            type="primary",
            icon=":material/play_arrow:",
            shortcut=None if session.importing() else "Ctrl+Enter",
            disabled=slot.running or bool(slot.obstacles),
            help=_run_help(slot),
            on_click=_redrawn,
            args=(start, slot.name),
        )
        st.button(
            "Stop",
            key="stop",
            icon=":material/stop:",
            shortcut="Esc",
            disabled=not slot.running,
            on_click=_redrawn,
            args=(stop, slot.name),
        )
        with st.container(key=f"preflight-{slot.name}", width="stretch"):
            line, refuses = preflight(slot)
            (st.markdown if refuses else st.caption)(line)
        if st.button(
            "Import",
            key=f"import-{slot.name}-open",
            icon=":material/input:",
            help="A curl command, a program's call, a HAR file",
            on_click=session.set_importing,
            args=(True,),
        ):
            code_import(slot.connection, partial(_import, slot.name), key=slot.name)
        code = st.popover("Code", icon=":material/code:", key=f"code-{slot.name}", on_change="rerun")
        if code.open:
            with code:
                code_export(slot.outgoing.body, slot.connection, key=slot.name)
        wire = st.popover("On the wire", icon=":material/data_object:", key=f"wire-{slot.name}", on_change="rerun")
        if wire.open:
            with wire:
                on_the_wire(slot)


def _import(slot: str, draft: dict[str, Any]) -> None:
    """Put an imported draft in place of the slot's, which *Undo* brings back."""
    before = session.draft(slot)
    session.set_draft_before_import(slot, collect(slot, before) if before else None)
    replace_draft(slot, draft)


def _run_help(slot: Slot) -> str | None:
    if slot.running:
        return "A run is under way. Stop it or wait for its end."
    return plain("Cannot run yet. " + slot.obstacles[0]) if slot.obstacles else None


def _redrawn(act: Callable[[str], None], slot: str) -> None:
    """The callback of Run and Stop: the bar is a part of its own, and they concern the whole page."""
    act(slot)
    st.rerun()


def preflight(slot: Slot) -> tuple[str, bool]:
    """The line, as Markdown: calls, the most tokens they can make, and what stands in the way or is worth a look; whether that line
    says that nothing leaves."""
    refused = session.refusal(slot.name)
    if slot.obstacles:
        more = f" (and {len(slot.obstacles) - 1} more)" if len(slot.obstacles) > 1 else ""
        return f":red[:material/error: **Run is off** — {plain(slot.obstacles[0])}{more}]", True
    if refused and (slot.outgoing.problems or session.refusal_lasts(slot.name)):
        return f":red[:material/error: **Nothing was sent** — {plain(refused)}]", True
    return " · ".join(_preflight_parts(slot)), False


def _preflight_parts(slot: Slot) -> list[str]:
    body = slot.outgoing.body
    tokens = most_tokens(body)
    parts = [f"1 call to {plain(slot.connection.name)}"]
    if tokens is not None:
        parts.append(f"at most {tokens:,} tokens out")
    dearest = most_cost(body, workspace().prices.prices)
    if dearest is not None:
        parts.append(plain(f"at most {dollars(dearest)}" if dearest else dollars(dearest)))
    if missing := without_value(slot.connection, body):
        parts.append(f":orange[:material/data_object: {plain(missing)}]")
    for conflict in slot.outgoing.conflicts[:2]:
        parts.append(f":orange[:material/warning: {plain(conflict.message)}]")
    if len(slot.outgoing.conflicts) > 2:
        parts.append(f":orange[and {len(slot.outgoing.conflicts) - 2} more conflicts]")
    if slot.outgoing.extra_paths:
        count = len(slot.outgoing.extra_paths)
        parts.append(f":orange[:material/extension: {count} extra field{'s' if count > 1 else ''}]")
    return parts


def on_the_wire(slot: Slot) -> None:
    """Exactly what will leave, copyable; the key never shows."""
    connection, body = slot.connection, slot.outgoing.body
    try:
        sent = encode_body(body)
    except InvalidRequest as refused:
        st.markdown(f":red[:material/error: {plain(refused.cause)}]")
        return
    st.code(f"POST {connection.base_url}{connection.path}", language=None, wrap_lines=True)
    readable, exact = st.tabs(["Readable", "Exact bytes"])
    with readable:
        long_code(json.dumps(body, indent=2, ensure_ascii=False), language="json", height=360)
    with exact:
        long_code(sent.decode(), height=360)
        if len(sent) > MOST_SHOWN:
            st.download_button(
                "Download all of it", sent, "request.json", "application/json", icon=":material/download:", on_click="ignore"
            )
    authorization = "with the connection's key" if connection.api_key else "without a key"
    st.caption(f"{len(sent):,} bytes, {authorization}")
    if slot.outgoing.extra_paths:
        st.caption("Not in the contract, sent as typed: " + ", ".join(plain(path) for path in slot.outgoing.extra_paths))
    for note in slot.outgoing.notes:
        st.caption(f":material/info: {plain(note.message)}")
