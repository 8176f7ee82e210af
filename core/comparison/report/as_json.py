"""A comparison's report as JSON: everything that it is made from, too."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from core.comparison.interval import Interval
from core.comparison.report.report import Report, SlotReport
from core.comparison.settings import NOT_SENT, Difference
from core.prices.run_cost import RunCost
from core.run import RunSnapshot
from core.storage.run_record import StoredRun

FORMAT: Final = "router-playground.comparison/1"


def to_json(made: Report) -> bytes:
    """The whole comparison: its document, requests exactly as sent, outputs, figures and verdicts.

    ``runs`` of a slot are as an export of runs has them, ``document`` as the comparison is stored.
    """
    comparison = made.comparison
    whole = {
        "format": FORMAT,
        "made_at": made.made_at.isoformat(),
        "id": comparison.id,
        "name": comparison.name,
        "note": comparison.note,
        "tags": list(comparison.tags),
        "created_at": comparison.created_at.isoformat(),
        "updated_at": comparison.updated_at.isoformat(),
        "left_out": list(made.left_out),
        "verdicts": list(made.verdicts),
        "slots": [_slot_json(slot) for slot in made.slots],
        "sweeps": [sweep.to_json() for sweep in made.sweeps],
        "document": comparison.document,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _slot_json(slot: SlotReport) -> dict[str, Any]:
    noise = slot.noise
    return {
        "letter": slot.letter,
        "title": slot.title,
        "settings": dict(slot.settings),
        "differences": [_difference_json(one) for one in slot.changed],
        "edited_since_it_ran": slot.edited,
        "figures": {name: _interval_json(interval) for name, interval in slot.figures.figures.items()},
        "finish_reasons": dict(slot.figures.finish_reasons),
        "finished_runs": slot.figures.finished,
        "missing_runs": slot.runs.missing,
        "noise_floor": noise
        and {name: getattr(noise, name) for name in ("k_a", "k_b", "within_a", "within_b", "between", "p_value", "exact", "differs")},
        "verdicts": list(slot.verdicts),
        "runs": [_run(run, cost).to_json() for run, cost in zip(slot.runs.found, slot.costs, strict=True)],
    }


def _run(run: RunSnapshot, cost: RunCost) -> StoredRun:
    return replace(StoredRun.of(run), cost_usd=cost.usd, cost_detail=cost.detail())


def _difference_json(one: Difference) -> dict[str, Any]:
    sides = (("before", one.before), ("after", one.after))
    return {"path": one.path, "text": one.text, **{side: value for side, value in sides if value is not NOT_SENT}}


def _interval_json(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else {"median": interval.median, "low": interval.low, "high": interval.high, "n": interval.n}
