"""What would make the comparison mean less than it seems to, said before the run."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from components.compare import desk
from components.plain_text import plain
from core.comparison.board import LETTERS, MOST_SLOTS, Board
from core.comparison.repeats import cache_trap
from core.outgoing import outgoing

KEEP, BYPASS = "Keep it", "Bypass for this run"


def guards(board: Board) -> None:
    """Draw what there is to warn of; nothing where all is well."""
    for place in range(1, len(board.slots)):
        _several_changes(board, place)
    _cache(board)


def _several_changes(board: Board, place: int) -> None:
    found = board.differences(place)
    if len(found) < 2:
        return
    named = ", ".join(plain(one.path) for one in found[:4]) + ("…" if len(found) > 4 else "")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"changes-{desk.slot_key(place)}"):
        st.markdown(
            f":orange[:material/alt_route: {LETTERS[place]} changes {len(found)} things against {LETTERS[0]}] ({named}): "
            "whatever differs in the answers cannot be put down to one of them."
        )
        room = len(board.slots) + len(found) <= MOST_SLOTS
        st.button(
            "Split into a ladder",
            key=f"ladder-{desk.slot_key(place)}",
            icon=":material/stairs_2:",
            disabled=not room,
            help=f"{len(found)} more slots, each with one of these changes" if room else f"There is room for {MOST_SLOTS} slots only",
            on_click=desk.change,
            args=(Board.ladder, place),
        )


def _cache(board: Board) -> None:
    trapped = cache_trap([outgoing(one.draft).body for one in board.slots], board.repeats)
    if not trapped:
        return
    key = "compare.cache"
    st.session_state[key] = KEEP if board.keep_cache else BYPASS
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="cache-trap"):
        st.markdown(
            f":orange[:material/cached: {_named(trapped)} would send the same request more than once with the exact-match cache on]: "
            "all but the first answer would be copies of it."
        )
        st.segmented_control(
            "The cache", [BYPASS, KEEP], key=key, required=True, label_visibility="collapsed", on_change=_choose, args=(key,)
        )


def _named(places: Sequence[int]) -> str:
    letters = [LETTERS[place] for place in places]
    return letters[0] if len(letters) == 1 else f"{', '.join(letters[:-1])} and {letters[-1]}"


def _choose(key: str) -> None:
    desk.keep_cache(st.session_state[key] == KEEP)
