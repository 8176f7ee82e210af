"""Run all, Stop all and what the press would cost: one line at the bottom of the page."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from components.compare import desk
from components.compare.sheet import run
from components.plain_text import plain
from components.run_column import Slot
from components.services import workspace
from core.comparison.board import LETTERS, Board
from core.outgoing import most_tokens
from core.preflight import most_cost
from core.pricing import dollars


def run_all_bar(board: Board, slots: Sequence[Slot], *, running: bool) -> None:
    """Draw the line; ``running`` tells that some run is under way."""
    calls = len(slots) * board.repeats
    wrong = [place for place, slot in enumerate(slots) if slot.obstacles]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="bar-compare"):
        st.button(
            f"Run {calls} call{'s' if calls > 1 else ''}",
            key="run",
            type="primary",
            icon=":material/play_arrow:",
            shortcut="Ctrl+Enter",
            disabled=running or bool(wrong),
            help="Runs are under way. Stop them or wait for their end." if running else None,
            on_click=run,
        )
        st.button("Stop all", key="stop", icon=":material/stop:", shortcut="Esc", disabled=not running, on_click=desk.stop)
        with st.container(key="preflight-compare", width="stretch"):
            if wrong:
                st.markdown(f":red[:material/error: **Run is off** — {LETTERS[wrong[0]]}: {plain(slots[wrong[0]].obstacles[0])}]")
            else:
                st.caption(" · ".join(_preflight(board, slots)))


def _preflight(board: Board, slots: Sequence[Slot]) -> list[str]:
    count, calls = len(slots), len(slots) * board.repeats
    times = f"{count} slot{'s' if count > 1 else ''}" + (f" × {board.repeats} repeats = {calls} calls" if board.repeats > 1 else "")
    parts = [f"{times} to {plain(slots[0].connection.name)}"]
    tokens = [most_tokens(slot.outgoing.body) for slot in slots]
    if None not in tokens:
        parts.append(f"at most {sum(one or 0 for one in tokens) * board.repeats:,} tokens out")
    prices = workspace().prices.prices
    costs = [most_cost(slot.outgoing.body, prices) for slot in slots]
    known = [cost for cost in costs if cost is not None]
    if known and len(known) == len(costs):
        most = sum(known, Decimal(0)) * board.repeats
        parts.append(plain(f"at most {dollars(most)}" if most else dollars(most)))
    elif known:
        parts.append("cost unknown for " + ", ".join(LETTERS[place] for place, cost in enumerate(costs) if cost is None))
    return parts
