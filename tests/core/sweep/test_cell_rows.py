"""A sweep as rows and records."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.comparison.settings import NOT_SENT
from core.storage.run_record import RunRow
from core.sweep.axes import Axis
from core.sweep.cell_rows import as_csv, call_records, cell_rows
from core.sweep.plan import SweepPlan, SweepSettings
from core.sweep.progress import CallState, SweepRecord, SweepState

MOMENT = datetime(2026, 1, 2, tzinfo=UTC)
ABSENT = {name: None for name, field in RunRow.__dataclass_fields__.items() if "None" in str(field.type)}


def row(run_id: str, **more: object) -> RunRow:
    texts = dict.fromkeys(("slot", "connection_name", "base_url", "prompt_start", "note"), "")
    plain = {"pk": 1, "status": "finished", "created_at": MOMENT, "pieces": 1, "size_bytes": 1, "starred": False}
    return RunRow(**{**ABSENT, **texts, **plain, "id": run_id, **more})  # type: ignore[arg-type]


def state(calls: list[CallState], *axes: Axis, repeats: int = 1) -> SweepState:
    plan = SweepPlan(SweepSettings({"model": "m", "prompt": "p"}, axes, repeats=repeats))
    return SweepState(SweepRecord("s", plan, "local", "Local router", "http://127.0.0.1:1", MOMENT), tuple(calls))


def test_row_has_the_medians_of_the_repeats_that_finished_and_counts_every_try() -> None:
    calls = [
        CallState(0, "finished", ("a",)),
        CallState(1, "waiting"),
        CallState(2, "finished", ("refused", "b")),
        CallState(3, "failed", ("c",)),
        CallState(4, "finished", ("d",)),
        CallState(5, "running", ("e",)),
    ]
    runs = {
        "a": row("a", total_s=1.0, finish_reason="stop", cost_usd=Decimal("0.1")),
        "b": row("b", total_s=5.0, finish_reason="length"),
        "c": row("c", total_s=100.0, status="failed"),
        "d": row("d", total_s=2.0, finish_reason="stop"),
    }
    first, second = cell_rows(state(calls, Axis("temperature", (0, 1)), repeats=3), runs)
    assert (first.median("total"), first.figures["total"], first.median("cost")) == (2.0, (1.0, 5.0, 2.0), 0.1)
    assert (first.statuses, first.finish_reasons, first.tries) == ({"finished": 3}, {"stop": 2, "length": 1}, 4)
    assert (second.median("total"), second.tries) == (None, 2)
    assert second.statuses == {"waiting": 1, "failed": 1, "running": 1}


def test_records_tell_what_was_not_sent_from_null_and_sum_the_costs_of_all_tries() -> None:
    calls = [CallState(0, "finished", ("x", "y"), "answer"), CallState(1, "waiting"), CallState(2, "waiting")]
    runs = {"x": row("x", cost_usd=Decimal("0.25")), "y": row("y", cost_usd=Decimal("0.5"))}
    records = call_records(state(calls, Axis("temperature", (0.5, None, NOT_SENT))), runs)
    assert [(one["temperature"], one["not_sent"]) for one in records] == [(0.5, []), (None, []), (None, ["temperature"])]
    assert (records[0]["tries"], records[0]["cost_usd_of_tries"], records[0]["run"]) == (2, 0.75, "y")
    assert records[1]["cost_usd_of_tries"] is None


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_csv_gives_a_spreadsheet_no_formula(text: str) -> None:
    records = call_records(state([CallState(0, "finished", ("a",), text)], Axis("temperature", (-1,))), {})
    read = next(csv.DictReader(io.StringIO(as_csv(records))))
    assert read["answer_start"] == "'" + text
    assert read["temperature"] == "-1"


def test_counts_and_what_is_done_follow_the_calls() -> None:
    made = state([CallState(0, "finished", ("a",)), CallState(1, "interrupted", ("b", "c"))], Axis("temperature", (0, 1)))
    assert (made.done, made.tries, made.active) == (1, 3, True)
    assert not replace(made, record=replace(made.record, status="paused")).active
