"""Retention: off until it is set, told, and applied in time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import StorageUnavailable
from core.retention import DELETED_FOR, OUTCOME, RULE, Outcome, Retention, RetentionRule
from core.storage.run_retention import Falling
from tests.support.conditions import eventually

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Kept(dict[str, Any]):
    """Preferences."""

    def find(self, name: str) -> Any:
        return self.get(name)

    def save(self, name: str, value: Any) -> None:
        self[name] = value


class Runs:
    """Says what it was asked to remove."""

    def __init__(self, removed: int = 0, purged: int = 0) -> None:
        self.removed, self.purged = removed, purged
        self.asked: list[tuple[object, ...]] = []

    def retain(self, *, max_age: timedelta | None = None, max_bytes: int | None = None) -> int:
        self.asked.append((max_age, max_bytes))
        return self.removed

    def purge(self, deleted_before: datetime) -> int:
        self.asked.append((deleted_before,))
        return self.purged

    def falling(self, *, max_age: timedelta | None = None, max_bytes: int | None = None) -> Falling:
        self.asked.append((max_age, max_bytes))
        return Falling(3, 4, 0, 1)


def retention(runs: Runs, kept: Kept | None = None) -> Retention:
    return Retention(Kept() if kept is None else kept, runs, runs, now=lambda: NOON)


def test_new_installation_keeps_every_run_and_only_purges_what_was_deleted() -> None:
    runs = Runs()
    made = retention(runs)
    assert made.rule.off
    assert made.apply() == Outcome(NOON)
    assert runs.asked == [(NOON - DELETED_FOR,)]


def test_rule_that_was_saved_is_applied_and_what_went_is_kept() -> None:
    kept, runs = Kept(), Runs(removed=312, purged=2)
    made = retention(runs, kept)
    made.save(RetentionRule(30, 500))
    assert made.outcome is None
    made.apply()
    assert runs.asked[0] == (timedelta(days=30), 500_000_000)
    assert retention(runs, kept).rule == RetentionRule(30, 500)
    assert retention(runs, kept).outcome == Outcome(NOON, NOON, 312, 2)


def test_last_removal_is_told_also_after_a_time_when_nothing_went() -> None:
    kept, runs = Kept(), Runs(removed=5)
    retention(runs, kept).apply()  # the rule is off: nothing goes
    assert retention(runs, kept).outcome == Outcome(NOON)
    kept[RULE] = RetentionRule(1).to_dict()
    retention(runs, kept).apply()
    runs.removed = 0
    later = Retention(kept, runs, runs, now=lambda: NOON + timedelta(hours=1))
    assert later.apply() == Outcome(NOON + timedelta(hours=1), NOON, 5, 0)


def test_what_would_go_is_asked_and_nothing_is_removed() -> None:
    runs = Runs()
    assert retention(runs).falling(RetentionRule(None, 7)) == Falling(3, 4, 0, 1)
    assert runs.asked == [(None, 7_000_000)]


@pytest.mark.parametrize("kept", [None, 5, [], {}, {"max_age_days": 0, "max_mb": None}, {"max_age_days": "1", "max_mb": 2}])
def test_a_rule_that_cannot_be_read_removes_nothing(kept: object) -> None:
    assert retention(Runs(), Kept({RULE: kept})).rule == RetentionRule()


@pytest.mark.parametrize("kept", [None, 5, {}, {"at": "yesterday", "removed_at": None, "removed": 0, "purged": 0}])
def test_an_outcome_that_cannot_be_read_is_none(kept: object) -> None:
    assert retention(Runs(), Kept({OUTCOME: kept})).outcome is None


@pytest.mark.parametrize(("days", "mb"), [(0, None), (-1, None), (None, 0), (True, None), (36_501, None), (None, 10_000_001)])
def test_limits_outside_their_range_are_refused_with_a_sentence(days: int | None, mb: int | None) -> None:
    with pytest.raises(ValueError, match="must be a whole number from 1"):
        RetentionRule(days, mb)


async def test_it_is_applied_again_and_again_also_when_storage_fails_once() -> None:
    runs, loop, often = Runs(), asyncio.get_running_loop(), asyncio.Event()
    asked: list[datetime] = []

    def purge(before: datetime) -> int:
        asked.append(before)
        if len(asked) == 1:
            raise StorageUnavailable("The disk is full.", "Free some space.")
        if len(asked) == 3:
            loop.call_soon_threadsafe(often.set)
        return 0

    runs.purge = purge  # type: ignore[method-assign]
    task = asyncio.create_task(retention(runs).keep_applying(0.0, 0.001))
    await asyncio.wait_for(often.wait(), 30)
    task.cancel()


def test_it_is_applied_in_a_thread_of_its_own_after_saving() -> None:
    made = retention(Runs(purged=1))
    made.apply_soon()
    eventually(lambda: made.outcome == Outcome(NOON, NOON, 0, 1), what="the rule to be applied")
