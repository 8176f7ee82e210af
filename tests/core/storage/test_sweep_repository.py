"""Sweeps as they are stored: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.exc import IntegrityError

from core.comparison.settings import NOT_SENT
from core.run import RunError
from core.storage.database import Database
from core.storage.run_repository import RunRepository
from core.storage.sweep_repository import SweepRepository
from core.sweep.axes import Axis
from core.sweep.plan import SweepPlan, SweepSettings
from core.sweep.progress import CallState, SweepRecord, SweepState
from core.sweep.prompt_rows import PromptRows
from tests.core.storage.samples import START, run

ROWS = PromptRows("cities.csv", ("city",), (("Kraków",), ("nul \0 🤖",)))


def record(sweep_id: str = "s", **more: object) -> SweepRecord:
    settings = SweepSettings({"model": "m", "prompt": "{{city}}"}, (Axis("temperature", (0.5, None, NOT_SENT)),), ROWS, repeats=2)
    fields = {"created_at": START, "process": "here", "comparison_id": "c", **more}
    return SweepRecord(sweep_id, SweepPlan(settings), "orq", "Orq", "https://my.orq.ai", **fields)  # type: ignore[arg-type]


@pytest.fixture
def stored(database: Database) -> SweepRepository:
    made = SweepRepository(database)
    made.add(record())
    return made


def found(stored: SweepRepository, sweep_id: str = "s") -> SweepState:
    state = stored.find(sweep_id)
    assert state is not None
    return state


def test_a_sweep_comes_back_with_its_plan_and_every_call_waiting(stored: SweepRepository) -> None:
    state = found(stored)
    assert state.record == record()
    assert state.calls == tuple(CallState(number) for number in range(12))
    assert state.record.plan.body(7)["prompt"] == "nul \0 🤖"
    assert stored.find("nobody") is None


def test_sweeps_of_another_owner_are_not_there_and_cannot_be_changed(stored: SweepRepository, database: Database) -> None:
    other = SweepRepository(database, "somebody else")
    assert (other.find("s"), other.newest()) == (None, ())
    other.set_status("s", "cancelled")
    other.save_calls("s", [CallState(0, "failed")])
    assert not other.claim("s", "there", gone=["here"])
    assert (found(stored).status, found(stored).calls[0].status) == ("running", "waiting")


def test_every_try_is_kept_in_order_and_no_number_of_a_try_twice(stored: SweepRepository) -> None:
    stored.begin("s", [(3, 0, "run-a"), (4, 0, "run-b")])
    stored.begin("s", [(3, 1, "run-c")])
    state = found(stored)
    assert (state.calls[3].runs, state.calls[4].runs) == (("run-a", "run-c"), ("run-b",))
    assert (state.calls[3].status, state.tries) == ("running", 3)
    with pytest.raises(IntegrityError):
        stored.begin("s", [(5, 0, "run-d"), (3, 1, "run-e")])
    assert found(stored).calls[5] == CallState(5), "all of them are begun, or none"


def test_what_became_of_calls_and_of_the_whole_is_kept(stored: SweepRepository) -> None:
    stored.save_calls("s", [CallState(0, "finished", answer_start="Once 🤖"), CallState(1, "failed", answer_start="no")])
    stored.set_status("s", "paused", "The limit is reached.")
    state = found(stored)
    assert [(call.status, call.answer_start) for call in state.calls[:2]] == [("finished", "Once 🤖"), ("failed", "no")]
    assert (state.status, state.record.reason, state.record.ended_at) == ("paused", "The limit is reached.", None)
    stored.set_status("s", "finished")
    assert found(stored).record.ended_at is not None


@pytest.mark.parametrize(
    ("status", "gone", "may"),
    [("running", [], False), ("running", ["here"], True), ("paused", [], True), ("finished", [], True), ("cancelled", ["here"], False)],
)
def test_one_process_at_a_time_drives_a_sweep(stored: SweepRepository, status: str, gone: list[str], may: bool) -> None:
    stored.set_status("s", status)  # type: ignore[arg-type]
    assert stored.claim("s", "there", gone=gone) is may
    assert found(stored).record.process == ("there" if may else "here")
    assert not (may and stored.claim("s", "a third", gone=gone)), "two may not have it"


def test_the_newest_sweeps_come_first_and_those_of_one_comparison_can_be_asked_for(stored: SweepRepository) -> None:
    stored.add(record("later", created_at=START + timedelta(seconds=1), comparison_id=None))
    assert [one.id for one in stored.newest()] == ["later", "s"]
    assert [one.id for one in stored.newest("c")] == ["s"]


def test_the_cost_counts_every_try_and_leaves_refused_ones_out(stored: SweepRepository, database: Database) -> None:
    runs = RunRepository(database, process="here")
    refused = RunError("router_rejected", "429", status=429)
    made = [run(), run(), run(status="failed", error=refused), run(status="interrupted")]
    runs.save(made)
    for one, usd in zip(made[:2], ("0.25", "0.5"), strict=True):
        runs.set_cost(one.id, Decimal(usd), {})
    stored.begin("s", [(0, nth, one.id) for nth, one in enumerate(made)])
    stored.begin("s", [(1, 0, "never stored")])
    cost = stored.cost("s")
    assert (cost.usd, cost.known, cost.unknown, cost.refused) == (Decimal("0.75"), 2, 2, 1)
    assert {*stored.runs_of("s")} == {one.id for one in made}


def test_the_outcome_of_runs_is_their_status_and_how_the_answer_begins_or_why_there_is_none(
    stored: SweepRepository, database: Database
) -> None:
    runs = RunRepository(database, process="here")
    answered = run(text="Once upon a time")
    failed = run(status="failed", text="", choices={}, error=RunError("timed_out", "Nothing came."))
    runs.save([answered, failed])
    assert stored.outcomes([answered.id, failed.id, "nobody"]) == {
        answered.id: ("finished", "Once upon a time"),
        failed.id: ("failed", "Nothing came."),
    }
