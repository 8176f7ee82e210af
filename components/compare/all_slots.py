"""Run all, Stop all and what the press will come to: one line at the bottom of the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import streamlit as st

from components import session
from components.compare import desk
from components.compare.sheet import answer_question, press_run
from components.plain_text import plain
from components.runs.run_column import Slot
from components.services import workspace
from core.comparison.board import LETTERS, Board
from core.comparison.budget import MOST_USD
from core.comparison.preflight import Preflight
from core.errors import StorageProblem
from core.prices.pricing import dollars

RANGE = "From answers that end at once to answers that use up max_tokens"


def run_all_bar(board: Board, slots: Sequence[Slot], *, running: bool) -> None:
    """Draw the line; ``running`` tells that some run is under way."""
    wrong = [place for place, slot in enumerate(slots) if slot.obstacles]
    asked = session.comparison.question()
    with st.container(key="bar-compare-all", gap="xsmall"):
        if asked is not None and not running and not wrong:
            _question(board, asked)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="bar-compare"):
            calls = len(slots) * board.repeats
            st.button(
                f"Run {calls} call{'s' if calls > 1 else ''}",
                key="run",
                type="primary",
                icon=":material/play_arrow:",
                shortcut=None if session.importing() else "Ctrl+Enter",
                disabled=running or bool(wrong),
                help="Runs are under way. Stop them or wait for their end." if running else None,
                on_click=press_run,
            )
            st.button("Stop all", key="stop", icon=":material/stop:", shortcut="Esc", disabled=not running, on_click=desk.stop)
            with st.container(key="preflight-compare", width="stretch"):
                if wrong:
                    st.markdown(f":red[:material/error: **Run is off** — {LETTERS[wrong[0]]}: {plain(slots[wrong[0]].obstacles[0])}]")
                else:
                    st.caption(" · ".join(_parts(board, slots, desk.preflight_of(board))), help=RANGE)
            _budget()


def _question(board: Board, places: Sequence[int]) -> None:
    """Run asks once more."""
    before, budget = desk.preflight_of(board, places), workspace().comparison_budget.usd
    may = f"may cost up to {dollars(before.most_usd)}" if before.most_usd is not None else "has a cost that is not known"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="compare-question"):
        st.markdown(f":orange[:material/payments: This {plain(may)}; the budget is {plain(dollars(budget))}.]")
        st.button("Run anyway", key="compare.run_anyway", type="primary", on_click=answer_question, args=(True,))
        st.button("Don't run", key="compare.run_not", on_click=answer_question, args=(False,))


def _parts(board: Board, slots: Sequence[Slot], before: Preflight) -> Iterator[str]:
    count = len(slots)
    times = f" × {board.repeats} repeats = {before.calls} calls" if board.repeats > 1 else ""
    yield f"{count} slot{'s' if count > 1 else ''}{times} to {plain(slots[0].connection.name)}"
    if before.tokens is not None:
        yield f"at most {before.tokens:,} tokens out"
    if all(slot.outgoing.body.get("prompt") for slot in slots):  # without one there is nothing to reckon with yet
        yield plain(_cost(before))
    yield _time(before)


def _cost(before: Preflight) -> str:
    if before.most_usd is None or before.least_usd is None:
        return "cost unknown for " + ", ".join(LETTERS[place] for place in before.unpriced)
    if before.most_usd == 0:
        return "$0"
    return f"{dollars(before.least_usd)} – {dollars(before.most_usd)}"


def _time(before: Preflight) -> str:
    at_once = f"{min(before.at_once, before.calls)} at once"
    if before.seconds is None:
        return f"time unknown for {', '.join(LETTERS[place] for place in before.untimed)}, {at_once}"
    minutes, seconds = divmod(round(before.seconds), 60)
    about = f"{minutes} min {seconds:02} s" if minutes else f"{max(before.seconds, 0.1):.1f} s" if before.seconds < 10 else f"{seconds} s"
    return f"about {about}, {at_once}"


def _budget() -> None:
    budget = workspace().comparison_budget.usd
    box = st.popover(
        "Budget" if budget is None else f"Budget {plain(dollars(budget))}",
        key="compare.budget",
        icon=":material/payments:",
        type="tertiary",
        help="Above it, Run asks once more",
        on_change="rerun",
    )
    if not box.open:
        return
    with box:
        key = "compare.budget_usd"
        st.session_state.setdefault(key, None if budget is None else float(budget))
        st.number_input(
            "Ask once more above, in $",
            0.0,
            float(MOST_USD),
            step=0.1,
            format="%.4f",
            key=key,
            placeholder="no budget",
            help="For every comparison of this installation; empty for none. A cost that is not known counts as above it.",
            on_change=_set_budget,
            args=(key,),
        )


def _set_budget(key: str) -> None:
    value = st.session_state[key]
    try:
        workspace().comparison_budget.set(None if value is None else Decimal(f"{value:.4f}"))
    except StorageProblem as problem:
        st.toast(plain(f"The budget was not saved. {problem.cause}"), icon=":material/database_off:")
