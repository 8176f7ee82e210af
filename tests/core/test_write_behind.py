"""Saving behind everybody's back: what is saved when, and what becomes of it while that fails."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from core.errors import StorageUnavailable
from core.write_behind import WriteBehind
from tests.support.conditions import eventually

FULL = StorageUnavailable("The disk is full.", "Free some space.")


class Store:
    """Takes batches, or raises what ``broken`` says."""

    def __init__(self) -> None:
        self.batches: list[dict[str, int]] = []
        self.tries = 0
        self.broken: Exception | None = None
        self.refuses: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()

    def save(self, changed: Mapping[str, int]) -> None:
        self.tries += 1
        self.gate.wait(10)
        if self.broken is not None:
            raise self.broken
        if self.refuses & changed.keys():
            raise TypeError("not storable")
        self.batches.append(dict(changed))

    @property
    def latest(self) -> dict[str, int]:
        return {key: value for batch in self.batches for key, value in batch.items()}


@pytest.fixture
def store() -> Store:
    return Store()


Opener = Callable[..., WriteBehind[int]]


@pytest.fixture
async def opened(store: Store) -> AsyncIterator[Opener]:
    made: list[WriteBehind[int]] = []

    def open_(**settings: object) -> WriteBehind[int]:
        behind: WriteBehind[int] = WriteBehind(store.save, name="test", **settings)  # type: ignore[arg-type]
        behind.open()
        made.append(behind)
        return behind

    yield open_
    store.gate.set()
    await asyncio.gather(*(behind.close() for behind in made))


def test_changes_are_saved_together_and_only_the_latest_of_each(store: Store, opened: Opener) -> None:
    behind = opened(interval_s=0.2)
    for value in range(100):
        behind.note("a", value)
        behind.note("b", -value)
    eventually(lambda: store.batches)
    assert store.batches == [{"a": 99, "b": -99}]
    assert not behind.waits("a")


def test_what_is_noted_at_once_does_not_wait_for_the_interval(store: Store, opened: Opener) -> None:
    behind = opened(interval_s=60)
    behind.note("slow", 1)
    assert behind.waits("slow")
    assert behind.value("slow") == 1
    began = time.monotonic()
    behind.note("end", 2, at_once=True)
    eventually(lambda: store.batches)
    assert time.monotonic() - began < 45
    assert store.latest == {"slow": 1, "end": 2}


def test_changes_during_a_save_wait_for_the_next(store: Store, opened: Opener) -> None:
    store.gate.clear()
    behind = opened()
    behind.note("a", 1, at_once=True)
    eventually(lambda: store.tries)
    behind.note("a", 2, at_once=True)
    assert behind.health.waiting == 1
    store.gate.set()
    eventually(lambda: not behind.waits("a"))
    assert store.batches == [{"a": 1}, {"a": 2}]


def test_nothing_is_lost_while_saving_fails_and_the_cause_is_told(store: Store, opened: Opener) -> None:
    store.broken = FULL
    behind = opened(interval_s=0.01, retries_s=(0.01, 0.02))
    behind.note("a", 1, at_once=True)
    eventually(lambda: store.tries >= 3)
    behind.note("b", 2, at_once=True)
    behind.note("a", 3, at_once=True)
    health = behind.health
    assert not health.ok
    assert (health.cause, health.next_step, health.waiting, health.lost) == (FULL.cause, FULL.next_step, 2, 0)
    store.broken = None
    eventually(lambda: behind.health.ok)
    assert store.latest == {"a": 3, "b": 2}
    assert (behind.health.waiting, behind.health.failing_since) == (0, None)


def test_retries_back_off(store: Store, opened: Opener) -> None:
    store.broken = FULL
    behind = opened(interval_s=0.0, retries_s=(0.0, 60.0))
    behind.note("a", 1, at_once=True)
    eventually(lambda: store.tries == 2)
    behind.note("b", 1, at_once=True)
    assert behind.health.waiting == 2
    assert store.tries == 2, "the second failure waits a minute, whatever is noted"


def test_one_that_cannot_be_stored_does_not_hold_up_the_others(store: Store, opened: Opener, caplog: pytest.LogCaptureFixture) -> None:
    store.refuses = {"odd"}
    behind = opened(interval_s=0.05)
    for key in ("a", "odd", "b"):
        behind.note(key, 1)
    eventually(lambda: not any(behind.waits(key) for key in ("a", "odd", "b")))
    assert store.latest == {"a": 1, "b": 1}
    assert (behind.health.ok, behind.health.lost) == (True, 1)
    assert "a change of odd cannot be saved" in caplog.text


async def test_closing_saves_what_waits(store: Store) -> None:
    behind: WriteBehind[int] = WriteBehind(store.save, name="test", interval_s=60)
    behind.open()
    behind.note("a", 1)
    await behind.close()
    assert store.latest == {"a": 1}


async def test_closing_while_saving_fails_says_what_was_not_saved(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.broken = FULL
    behind: WriteBehind[int] = WriteBehind(store.save, name="test", interval_s=60)
    behind.open()
    behind.note("a", 1)
    await behind.close()
    assert "1 changes were not saved" in caplog.text


def test_what_is_given_up_counts_as_lost(store: Store, opened: Opener) -> None:
    behind = opened(interval_s=60)
    behind.note("a", 1)
    behind.give_up("a")
    behind.give_up("nothing")
    assert (behind.waits("a"), behind.health.lost) == (False, 1)


def test_the_beat_comes_without_any_change(opened: Opener) -> None:
    beats: list[float] = []
    opened(beat=lambda: beats.append(time.monotonic()), beat_s=0.02)
    eventually(lambda: len(beats) >= 3)


def test_what_came_during_a_slow_save_does_not_wait_for_it_and_a_second_more(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("core.write_behind.time.monotonic", lambda: now[0])

    def save(_changed: object) -> None:
        now[0] += 0.75
        saving.note("run", "later")

    saving = WriteBehind[str](save, name="test", interval_s=1.0)
    saving.note("run", "first")
    saving._flush()
    assert saving._due_in_s() == pytest.approx(0.25)
