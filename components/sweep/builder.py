"""What a sweep is made of: axes and their values, prompts from a file, repeats, limits; and what it comes to before it is started.

The form is kept in the session as ``{"axes": [{"id", "path", "typed"}], "rows"}``, so that it is there again after another page was
looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import streamlit as st

from components import session
from components.plain_text import plain
from components.services import workspace
from core.comparison.board import Board
from core.errors import PlaygroundError
from core.outgoing import outgoing
from core.prices.pricing import dollars
from core.sweep.axes import Axis, ValueProblem, choices, is_numeric, sweepable, values_of
from core.sweep.bounds import SweepBounds, sweep_bounds
from core.sweep.plan import MOST_AT_ONCE, MOST_CALLS, MOST_REPEATS, MOST_TRIES, Mode, Seeds, SweepPlan, SweepSettings, planned
from core.sweep.prompt_rows import PromptRows, RowsRefused, read_rows

FIRST_AXES: Final = ({"id": 0, "path": "temperature", "typed": "0…1 step 0.25"}, {"id": 1, "path": "top_p", "typed": "0.5, 1"})
MODES: Final[dict[Mode, str]] = {"grid": "Every combination", "list": "Values side by side"}
SEEDS: Final[dict[Seeds, str]] = {"none": "as set", "same": "one for all", "counting": "counting up"}


def builder(board: Board) -> None:
    """Draw the form and the button that starts the sweep."""
    form = session.sweep.form()
    form.setdefault("axes", [dict(axis) for axis in FIRST_AXES])
    place = _baseline(board)
    body = outgoing(board.slots[place].draft).body
    axes = _axes(form)
    rows = _prompts()
    settings = _numbers(SweepSettings(body, axes, rows))
    _start(planned(settings))


def _baseline(board: Board) -> int:
    places = range(len(board.slots))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="sweep-baseline"):
        place = st.selectbox(
            "Vary the request of",
            places,
            key="sweep.place",
            format_func=board.title,
            width=200,
            help="The slot whose request every call has, but for what varies",
        )
        st.text_input("Name", key="sweep.name", max_chars=60, placeholder="A word for it", width=260, persist_state="session")
    place = 0 if place is None or place not in places else place
    body = outgoing(board.slots[place].draft).body
    prompt = " ".join(str(body.get("prompt", "no prompt yet")).split())
    st.caption(plain(f"{body.get('model', 'no model')} · {prompt[:120]}"))
    return place


def _axes(form: dict[str, Any]) -> tuple[Axis, ...]:
    paths = [spec.path for spec in sweepable()]
    found = []
    for axis in form["axes"]:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"sweep-axis-{axis['id']}"):
            path_key = f"sweep.path.{axis['id']}"
            st.session_state.setdefault(path_key, axis["path"])
            axis["path"] = st.selectbox("Parameter", paths, key=path_key, width=240) or axis["path"]
            typed = _values(axis)
            st.button(
                "",
                key=f"sweep.remove.{axis['id']}",
                icon=":material/close:",
                type="tertiary",
                help="Take it out",
                on_click=_remove,
                args=(axis["id"],),
            )
        values, problems = values_of(axis["path"], typed)
        _problems(problems)
        found.append(Axis(axis["path"], values))
    st.button("Add a parameter", key="sweep.add", icon=":material/add:", type="tertiary", disabled=len(form["axes"]) >= 6, on_click=_add)
    return tuple(found)


def _values(axis: dict[str, Any]) -> str | list[str]:
    """The widget of an axis's values: a line for numbers, a choice of words for all else."""
    path = axis["path"]
    key = f"sweep.values.{axis['id']}.{path}"
    if is_numeric(path):
        st.session_state.setdefault(key, axis["typed"] if isinstance(axis["typed"], str) else "")
        axis["typed"] = st.text_input("Values", key=key, placeholder="0.2, 0.7 or 0…1 step 0.25; also: not sent", width="stretch") or ""
        return str(axis["typed"])
    offered = list(choices(path))
    if path == "model":
        offered = [*workspace().models(session.connection())]
    kept = axis["typed"] if isinstance(axis["typed"], list) else []
    st.session_state.setdefault(key, kept)
    axis["typed"] = st.multiselect(
        "Values",
        sorted({*offered, *st.session_state[key]}, key=offered.index if set(st.session_state[key]) <= set(offered) else str),
        key=key,
        accept_new_options=not choices(path),
        placeholder="Pick or type values",
        width="stretch",
    )
    return list(axis["typed"])


def _problems(problems: Sequence[ValueProblem]) -> None:
    for problem in problems[:3]:
        st.markdown(f":red[:material/error: {plain(problem.sentence)}]")
    if len(problems) > 3:
        st.markdown(f":red[and {len(problems) - 3} more]")


def _add() -> None:
    form = session.sweep.form()
    used = {axis["path"] for axis in form["axes"]}
    path = next((spec.path for spec in sweepable() if spec.path not in used and is_numeric(spec.path)), "seed")
    form["axes"].append({"id": max((axis["id"] for axis in form["axes"]), default=-1) + 1, "path": path, "typed": ""})


def _remove(axis_id: int) -> None:
    form = session.sweep.form()
    form["axes"] = [axis for axis in form["axes"] if axis["id"] != axis_id]


def _prompts() -> PromptRows | None:
    form = session.sweep.form()
    box = st.expander("Prompts from a file", icon=":material/table_rows:", key="sweep.file_box", on_change="rerun")
    if box.open:
        with box:
            file = st.file_uploader(
                "CSV or JSONL: a column called prompt, or one for each {{name}} of the prompt", ["csv", "jsonl", "ndjson"], key="sweep.file"
            )
            if file is not None:
                try:
                    form["rows"] = read_rows(file.name, file.getvalue())
                except RowsRefused as refused:
                    st.markdown(f":red[:material/error: {plain(str(refused))}]")
    rows: PromptRows | None = form.get("rows")
    if rows is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sweep-rows"):
            st.caption(plain(f"{len(rows.rows)} prompts from {rows.name}: {', '.join(rows.columns)}"))
            st.button(
                "Without them",
                key="sweep.no_rows",
                icon=":material/close:",
                type="tertiary",
                on_click=lambda: session.sweep.form().pop("rows", None),
            )
    return rows


def _numbers(settings: SweepSettings) -> SweepSettings:
    name = " ".join(str(st.session_state.get("sweep.name") or "").split())
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="sweep-numbers"):
        return _limited(_repeated(replace(settings, name=name)))


def _repeated(settings: SweepSettings) -> SweepSettings:
    """How the axes are combined, how often each cell is called, and with which seeds."""
    mode = st.segmented_control(
        "Combine", list(MODES), key="sweep.mode", default="grid", required=True, format_func=MODES.__getitem__, persist_state="session"
    )
    repeats = st.number_input("Repeats", 1, MOST_REPEATS, 1, key="sweep.repeats", width=120, persist_state="session")
    seeds = st.selectbox(
        "Seeds of repeats", list(SEEDS), key="sweep.seeds", format_func=SEEDS.__getitem__, width=150, persist_state="session"
    )
    first = settings.first_seed
    if seeds != "none":
        first = int(st.number_input("First seed", 0, 2**31, 1, key="sweep.first_seed", width=130, persist_state="session"))
    return replace(settings, mode=mode or "grid", repeats=int(repeats), seeds=seeds or "none", first_seed=first)


def _limited(settings: SweepSettings) -> SweepSettings:
    """How many calls run at once, how many are made at most, and how often one is tried."""
    at_once = st.number_input(
        "At once",
        1,
        MOST_AT_ONCE,
        8,
        key="sweep.at_once",
        width=120,
        persist_state="session",
        help="The connection's own limit counts, too",
    )
    most = st.number_input(
        "Hard limit of calls",
        1,
        MOST_CALLS,
        200,
        key="sweep.most_calls",
        width=160,
        persist_state="session",
        help="No call more than these is sent, tries after 429 counted",
    )
    tries = st.number_input(
        "Tries after 429",
        1,
        MOST_TRIES,
        5,
        key="sweep.tries",
        width=140,
        persist_state="session",
        help="How often one call is sent at most",
    )
    return replace(settings, at_once=int(at_once), most_calls=int(most), tries=int(tries))


def _start(plan: SweepPlan) -> None:
    problems = plan.problems
    if problems:
        st.markdown(
            f":red[:material/error: **It cannot start** — {plain(problems[0])}]"
            + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else "")
        )
    else:
        bounds = _bounds(plan)
        shape = " × ".join(str(length) for length in plan.lengths()) if plan.settings.mode == "grid" else str(plan.size)
        st.caption(" · ".join((f"{shape} = {plan.size:,} cells" if "×" in shape else f"{plan.size:,} cells", *_told(bounds, plan))))
    bounds_above = not problems and _above(plan)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sweep-start"):
        if bounds_above:
            st.markdown(":orange[:material/payments: It may cost more than the budget, or its cost is not known.]")
        st.button(
            f"{'Run anyway:' if bounds_above else 'Run'} {plan.calls:,} call{'s' if plan.calls != 1 else ''}",
            key="sweep.start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=bool(problems),
            on_click=_run,
            args=(plan.settings,),
        )


def _bounds(plan: SweepPlan) -> SweepBounds:
    current, connection = workspace(), session.connection()
    seconds = current.call_times.seconds(connection.name, str(plan.settings.body.get("model") or ""))
    return sweep_bounds(plan, current.prices.prices, parallel=current.hub.traffic(connection).allowed, call_s=seconds)


def _told(bounds: SweepBounds, plan: SweepPlan) -> list[str]:
    told = [f"{bounds.calls:,} calls" + (f", {bounds.most_calls:,} with tries" if bounds.most_calls > bounds.calls else "")]
    told.append(f"at most {bounds.tokens:,} tokens out" if bounds.tokens is not None else "no bound of tokens: max_tokens is not sent")
    told.append("cost unknown" if bounds.cost_usd is None else plain(f"at most {dollars(bounds.cost_usd)}" if bounds.cost_usd else "$0"))
    told.append("time unknown" if bounds.seconds is None else f"about {bounds.seconds:,.0f} s at {bounds.parallel} at once")
    if plan.bypasses_cache:
        told.append("without the cache, whose answers would be copies")
    return told


def _above(plan: SweepPlan) -> bool:
    """Whether it may cost more than the budget."""
    budget = workspace().comparison_budget.usd
    if budget is None:
        return False
    cost = _bounds(plan).cost_usd
    return cost is None or cost > budget


def _run(settings: SweepSettings) -> None:
    """The callback of Run."""
    try:
        sweep_id = workspace().sweeps.start(settings, session.connection(), comparison_id=session.comparison.current_id())
    except PlaygroundError as refused:
        st.toast(plain(f"{refused.cause} {refused.next_step}"), icon=":material/error:")
        return
    session.sweep.set_view(sweep_id)
