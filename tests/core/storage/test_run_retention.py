"""What retention would take is what it takes: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.storage.database import Database
from core.storage.run_query import RunFilter
from core.storage.run_repository import RunRepository
from core.storage.run_retention import Falling, RunRetention
from tests.core.storage.samples import START, run

NOW = START + timedelta(days=10)
DAY = timedelta(days=1)
FILLED = "x" * 50_000


@pytest.fixture
def runs(database: Database) -> RunRepository:
    """Eight runs, one each day, 101 KB each: the oldest is starred, the next deleted, the third still under way."""
    found = RunRepository(database, now=lambda: NOW)
    made = [run(created_at=START + n * DAY, text=FILLED) for n in range(8)]
    found.save([*made[:2], run(created_at=START + 2 * DAY, status="streaming", text=FILLED), *made[3:]])
    found.star([made[0].id])
    found.delete(RunFilter(ids=(made[1].id,)))
    return found


LIMITS: list[dict[str, object]] = [
    {},
    {"max_age": 30 * DAY},
    {"max_age": 5 * DAY},
    {"max_age": timedelta(0)},
    {"max_bytes": 10_000_000},
    {"max_bytes": 450_000},
    {"max_bytes": 1},
    {"max_age": 6 * DAY, "max_bytes": 350_000},
]


@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_what_is_told_before_is_what_goes(database: Database, runs: RunRepository, limits: dict[str, timedelta | int]) -> None:
    told: Callable[[], Falling] = lambda: RunRetention(database, now=lambda: NOW).falling(**limits)  # type: ignore[arg-type]  # noqa: E731
    before = told()
    assert before.runs == runs.retain(**limits)  # type: ignore[arg-type]
    after = told()
    assert (after.runs, after.size_bytes, after.deleted, after.starred) == (0, 0, 0, before.starred)


def test_starred_and_deleted_runs_are_told_apart(database: Database, runs: RunRepository) -> None:
    told = RunRetention(database, now=lambda: NOW).falling(max_age=5 * DAY)
    assert (told.runs, told.deleted, told.starred) == (3, 1, 1)
    assert 300_000 < told.size_bytes < 320_000


def test_age_takes_first_and_size_counts_what_is_left(database: Database, runs: RunRepository) -> None:
    retention = RunRetention(database, now=lambda: NOW)
    assert retention.falling(max_bytes=650_000).runs == 1
    assert retention.falling(max_age=6 * DAY + timedelta(hours=1), max_bytes=650_000).runs == 2


def test_runs_of_other_owners_are_neither_counted_nor_taken(database: Database, runs: RunRepository) -> None:
    assert RunRetention(database, "somebody else", now=lambda: NOW).falling(max_age=DAY, max_bytes=1) == Falling(0, 0, 0, 0)
