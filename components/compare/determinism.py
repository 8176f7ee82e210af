"""The determinism check: every slot says the same request several times, with one seed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from components.compare import desk
from components.plain_text import plain
from core.comparison.board import Board
from core.comparison.determinism import Parting, determinism, repeated_exactly, same_requests
from core.comparison.output_diff import visible
from core.run import RunSnapshot

FEWEST = 3
"""Runs of each slot at least: two that agree say little."""


def _check(repeats: int, popover: str) -> None:
    """The callback of the button: the answers take the place of those that are there."""
    st.session_state[popover] = False
    desk.run(bodies_of=repeated_exactly, repeats=max(repeats, FEWEST))


def check_button(board: Board, *, running: bool, popover: str) -> None:
    """Draw what starts a check, in the popover that has this key."""
    count = max(board.repeats, FEWEST)
    st.button(
        "Check determinism",
        key="compare.determinism",
        icon=":material/repeat_one:",
        type="tertiary",
        disabled=running,
        help=f"Runs every slot {count} times with one and the same seed and without the cache, and says whether the answers are identical",
        on_click=_check,
        args=(board.repeats, popover),
    )


def is_check(runs: Sequence[Sequence[RunSnapshot]]) -> bool:
    """Whether what the slots show are runs of a check: copies of one request, which are no sample of what it might answer."""
    return any(same_requests(of_slot) for of_slot in runs)


def verdicts(board: Board, runs: Sequence[Sequence[RunSnapshot]]) -> None:
    """A sentence for every slot whose runs are of one request with one seed, and the place where its answers part."""
    with st.container(key="compare-determinism", gap="xsmall"):
        for place, of_slot in enumerate(runs):
            if not same_requests(of_slot) or not all(run.ended for run in of_slot):
                continue
            found = determinism(of_slot)
            icon = "help" if found.answers < 2 else "difference" if found.parting else "equal"
            st.markdown(f":material/{icon}: **{plain(found.sentence(board.title(place)))}**")
            if found.parting:
                _parting(found.parting)


def _parting(parting: Parting) -> None:
    lines = (f"both … {parting.before}", f"first … {parting.first}", f"number {parting.repeat} … {parting.other}")
    st.code("\n".join(visible(line).replace("¶\n", "¶") for line in lines), language=None, wrap_lines=True)
