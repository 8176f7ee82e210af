"""The comparison itself: its name, its marks, and how to begin another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from components import session
from components.compare import desk
from components.compare.blind_vote import enter
from components.compare.determinism import check_button
from components.compare.export import export_comparison
from components.plain_text import plain
from components.services import workspace
from components.share.entries import share_comparison
from components.sweep.sweep import enter as enter_sweep
from core.comparison.board import LETTERS, MOST_REPEATS, MOST_SLOTS, Board
from core.comparison.noise_floor import enough
from core.comparison.record import LONGEST_NAME, Comparison
from core.errors import StorageProblem
from core.preset.content import DraftContent
from core.storage.preset_query import PresetFilter

OFFERED = 8
"""Presets that are offered to begin from."""


def heading(board: Board, *, running: bool) -> None:
    """Draw the line above the request."""
    notice = session.comparison.take_notice()
    if notice:
        st.info(plain(notice), icon=":material/info:")
    now = workspace().comparisons.current(session.comparison.current_id() or "")
    if now is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="compare-heading"):
        _name(now)
        if now.starred:
            st.markdown(":material/star:", width="content")
        if now.stored:
            st.caption(_kept(now), width="content")
        popover("New", "add_box", "Begin another comparison; this one stays in the history", _new)
        popover("Export", "download", "JSON or a report", lambda: export_comparison(now, key="compare.export"))
        share_comparison()
        popover("Keep", "bookmark", "Star, note, tags", lambda: _marks(now))
        st.button(
            "Sweep",
            key="compare.sweep",
            icon=":material/grid_on:",
            type="tertiary",
            help="One slot's request with many values: a grid of answers",
            on_click=enter_sweep,
        )
        popover("Checks", "fact_check", "Determinism, and a blind vote", lambda: _checks(board, running=running))
        st.space("stretch")
        _tools(board)


def _tools(board: Board) -> None:
    """How many slots, and how often each runs."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="compare-tools", width="content"):
        st.button(
            "Add a slot",
            key="compare.add",
            icon=":material/add:",
            disabled=len(board.slots) >= MOST_SLOTS,
            help=f"Set like {LETTERS[0]}, to change from there" if len(board.slots) < MOST_SLOTS else f"There is room for {MOST_SLOTS}",
            on_click=desk.change,
            args=(Board.added,),
        )
        if desk.undone(board) is not None:
            st.button("Undo", key="compare.undo", icon=":material/undo:", help="The last change of the slots", on_click=desk.undo)
        key = "compare.repeats"
        st.session_state[key] = board.repeats
        least = enough(max(1, len(board.slots) - 1))
        about = f"Calls of each slot. From {least} on, answers that differ can be told from noise. Where a seed is set, it counts up."
        st.caption("Repeats per slot", width="content", help=about)
        st.number_input(
            "Repeats per slot",
            1,
            MOST_REPEATS,
            step=1,
            key=key,
            width=124,
            label_visibility="collapsed",
            on_change=desk.set_repeats,
            args=(key,),
        )


def _checks(board: Board, *, running: bool) -> None:
    """What else can be asked of these settings."""
    check_button(board, running=running, popover="compare.checks")
    st.button(
        "Vote blind",
        key="compare.vote",
        icon=":material/how_to_vote:",
        type="tertiary",
        help="Answers without names, in a new order for every vote: pick the best, or a tie, then reveal",
        on_click=_close_and,
        args=("checks", enter),
    )


def popover(label: str, icon: str, tip: str, body: Callable[[], None]) -> None:
    """A popover of the heading, whose ``body`` is drawn when it is open."""
    box = st.popover(label, key=f"compare.{label.lower()}", icon=f":material/{icon}:", type="tertiary", help=tip, on_change="rerun")
    if box.open:
        with box:
            body()


def _name(now: Comparison) -> None:
    key = "compare.name"
    st.session_state[key] = now.name
    st.text_input(
        "Name of the comparison",
        key=key,
        max_chars=LONGEST_NAME,
        placeholder="Name this comparison",
        label_visibility="collapsed",
        width=300,
        on_change=_rename,
        args=(now.id, key),
    )


def _rename(comparison_id: str, key: str) -> None:
    workspace().comparisons.rename(comparison_id, str(st.session_state[key] or ""))


def _kept(now: Comparison) -> str:
    return ":material/history_off: deleted; an edit brings it back" if now.deleted_at else ":material/history: in History"


def _new() -> None:
    for label, icon, name, how in _beginnings():
        st.button(label, key=f"compare.{name}", icon=f":material/{icon}:", type="tertiary", on_click=_close_and, args=("new", how))
    _presets()


def _presets() -> None:
    """The drafts of the library, each of which two slots can begin from; a comparison in it is opened by the line of its preset."""
    presets = workspace().presets
    query = st.text_input("Find a preset", key="compare.new.find", placeholder="Begin from a preset", icon=":material/search:")
    try:
        found = presets.page(PresetFilter(text=query or "", kind="draft"), limit=OFFERED).presets
    except StorageProblem as problem:
        st.caption(plain(problem.cause))
        return
    for preset in found:
        name = plain(preset.label.name, 60)
        key = f"compare.new.{preset.id}"
        st.button(name, key=key, icon=":material/bookmark:", type="tertiary", on_click=_close_and, args=("new", _begin, preset.id))
    if not found:
        st.caption("No preset fits." if query else "There is no preset of a request yet.")


def _begin(preset_id: str) -> None:
    presets = workspace().presets
    preset = presets.find(preset_id)
    version = presets.version(preset_id, preset.version) if preset else None
    if version is None or not isinstance(version.content, DraftContent):
        st.toast("The preset was deleted meanwhile.", icon=":material/error:")
        return
    desk.from_draft(version.content.draft)


def _beginnings() -> Sequence[tuple[str, str, str, Callable[[], None]]]:
    return (
        ("From the Playground", "experiment", "from_playground", desk.from_playground),
        ("A copy of this one", "content_copy", "copy", desk.copy),
    )


def _close_and(popover_name: str, how: Callable[..., None], *arguments: str) -> None:
    st.session_state[f"compare.{popover_name}"] = False
    how(*arguments)


def _marks(now: Comparison) -> None:
    store = workspace().comparisons
    for key, value in (("compare.star", now.starred), ("compare.note", now.note), ("compare.tags", list(now.tags))):
        st.session_state[key] = value
    st.toggle("Star", key="compare.star", on_change=lambda: store.star(now.id, bool(st.session_state["compare.star"])))
    st.text_area(
        "Note", key="compare.note", height=80, on_change=lambda: store.annotate(now.id, str(st.session_state["compare.note"] or ""))
    )
    st.multiselect(
        "Tags",
        list(now.tags),
        key="compare.tags",
        accept_new_options=True,
        placeholder="Add a tag",
        on_change=lambda: store.tag(now.id, st.session_state["compare.tags"]),
    )
