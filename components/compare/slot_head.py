"""The head of a slot: its name, Run, Stop, its settings, and what else can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from components import session
from components.code_export import code_dialog
from components.code_import import code_import
from components.compare import desk
from components.compare.sheet import SETTINGS, Sheet, head_key, press_run
from components.parameter_form import open_groups
from components.plain_text import plain
from core.comparison.board import MOST_SLOTS, Board


def slot_head(sheet: Sheet, place: int) -> None:
    """Draw the head of the slot at ``place``."""
    board, slot, running = sheet.board, sheet.slots[place], sheet.runs[place].running
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
                on_click=press_run,
                args=([place],),
            )
        is_open = board.edited == place
        st.button(
            "",
            key=f"edit-{key}",
            icon=":material/close:" if is_open else ":material/tune:",
            type="tertiary",
            help="Close the settings" if is_open else "All settings of this slot",
            on_click=show_settings,
            args=(sheet, None if is_open else place),
        )
        more = st.popover(
            "", key=f"more-{key}", icon=":material/more_vert:", type="tertiary", help="Name, prompt, order, copies", on_change="rerun"
        )
        if more.open:
            with more:
                _more(board, place, key)
                _code(sheet, place)
    _dialog(sheet, place)


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
            on_click=close_and_change,
            args=(f"more-{key}", how, *arguments),
        )


def _code(sheet: Sheet, place: int) -> None:
    """Buttons for the slot's call as code, and for a call from elsewhere in its place."""
    key = sheet.slots[place].name
    for what, label, icon in (("code", "View code", "code"), ("import", "Import into it", "input")):
        st.button(
            label,
            key=f"{what}-open-{key}",
            icon=f":material/{icon}:",
            type="tertiary",
            on_click=_close_and_ask,
            args=(f"more-{key}", f"asked-{key}", what),
        )


def _close_and_ask(popover: str, asked: str, what: str) -> None:
    """A dialog opens under a popover that is open: close that first."""
    st.session_state[popover] = False
    st.session_state[asked] = what
    session.set_importing(what == "import")


def _dialog(sheet: Sheet, place: int) -> None:
    """The dialog that was asked for, once the whole page is drawn: Run has no shortcut while something is typed into it."""
    slot = sheet.slots[place]
    asked = f"asked-{slot.name}"
    match st.session_state.pop(asked, None):
        case "code" | "import" as what:
            st.session_state[asked] = f"{what} now"
            st.rerun()
        case "code now":
            code_dialog(slot.outgoing.body, slot.connection, key=slot.name)
        case "import now":
            code_import(slot.connection, partial(_imported, place), key=slot.name)


def _imported(place: int, draft: dict[str, Any]) -> None:
    desk.change(Board.imported, place, draft)


def close_and_change(popover: str, how: Callable[..., Board], *arguments: Any) -> None:
    st.session_state[popover] = False
    desk.change(how, *arguments)


def _rename(place: int, key: str) -> None:
    desk.change(Board.renamed, place, str(st.session_state[key] or ""))


def _free(place: int, key: str) -> None:
    desk.change(Board.freed, place, bool(st.session_state[key]))


def show_settings(sheet: Sheet, place: int | None) -> None:
    """The callback that opens the settings of a slot (of none with None); the heads say whose they are and whose they were."""
    was = desk.remembered().edited
    if was is not None:
        session.comparison.set_open_groups(open_groups(desk.slot_key(was)))
    desk.edit(place)
    concerned = {one for one in (was, place) if one is not None and one < len(desk.remembered().slots)}
    sheet.redraw([SETTINGS, *map(head_key, sorted(concerned))])
