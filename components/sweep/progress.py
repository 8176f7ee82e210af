"""A sweep under way or ended: how far it is, its grid of cells, one call whole, and its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import streamlit as st

from components import session
from components.plain_text import plain
from components.runs import run_column
from components.runs.run_column import standing
from components.services import workspace
from components.sweep.figures import figures
from core.errors import PlaygroundError
from core.outgoing import draft_of
from core.prices.pricing import dollars
from core.sweep.plan import SweepPlan
from core.sweep.progress import TO_DO, UNSUCCESSFUL, CallState, SweepState

EVERY_S: Final = 1.0
SLOT: Final = "sweep"
CALL: Final = "sweep-part-call"
"""The part of the page that shows one call."""
MARKS: Final = {"waiting": "·", "running": "▸", "finished": "✓", "failed": "✗", "stopped": "■", "interrupted": "↯"}
SAID: Final = {
    "running": "running",
    "pausing": "pausing: nothing new is sent",
    "paused": "paused",
    "finished": "finished",
    "cancelled": "cancelled",
}


def progress(sweep_id: str) -> None:
    """Draw the sweep; while it is active, its state and its grid are drawn again each second, and nothing else."""
    state = workspace().sweeps.state(sweep_id)
    if state is None:
        st.info("This sweep was not found. It may belong to another playground.", icon=":material/grid_off:")
        return
    st.fragment(_live, run_every=EVERY_S if state.active else None)(sweep_id, state.active)
    st.fragment(_chosen_call, key=CALL)(sweep_id)
    figures(state)


def _live(sweep_id: str, was_active: bool) -> None:
    state = workspace().sweeps.state(sweep_id)
    if state is None or state.active != was_active:
        st.rerun()
    _state(state)
    _grid(state)


def _state(state: SweepState) -> None:
    total = len(state.calls)
    counts = ", ".join(f"{state.counts[status]:,} {status}" for status in MARKS if state.counts[status])
    st.progress(state.done / max(total, 1), text=f"**{SAID[state.status]}** · {state.done:,} of {total:,} calls · {counts}")
    if state.elsewhere:
        st.caption(":material/devices: Another process of the playground is at it.")
    elif state.record.reason:
        st.markdown(f":orange[:material/info: {plain(state.record.reason)}]")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sweep-buttons"):
        _buttons(state)
        st.caption(plain(_costs(state)))


def _costs(state: SweepState) -> str:
    cost = workspace().sweeps.cost(state.record.id) if not state.active else None
    told = f"{state.tries:,} sent, {state.record.plan.settings.most_calls:,} allowed"
    if cost is not None:
        sum_of_known = f"{dollars(cost.usd)} so far" + (f", and {cost.unknown} of unknown cost" if cost.unknown else "")
        told += " · cost unknown" if cost.unknown and not cost.known else f" · {sum_of_known}"
    return f"{told} · its runs have the tag “{state.record.tag}” in the History"


def _buttons(state: SweepState) -> None:
    sweep_id, status = state.record.id, state.status
    if status == "running":
        st.button("Pause", key="sweep.pause", icon=":material/pause:", on_click=workspace().sweeps.pause, args=(sweep_id,))
    if status in ("pausing", "paused") and not state.elsewhere:
        st.button("Resume", key="sweep.resume", type="primary", icon=":material/play_arrow:", on_click=_resume, args=(state, False))
    if status in ("running", "pausing", "paused"):
        st.button(
            "Cancel",
            key="sweep.cancel",
            icon=":material/stop:",
            help="For good: what is under way is stopped",
            on_click=workspace().sweeps.cancel,
            args=(sweep_id,),
        )
    unsuccessful = sum(state.counts[one] for one in UNSUCCESSFUL)
    if status in ("paused", "finished") and unsuccessful:
        st.button(f"Send {unsuccessful:,} failed again", key="sweep.again", icon=":material/refresh:", on_click=_resume, args=(state, True))


def _resume(state: SweepState, again: bool) -> None:
    """Go on; where the hard limit is what stopped it, with as much room more as there is left to do."""
    settings = state.record.plan.settings
    wanted = sum(call.status in TO_DO or (again and call.status in UNSUCCESSFUL) for call in state.calls)
    limit = settings.most_calls if state.tries + wanted <= settings.most_calls else state.tries + wanted
    try:
        workspace().sweeps.resume(
            state.record.id, session.connection(), most_calls=None if limit == settings.most_calls else limit, again=again
        )
    except PlaygroundError as refused:
        st.toast(plain(f"{refused.cause} {refused.next_step}"), icon=":material/error:")


def _grid(state: SweepState) -> None:
    """The cells: the first axis down, the second across, one value of every other axis."""
    plan = state.record.plan
    fixed = _fixed(plan)
    cells = [cell for cell in range(plan.size) if all(plan.cell(cell)[axis] == place for axis, place in fixed.items())]
    down, across = (0, 1) if len(plan.paths) > 1 and plan.settings.mode == "grid" else (None, None)
    table, where = _table(state, cells, down, across)
    key = f"sweep-grid-{state.record.id}-{'-'.join(map(str, fixed.values()))}"
    st.dataframe(
        table,
        key=key,
        column_config={next(iter(table[0]), ""): st.column_config.TextColumn(width=190, pinned=True)} if table else {},
        hide_index=True,
        on_select=partial(_choose, key, where),
        selection_mode="single-cell",
        row_height=35,
        height=min(480, 38 + 35 * max(len(table), 1)),
        alt="Cells of the sweep; press one to see its answer whole",
    )


def _choose(key: str, where: Mapping[tuple[int, str], int]) -> None:
    """The callback of a press on a cell: only the part that shows one call is redrawn."""
    event: Any = st.session_state.get(key)
    chosen = event["selection"]["cells"] if event else []
    call = where.get((chosen[0][0], chosen[0][1])) if chosen else None
    if call is not None and call != session.sweep.call():
        session.sweep.set_call(call)
        st.rerun(CALL)


def _chosen_call(sweep_id: str) -> None:
    state = workspace().sweeps.state(sweep_id)
    if state is not None:
        _call(state)


def _fixed(plan: SweepPlan) -> dict[int, int]:
    if plan.settings.mode == "list" or len(plan.paths) < 3:
        return {}
    with st.container(horizontal=True, gap="small", key="sweep-filters"):
        return {axis: _one_of(plan, axis) for axis in range(2, len(plan.paths))}


def _one_of(plan: SweepPlan, axis: int) -> int:
    """The place of the one value of a further axis that the grid is about."""
    places = list(range(plan.lengths()[axis]))
    chosen = st.selectbox(plan.paths[axis], places, key=f"sweep.fixed.{axis}", format_func=lambda place: plan.label(axis, place), width=200)
    return chosen or 0


def _table(
    state: SweepState, cells: Sequence[int], down: int | None, across: int | None
) -> tuple[list[dict[str, str]], dict[tuple[int, str], int]]:
    """The rows, and the call that stands at a row and a column."""
    plan = state.record.plan
    where: dict[tuple[int, str], int] = {}
    if down is None or across is None:
        head = " · ".join(plan.paths)
        rows = []
        for row, cell in enumerate(cells):
            rows.append({head: " · ".join(plan.value(cell, axis) for axis in range(len(plan.paths))), "answer": _cell(state, cell)})
            where[row, "answer"] = where[row, head] = _shown(state, cell).number
        return rows, where
    head = f"{plan.paths[down]} ↓  {plan.paths[across]} →"
    rows_by_place: dict[int, dict[str, str]] = {}
    for cell in cells:
        places = plan.cell(cell)
        line = rows_by_place.setdefault(places[down], {head: plan.label(down, places[down])})
        column = plan.label(across, places[across])
        line[column] = _cell(state, cell)
        where[len(rows_by_place) - 1, column] = _shown(state, cell).number
    return list(rows_by_place.values()), where


def _shown(state: SweepState, cell: int) -> CallState:
    """The call of a cell that stands for it: one that runs, else the newest that has an answer, else the first."""
    calls = [state.calls[number] for number in state.record.plan.calls_of(cell)]
    running = [call for call in calls if call.status == "running"]
    answered = [call for call in calls if call.answer_start]
    return (running or answered[-1:] or calls)[0]


def _cell(state: SweepState, cell: int) -> str:
    calls = [state.calls[number] for number in state.record.plan.calls_of(cell)]
    marks = "".join(MARKS[call.status] for call in calls[:6]) + ("…" if len(calls) > 6 else "")
    return f"{marks} {' '.join(_shown(state, cell).answer_start.split())[:80]}".rstrip()


def _call(state: SweepState) -> None:
    """One call whole, in the panel that every run has."""
    number = session.sweep.call()
    if number is None or number >= len(state.calls):
        st.caption(":material/touch_app: Press a cell to see its answer whole, also while it streams.")
        return
    plan, call = state.record.plan, state.calls[number]
    with st.container(border=True, key="sweep-call", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sweep-call-head"):
            st.markdown(f"**{plain(plan.title(plan.cell_of(number)))}**")
            calls = list(plan.calls_of(plan.cell_of(number)))
            if len(calls) > 1:
                _turn("chevron_left", calls, calls.index(number) - 1)
                st.caption(f"repeat {calls.index(number) + 1} of {len(calls)}", width="content")
                _turn("chevron_right", calls, calls.index(number) + 1)
        if not call.runs:
            st.caption("Not sent yet.")
            return
        if session.run_id(SLOT) != call.runs[-1]:
            session.set_run_id(SLOT, call.runs[-1])
        if len(call.runs) > 1:
            st.caption(f"Sent {len(call.runs)} times; this is the last.")
        slot = standing(SLOT, draft_of(plan.body(number)), session.connection())
        run_column.output(slot, placeholder="The answer streams in here.", height=300, alone=False)


def _turn(icon: str, calls: Sequence[int], place: int) -> None:
    inside = 0 <= place < len(calls)
    st.button(
        "",
        key=f"sweep.{icon}",
        icon=f":material/{icon}:",
        type="tertiary",
        disabled=not inside,
        on_click=session.sweep.set_call,
        args=(calls[place] if inside else None,),
    )
