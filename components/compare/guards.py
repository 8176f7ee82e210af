"""What would make the comparison mean less than it seems to, said before the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from components.compare import desk
from components.compare.slot_head import close_and_change
from components.plain_text import plain
from core.comparison.board import LETTERS, MOST_SLOTS, Board
from core.comparison.repeats import cache_trap
from core.comparison.settings import Difference
from core.outgoing import outgoing

KEEP, BYPASS = "Keep it", "Bypass for this run"


def guards(board: Board) -> None:
    """Draw what there is to warn of; nothing where all is well."""
    changed = {place: found for place in range(1, len(board.slots)) if len(found := board.differences(place)) > 1}
    if changed:
        _several_changes(board, changed)
    _cache(board)


def _several_changes(board: Board, changed: Mapping[int, Sequence[Difference]]) -> None:
    """One line for all slots whose answers could differ for more than one reason, and the way to a ladder of single changes."""
    alike: dict[str, list[int]] = {}
    for place, found in changed.items():
        named = ", ".join(plain(one.path) for one in found[:4]) + ("…" if len(found) > 4 else "")
        alike.setdefault(f"{len(found)} things against {LETTERS[0]}] ({named})", []).append(place)
    told = "; ".join(f":orange[{_named(places)} {'changes' if len(places) == 1 else 'change'} {what}" for what, places in alike.items())
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="several-changes"):
        st.markdown(f":orange[:material/alt_route:] {told}: whatever differs in the answers cannot be put down to one of them.")
        if len(changed) == 1:
            for place, found in changed.items():
                _ladder(board, place, len(found), "Split into a ladder", desk.change)
            return
        key = "compare.ladder"
        box = st.popover("Split into a ladder", key=key, icon=":material/stairs_2:", help="One change per slot", on_change="rerun")
        if box.open:
            with box:
                for place, found in changed.items():
                    _ladder(board, place, len(found), f"Split {LETTERS[place]}", partial(close_and_change, key))


def _ladder(board: Board, place: int, changes: int, label: str, change: Callable[..., None]) -> None:
    """The button that adds a slot for each change of one; ``change`` is its callback."""
    room = len(board.slots) + changes <= MOST_SLOTS
    st.button(
        label,
        key=f"ladder-{desk.slot_key(place)}",
        icon=":material/stairs_2:",
        disabled=not room,
        help=f"{changes} more slots, each with one of these changes" if room else f"There is room for {MOST_SLOTS} slots only",
        on_click=change,
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
