"""One slot of a comparison: its name, its model, what it sets differently from the baseline, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from components import run_column, session
from components.compare import desk
from components.parameter_form import request_field
from components.plain_text import plain
from components.run_column import Slot
from core.comparison.board import LETTERS, MOST_SLOTS, Board
from core.comparison.runs import SlotRuns
from core.comparison.settings import Difference, shown
from core.contract.parameters import parameter
from core.run import RunSnapshot

PANEL_PX = 300
PLACEHOLDER = "The answer streams in here."
CHIPS = 8
"""Differences that a slot shows; with more of them, the settings are the better place to look."""
CHIP_CHARACTERS = 60


def slot_column(board: Board, place: int, slot: Slot, runs: SlotRuns, models: Sequence[str]) -> None:
    """Draw the slot at ``place``; ``runs`` are those last started together."""
    # Keys of widgets that are no parameters do not begin with the slot: ``stop`` and ``name`` are fields of a request, too.
    with st.container(key=f"slot-{slot.name}", border=True, gap="small"):
        _head(board, place, slot, running=runs.running)
        problems = slot.outgoing.problems if session.refusal(slot.name) else ()
        request_field(slot.name, slot.draft, "model", problems, models=models, kind=slot.connection.kind)
        if board.slots[place].own_prompt:
            request_field(slot.name, slot.draft, "prompt", problems, kind=slot.connection.kind)
        _settings(board, place, slot)
        _refusal(slot)
        if runs.sentence:
            st.caption(f":material/delete_sweep: {runs.sentence}")
        _repeats(slot, runs.found)
        run_column.output(slot, placeholder=PLACEHOLDER, height=PANEL_PX, alone=False)


def _head(board: Board, place: int, slot: Slot, *, running: bool) -> None:
    key = slot.name
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"head-{key}", wrap=False):
        with st.container(key=f"title-{key}", width="stretch"):
            st.markdown(f"**{plain(board.title(place))}**" + (" :gray[baseline]" if place == 0 else ""))
        if running:
            st.button(
                "", key=f"stop-{key}", icon=":material/stop:", type="tertiary", help="Stop this slot", on_click=desk.stop, args=([place],)
            )
        else:
            st.button(
                "",
                key=f"run-{key}",
                icon=":material/play_arrow:",
                type="tertiary",
                help="Run this slot alone",
                disabled=bool(slot.obstacles),
                on_click=desk.run,
                args=([place],),
            )
        is_open = board.edited == place
        st.button(
            "",
            key=f"edit-{key}",
            icon=":material/close:" if is_open else ":material/tune:",
            type="tertiary",
            help="Close the settings" if is_open else "All settings of this slot",
            on_click=desk.edit,
            args=(None if is_open else place,),
        )
        more = st.popover(
            "", key=f"more-{key}", icon=":material/more_vert:", type="tertiary", help="Name, prompt, order, copies", on_change="rerun"
        )
        if more.open:
            with more:
                _more(board, place, key)


def _more(board: Board, place: int, key: str) -> None:
    name_key, own_key = f"name-{key}", f"own-{key}"
    st.session_state[name_key] = board.slots[place].name
    st.text_input("Name", key=name_key, max_chars=40, placeholder="A word for it", on_change=_rename, args=(place, name_key))
    st.session_state[own_key] = board.slots[place].own_prompt
    st.toggle("A prompt of its own", key=own_key, on_change=_free, args=(place, own_key))
    full = len(board.slots) >= MOST_SLOTS
    for name, label, icon, disabled, how, arguments in (
        ("left", "Move left", "arrow_back", place == 0, Board.moved, (place, -1)),
        ("right", "Move right", "arrow_forward", place == len(board.slots) - 1, Board.moved, (place, 1)),
        ("duplicate", "Duplicate", "content_copy", full, Board.duplicated, (place,)),
        ("remove", "Remove", "delete", len(board.slots) == 1, Board.removed, (place,)),
    ):
        st.button(
            label,
            key=f"{name}-{key}",
            icon=f":material/{icon}:",
            type="tertiary",
            disabled=disabled,
            on_click=_close_and_change,
            args=(f"more-{key}", how, *arguments),
        )


def _close_and_change(popover: str, how: Callable[..., Board], *arguments: Any) -> None:
    st.session_state[popover] = False
    desk.change(how, *arguments)


def _rename(place: int, key: str) -> None:
    desk.change(Board.renamed, place, str(st.session_state[key] or ""))


def _free(place: int, key: str) -> None:
    desk.change(Board.freed, place, bool(st.session_state[key]))


def _settings(board: Board, place: int, slot: Slot) -> None:
    """What the baseline sets, as it would leave; of the others what is different, a chip each."""
    with st.container(horizontal=True, gap="xsmall", key=f"chips-{slot.name}"):
        if place == 0:
            for name, value in slot.outgoing.body.items():
                if name not in ("model", "prompt"):
                    st.badge(plain(f"{name} {shown(value)}", CHIP_CHARACTERS), color="gray")
            return
        found = board.differences(place)
        if not found:
            st.caption(f"Set like {LETTERS[0]}. Change something.")
        for difference in found[:CHIPS]:
            _chip(board, place, slot, difference)
        if len(found) > CHIPS:
            st.caption(f"and {len(found) - CHIPS} more")


def _chip(board: Board, place: int, slot: Slot, difference: Difference) -> None:
    """One difference; pressed, the field itself."""
    path = difference.path
    chip = st.popover(
        plain(difference.text, CHIP_CHARACTERS),
        key=f"chip-{slot.name}.{path}",
        on_change="rerun",
        help="Edit it, or set it as the baseline does",
    )
    if not chip.open:
        return
    with chip:
        if board.edited != place and path not in ("model", "prompt") and _is_field(path):
            request_field(slot.name, slot.draft, path, slot.outgoing.problems, kind=slot.connection.kind)
        st.button(
            f"As in {LETTERS[0]}",
            key=f"same-{slot.name}.{path}",
            icon=":material/undo:",
            on_click=_close_and_change,
            args=(f"chip-{slot.name}.{path}", Board.as_baseline, place, path),
        )


def _is_field(path: str) -> bool:
    """Whether one widget edits exactly what stands at ``path``."""
    try:
        return parameter(path).path == path
    except KeyError:
        return False


def _refusal(slot: Slot) -> None:
    refused = session.refusal(slot.name)
    if slot.obstacles:
        st.markdown(f":red[:material/error: {plain(slot.obstacles[0])}]")
    elif refused and (slot.outgoing.problems or session.refusal_lasts(slot.name)):
        st.markdown(f":red[:material/error: **Nothing was sent** — {plain(refused)}]")


def _repeats(slot: Slot, runs: Sequence[RunSnapshot]) -> None:
    """Which of several repeats the panel shows, and how many have ended."""
    if len(runs) < 2:
        return
    ids, ended = [run.id for run in runs], sum(run.ended for run in runs)
    shown_id = session.run_id(slot.name)
    place = ids.index(shown_id) if shown_id in ids else len(ids) - 1
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"repeats-{slot.name}"):
        _turn(slot.name, ids, place - 1, "chevron_left", "The repeat before")
        st.caption(f"{place + 1} of {len(ids)}", width="content")
        _turn(slot.name, ids, place + 1, "chevron_right", "The next repeat")
        if ended < len(ids):
            st.caption(f"{ended} ended", width="content")


def _turn(slot: str, ids: Sequence[str], place: int, icon: str, tip: str) -> None:
    st.button(
        "",
        key=f"{icon}-{slot}",
        icon=f":material/{icon}:",
        type="tertiary",
        help=tip,
        disabled=not 0 <= place < len(ids),
        on_click=_show,
        args=(slot, ids, place),
    )


def _show(slot: str, ids: Sequence[str], place: int) -> None:
    session.set_run_id(slot, ids[place])
