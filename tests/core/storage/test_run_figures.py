"""Figures over runs: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.contract.response import parse_usage
from core.metrics import Timings
from core.storage.database import Database
from core.storage.run_figures import RunFigures
from core.storage.run_query import RunFilter
from core.storage.run_repository import RunRepository
from tests.core.storage.samples import body, run

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def test_figures_over_time_by_model(database: Database) -> None:
    runs = RunRepository(database)
    made = [run(created_at=NOON + timedelta(minutes=n), timings=Timings(0, 0.1 * n, float(n), None), model="a") for n in range(1, 21)]
    made.append(run(created_at=NOON + timedelta(minutes=30), model="b", status="failed", usage=None, timings=Timings()))
    made.append(run(created_at=NOON + timedelta(hours=1), model="a"))
    runs.save(made)
    runs.set_cost(made[0].id, Decimal("0.000001"), None)
    runs.set_cost(made[1].id, Decimal("0.0000000005"), None)
    first, failed, later = RunFigures(database).over_time(RunFilter(), timedelta(hours=1))
    assert (first.start, first.group, first.runs, first.failed) == (NOON, "a", 20, 0)
    assert (first.prompt_tokens, first.completion_tokens, first.total_tokens) == (80, 100, 180)
    assert (first.cost_usd, first.unknown_cost) == (Decimal("0.0000010005"), 18)
    assert (first.total_s_p50, first.total_s_p95, first.first_token_s_p50) == (10.0, 19.0, 1.0)
    assert (first.first_at, first.last_at) == (NOON + timedelta(minutes=1), NOON + timedelta(minutes=20))
    assert (failed.group, failed.failed, failed.total_tokens, failed.cost_usd, failed.total_s_p50) == ("b", 1, None, None, None)
    assert (later.start, later.group, later.runs) == (NOON + timedelta(hours=1), "a", 1)


def test_latencies_leave_out_runs_that_have_none(database: Database) -> None:
    RunRepository(database).save(
        [run(timings=Timings(0, None, 2.0, None)), run(timings=Timings(0, 0.5, 4.0, None)), run(timings=Timings())]
    )
    total = RunFigures(database).total()
    assert total is not None
    assert (total.runs, total.first_token_s_p50, total.total_s_p50, total.total_s_p95) == (3, 0.5, 2.0, 4.0)


def test_usage_per_thread_counts_runs_of_no_thread_apart(database: Database) -> None:
    asked = body(orq={"thread": {"id": "t"}})
    usage = parse_usage({"total_tokens": 100})
    runs = RunRepository(database)
    runs.save([run(), run(asked=asked), run(asked=asked), replace(run(asked=asked), usage=usage), run()])
    per = RunFigures(database).per("thread")
    assert [(one.group, one.runs, one.total_tokens) for one in per] == [("t", 3, 118), (None, 2, 18)]
    assert [one.runs for one in RunFigures(database).per("thread", RunFilter(threads=("t",)))] == [3]


def test_no_runs_have_no_figures(database: Database) -> None:
    figures = RunFigures(database)
    assert (figures.total(), figures.per("identity"), figures.over_time(RunFilter(), timedelta(days=1))) == (None, (), ())


def test_span_reaches_from_the_oldest_to_the_newest_run_of_a_filter(database: Database) -> None:
    figures = RunFigures(database)
    assert figures.span() is None
    RunRepository(database).save([run(created_at=NOON + timedelta(hours=n), model="a" if n else "b") for n in (3, 0, 1)])
    assert figures.span() == (NOON, NOON + timedelta(hours=3))
    assert figures.span(RunFilter(models=("a",))) == (NOON + timedelta(hours=1), NOON + timedelta(hours=3))


def test_figures_without_latencies_are_otherwise_the_same(database: Database) -> None:
    RunRepository(database).save([run(model="a"), run(model="b"), run(model="b", timings=Timings())])
    figures = RunFigures(database)
    none = dict.fromkeys(("first_token_s_p50", "first_token_s_p95", "total_s_p50", "total_s_p95"))
    expected = tuple(replace(one, **none) for one in figures.per("model_answered"))
    assert figures.per("model_answered", latencies=False) == expected
