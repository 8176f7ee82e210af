"""The Compare page: one prompt, up to eight slots, and whether what comes out is really different."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from components import session
from components.compare import desk
from components.compare.all_slots import run_all_bar
from components.compare.answer import answer
from components.compare.blind_vote import blind_vote, under_way
from components.compare.guards import guards
from components.compare.heading import heading
from components.compare.sheet import ANSWER, BAR, GUARDS, PRESET, SETTINGS, Sheet, part
from components.compare.slot_column import slot_column
from components.compare.slot_head import show_settings
from components.parameter_form import Refreshed, collect, open_only, request_field
from components.presets.bench import CompareBench
from components.presets.preset_line import preset_line
from components.runs import run_column
from components.runs.run_column import Slot, standing
from components.services import workspace
from components.sweep.sweep import is_shown, sweep
from core.comparison.board import LETTERS, Board
from core.outgoing import outgoing

CSS = Path(__file__).with_name("compare.css")


def compare() -> None:
    """Draw the page."""
    linked = st.query_params.get(desk.LINK)
    board = desk.gathered(linked)
    runs = list(desk.found_runs(board))
    connection = session.connection()
    slots = [standing(desk.slot_key(place), one.draft, connection) for place, one in enumerate(board.slots)]
    sheet = Sheet(board, workspace().models(slots[0].connection), slots, runs)
    st.html(CSS)
    st.query_params[desk.LINK] = session.comparison.current_id() or ""
    vote = under_way()
    if vote is not None:
        blind_vote(board, [of_slot.found for of_slot in runs], vote)
        return
    if is_shown(same_comparison=linked is not None and linked == session.comparison.current_id()):
        sweep(board)
        return
    heading(board, running=sheet.running)
    with st.container(key="preset-frame"):
        part(sheet, PRESET, _preset_line)
    _request(board, slots)
    part(sheet, GUARDS, _guards, sheet)
    with st.container(horizontal=True, gap="medium", key="compare-desk", wrap=False):
        with st.container(key="compare-slots"):
            for place in range(len(slots)):
                slot_column(sheet, place)
        part(sheet, SETTINGS, _settings, sheet)
    part(sheet, ANSWER, _answer, sheet)
    with st.bottom:
        part(sheet, BAR, _bar, sheet)
    CompareBench().show_link()


def _preset_line() -> None:
    preset_line(CompareBench())


def _guards(sheet: Sheet) -> None:
    guards(sheet.board)


def _answer(sheet: Sheet) -> None:
    answer(sheet.board, [of_slot.found for of_slot in sheet.runs])


def _bar(sheet: Sheet) -> None:
    run_all_bar(sheet.board, sheet.slots, running=sheet.running)


def _request(board: Board, slots: Sequence[Slot]) -> None:
    """The shared prompt, and what is true of all slots."""
    sharing = [slot for place, slot in enumerate(slots) if not board.slots[place].own_prompt]
    if sharing:
        refused = any(session.refusal(slot.name) for slot in sharing)
        body = {} if board.prompt is None else {"prompt": board.prompt}
        problems = tuple(one for one in sharing[0].outgoing.problems if one.path == "prompt") if refused else ()
        request_field(desk.SHARED, {"body": body, "extra": ""}, "prompt", problems, kind=slots[0].connection.kind)


def _settings(sheet: Sheet) -> None:
    """The whole form of the slot whose settings are open, with those groups open that were needed last."""
    place = sheet.board.edited
    if place is None or place >= len(sheet.slots):
        return
    with st.container(key="compare-settings", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", key="compare-settings-head"):
            st.markdown(f"**Settings of {LETTERS[place]}**")
            st.button("Close", key="compare.close", icon=":material/close:", type="tertiary", on_click=show_settings, args=(sheet, None))
        open_only(desk.slot_key(place), session.comparison.open_groups())
        run_column.parameters(sheet.slots[place], sheet.models, refresh=partial(_refreshed, sheet), changed=sheet.edited)


def _refreshed(sheet: Sheet, drawn: Slot) -> Refreshed:
    """The slot's draft as its widgets are now; where the page does not show it already, all of it is redrawn."""
    draft = collect(drawn.name, session.draft(drawn.name) or drawn.draft)
    session.set_draft(drawn.name, draft)
    board = desk.collected()
    return Refreshed(draft, outgoing(draft).problems, "" if sheet.shows(board) else object())
