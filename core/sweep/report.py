"""A sweep to take away, as a part of its comparison's report: what varied, the grid, and the figures of every cell."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.comparison.figure_text import UNKNOWN, value_text
from core.comparison.figures import COST
from core.comparison.markdown import fenced, table, text
from core.comparison.settings import NOT_SENT
from core.storage.run_record import RunRow
from core.sweep.cell_rows import FIGURES, CellRow, call_records, cell_rows
from core.sweep.plan import SweepPlan
from core.sweep.progress import SweepState

MOST_CELLS: Final = 1_000
"""Cells that the report shows; JSON and CSV have all of them."""
ANSWER_START: Final = 60
"""Characters of an answer in the grid."""
TOLD: Final = ("first token", "total", "tokens/s", "tokens in", "tokens out", COST)
"""Figures that the report shows, where some cell has them."""


@dataclass(frozen=True, slots=True)
class SweepReport:
    """A sweep as it was at one moment: a row for every cell, a record for every call."""

    state: SweepState
    rows: tuple[CellRow, ...]
    records: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, state: SweepState, runs: Mapping[str, RunRow]) -> SweepReport:
        """The report of ``state``; ``runs`` are those of its tries, by id."""
        return cls(state, cell_rows(state, runs), tuple(call_records(state, runs)))

    @property
    def name(self) -> str:
        """What it is called."""
        return self.state.record.name

    @property
    def _plan(self) -> SweepPlan:
        return self.state.record.plan

    def to_json(self) -> dict[str, Any]:
        """All of it: what was asked for, every cell with its figures, every call."""
        record = self.state.record
        return {
            "id": record.id,
            "name": record.name,
            "tag": record.tag,
            "status": record.status,
            "reason": record.reason,
            "connection": {"name": record.connection_name, "base_url": record.base_url},
            "created_at": record.created_at.isoformat(),
            "ended_at": record.ended_at.isoformat() if record.ended_at else None,
            "settings": self._plan.settings.to_dict(),
            "axes": [{"path": path, "values": self._labels(axis)} for axis, path in enumerate(self._plan.paths)],
            "cells": [self._cell_json(row) for row in self.rows],
            "calls": [dict(one) for one in self.records],
        }

    def _labels(self, axis: int) -> list[str]:
        return [self._plan.label(axis, place) for place in range(self._plan.lengths()[axis])]

    def _cell_json(self, row: CellRow) -> dict[str, Any]:
        figures = {name: {"median": row.median(name), "values": list(row.figures[name])} for name in FIGURES if row.figures[name]}
        return {
            "cell": row.cell,
            "values": {path: value for path, value in row.raw.items() if value is not NOT_SENT},
            "not_sent": [path for path, value in row.raw.items() if value is NOT_SENT],
            "statuses": dict(row.statuses),
            "finish_reasons": dict(row.finish_reasons),
            "sent": row.tries,
            "figures": figures,
        }

    def markdown(self) -> Iterator[str]:
        """The lines of its section in the report."""
        plan, state = self._plan, self.state
        counts = ", ".join(f"{count:,} {status}" for status, count in sorted(state.counts.items()))
        yield f"## {text(f'Sweep: {self.name}')}"
        yield ""
        shape = " × ".join(map(str, plan.lengths())) if plan.settings.mode == "grid" else "a list"
        told = f"{plan.size:,} cells ({shape}), {len(state.calls):,} calls: {counts}; {state.tries:,} sent. It is {state.status}."
        yield text(f"{told} {state.record.reason}")
        yield ""
        for axis, path in enumerate(plan.paths):
            yield f"- {text(path)}: {text(', '.join(self._labels(axis)))}"
        yield from ("", "The request, but for what varies:", "", *self._request())
        yield from ("", "### Grid", "", *self._grid(), "", "### Figures of the cells", "", *self._figures())
        if len(self.rows) > MOST_CELLS:
            yield f"\nThe first {MOST_CELLS:,} of {len(self.rows):,} cells; the JSON has all of them."

    def _grid(self) -> Iterator[str]:
        """How answers begin: the first axis down, the second across; all that varies in the first column where there is no second."""
        plan = self._plan
        if plan.settings.mode == "list" or len(plan.paths) < 2:
            rows = self.rows[:MOST_CELLS]
            yield from table((" · ".join(plan.paths), "answer"), ((" · ".join(row.values.values()), _answer(row)) for row in rows))
            return
        across = self._labels(1)
        lines: dict[tuple[int, ...], list[str]] = {}
        for row in self.rows[:MOST_CELLS]:
            places = plan.cell(row.cell)
            line = lines.setdefault((places[0], *places[2:]), [""] * len(across))
            line[places[1]] = _answer(row)
        heads = (plan.paths[0], *plan.paths[2:], *(f"{plan.paths[1]} {label}" for label in across))
        axes = (0, *range(2, len(plan.paths)))
        labels = ([plan.label(axis, place) for axis, place in zip(axes, places, strict=True)] for places in lines)
        yield from table(heads, ([*label, *line] for label, line in zip(labels, lines.values(), strict=True)))

    def _figures(self) -> Iterator[str]:
        known = [name for name in TOLD if any(row.figures[name] for row in self.rows)]
        rows = self.rows[:MOST_CELLS]
        yield from table((*self._plan.paths, "calls", *known, "finish reasons"), (self._figure_row(row, known) for row in rows))
        if self._plan.settings.repeats > 1:
            yield "\nMedians of the repeats that finished."

    def _figure_row(self, row: CellRow, known: list[str]) -> list[str]:
        calls = ", ".join(f"{count} {status}" for status, count in row.statuses.items())
        reasons = ", ".join(f"{reason} ×{count}" for reason, count in row.finish_reasons.items()) or "–"
        figures = [(UNKNOWN if (value := row.median(name)) is None else value_text(name, value)) for name in known]
        return [*row.values.values(), calls, *figures, reasons]

    def _request(self) -> Iterator[str]:
        yield from fenced(json.dumps(self._plan.settings.body, indent=2, ensure_ascii=False), "json")


def _answer(row: CellRow) -> str:
    """How the newest answer of a cell begins; the status where it has none."""
    said = [call.answer_start for call in row.calls if call.answer_start]
    start = " ".join(said[-1].split()) if said else row.calls[0].status
    return start if len(start) <= ANSWER_START else start[: ANSWER_START - 1] + "…"
