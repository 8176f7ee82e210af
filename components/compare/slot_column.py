"""One slot of a comparison: its name, its model, what it sets differently from the baseline, and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from components import session
from components.compare import desk
from components.compare.sheet import Sheet, answer_key, ended, head_key, part, settings_key
from components.compare.slot_head import close_and_change, slot_head
from components.parameter_form import request_field
from components.plain_text import badge_label, plain
from components.runs import run_column
from components.runs.run_column import Slot
from core.comparison.board import LETTERS, Board
from core.comparison.report.report import was_edited
from core.comparison.settings import Difference, shown
from core.contract.parameters import parameter
from core.run import RunSnapshot

PANEL_PX = 300
PLACEHOLDER = "The answer streams in here."
CHIPS = 8
"""Differences that a slot shows; with more of them, the settings are the better place to look."""
CHIP_CHARACTERS = 60


def slot_column(sheet: Sheet, place: int) -> None:
    """Draw the slot at ``place``, in three parts that can be redrawn alone."""
    # Keys of widgets that are no parameters do not begin with the slot: ``stop`` and ``name`` are fields of a request, too.
    with st.container(key=f"slot-{desk.slot_key(place)}", border=True, gap="small"):
        part(sheet, head_key(place), slot_head, sheet, place)
        part(sheet, settings_key(place), _request, sheet, place)
        part(sheet, answer_key(place), _answer, sheet, place)


def _request(sheet: Sheet, place: int) -> None:
    board, slot = sheet.board, sheet.slots[place]
    with st.container(gap="small"):
        problems = slot.outgoing.problems if session.refusal(slot.name) else ()
        request_field(slot.name, slot.draft, "model", problems, models=sheet.models, kind=slot.connection.kind)
        if board.slots[place].own_prompt:
            request_field(slot.name, slot.draft, "prompt", problems, kind=slot.connection.kind)
        _settings(board, place, slot)
        if was_edited(slot.outgoing.body, sheet.runs[place]):
            st.caption(":material/edit: Edited since it ran: the answer is of other settings.")
        _refusal(slot)


def _answer(sheet: Sheet, place: int) -> None:
    slot, runs = sheet.slots[place], sheet.runs[place]
    with st.container(gap="small"):
        if runs.sentence:
            st.caption(f":material/delete_sweep: {runs.sentence}")
        _repeats(slot, runs.found)
        run_column.output(slot, placeholder=PLACEHOLDER, height=PANEL_PX, alone=False, on_done=partial(ended, place))


def _settings(board: Board, place: int, slot: Slot) -> None:
    """What the baseline sets, as it would leave; of the others what is different, a chip each. Over it, what an import came to."""
    said = session.imported(slot.name)
    if said and desk.undone(board) is not None:
        st.caption(f":material/input: {plain(said)}")
    with st.container(horizontal=True, gap="xsmall", key=f"chips-{slot.name}"):
        if place == 0:
            for name, value in slot.outgoing.body.items():
                if name not in ("model", "prompt"):
                    st.badge(badge_label(f"{name} {shown(value)}", CHIP_CHARACTERS), color="gray")
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
            on_click=close_and_change,
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
