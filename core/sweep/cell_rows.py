"""A sweep as rows, one for every cell: what varied and what came out. Tables, files and charts are made of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from core.comparison.figures import COST
from core.comparison.settings import NOT_SENT
from core.storage.run_record import RunRow
from core.sweep.plan import SweepPlan
from core.sweep.progress import CallState, SweepState

FIGURES: Final[dict[str, Callable[[RunRow], float | None]]] = {
    "first token": lambda run: run.first_token_s,
    "total": lambda run: run.total_s,
    "tokens/s": lambda run: run.tokens_per_s,
    "tokens in": lambda run: run.prompt_tokens,
    "tokens out": lambda run: run.completion_tokens,
    "cached": lambda run: run.cached_tokens,
    "reasoning": lambda run: run.reasoning_tokens,
    COST: lambda run: None if run.cost_usd is None else float(run.cost_usd),
}
"""By the names of ``core.comparison.figures``: seconds, tokens a second, tokens, US dollars."""


@dataclass(frozen=True, slots=True)
class CellRow:
    """One cell. ``values`` are what it has on each axis as shown, by path; ``raw`` the same as JSON values (``NOT_SENT``, a row's number
    for the prompt). ``calls`` are its repeats. ``figures`` have, by name, what each of the finished calls tells, in their order.
    ``statuses`` count the calls by status, ``finish_reasons`` the finished ones by reason, ``tries`` is how often it was sent.
    """

    cell: int
    values: Mapping[str, str]
    raw: Mapping[str, Any]
    calls: tuple[CallState, ...]
    figures: Mapping[str, tuple[float, ...]]
    statuses: Mapping[str, int]
    finish_reasons: Mapping[str, int]
    tries: int

    def median(self, name: str) -> float | None:
        """The median of one figure over the finished calls; None where no run tells."""
        told = self.figures.get(name)
        return median(told) if told else None


def cell_rows(state: SweepState, runs: Mapping[str, RunRow]) -> tuple[CellRow, ...]:
    """A row for every cell of ``state``; ``runs`` are those of its tries, by id (``Sweeps.runs_of``)."""
    plan = state.record.plan
    return tuple(_row(plan, cell, [state.calls[call] for call in plan.calls_of(cell)], runs) for cell in range(plan.size))


def _row(plan: SweepPlan, cell: int, calls: Sequence[CallState], runs: Mapping[str, RunRow]) -> CellRow:
    finished = [run for call in calls if call.status == "finished" and (run := runs.get(call.runs[-1]))]
    figures = {name: tuple(value for run in finished if (value := measure(run)) is not None) for name, measure in FIGURES.items()}
    return CellRow(
        cell,
        {path: plan.value(cell, axis) for axis, path in enumerate(plan.paths)},
        {path: _raw(plan, cell, axis) for axis, path in enumerate(plan.paths)},
        tuple(calls),
        figures,
        _counted(call.status for call in calls),
        _counted(run.finish_reason for run in finished if run.finish_reason),
        sum(len(call.runs) for call in calls),
    )


def _raw(plan: SweepPlan, cell: int, axis: int) -> Any:
    place = plan.cell(cell)[axis]
    return plan.settings.axes[axis].values[place] if axis < len(plan.settings.axes) else place


def _counted(values: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for value in values:
        found[value] = found.get(value, 0) + 1
    return found


def call_records(state: SweepState, runs: Mapping[str, RunRow]) -> list[dict[str, Any]]:
    """A record for every call, for files: its cell's values by path, the repeat, what became of it, its figures and its run's id.

    ``tries`` and ``cost_usd_of_tries`` count every try; unknown costs are left out of the sum.
    """
    plan = state.record.plan
    return [_record(plan, call, runs) for call in state.calls]


def _record(plan: SweepPlan, call: CallState, runs: Mapping[str, RunRow]) -> dict[str, Any]:
    cell = plan.cell_of(call.number)
    run = runs.get(call.runs[-1]) if call.runs else None
    costs = [found.cost_usd for run_id in call.runs if (found := runs.get(run_id)) and found.cost_usd is not None]
    values = {path: None if (raw := _raw(plan, cell, axis)) is NOT_SENT else raw for axis, path in enumerate(plan.paths)}
    not_sent = [path for axis, path in enumerate(plan.paths) if _raw(plan, cell, axis) is NOT_SENT]
    return {
        **values,
        "not_sent": not_sent,
        "repeat": plan.repeat_of(call.number) + 1,
        "status": call.status,
        "tries": len(call.runs),
        "run": call.runs[-1] if call.runs else None,
        "finish_reason": run.finish_reason if run else None,
        **{name: measure(run) if run else None for name, measure in FIGURES.items()},
        "cost_usd_of_tries": float(sum(costs)) if costs else None,
        "answer_start": call.answer_start,
    }


def as_csv(records: Sequence[Mapping[str, Any]]) -> str:
    """The records as CSV; lists as JSON, null as nothing. A text that a spreadsheet would take for a formula gets an apostrophe."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(records[0]) if records else [])
    writer.writeheader()
    for record in records:
        writer.writerow({name: _field(value) for name, value in record.items()})
    return out.getvalue()


def _field(value: Any) -> Any:
    if isinstance(value, list | dict | bool):
        return json.dumps(value, ensure_ascii=False)
    return "'" + value if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
