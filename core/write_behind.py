"""Saves what changes, off everybody's way: seldom, together, only the latest of each, and again until it works."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

from core.errors import StorageProblem

INTERVAL_S: Final = 1.0
"""How long a change may wait, and so how much of a stream a killed process loses."""
RETRIES_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""The waits after failures in a row; the last one again and again."""
BEAT_S: Final = 15.0
"""How often ``beat`` is called: well within the time after which other processes take this one for gone (``ProcessRegistry``)."""
CLOSING_S: Final = 10.0
"""How long closing waits for a last save that hangs."""

T = TypeVar("T")
Save = Callable[[Mapping[str, T]], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StorageHealth:
    """Whether what happens is being saved.

    ``failing_since`` is ``None`` while it is; else ``cause`` and ``next_step`` say why not, in a sentence each. ``waiting`` things
    are in memory only; ``lost`` could not be saved at all (a fault of the playground, or no room to keep them).
    """

    failing_since: datetime | None = None
    cause: str = ""
    next_step: str = ""
    waiting: int = 0
    lost: int = 0

    @property
    def ok(self) -> bool:
        """Whether saving works."""
        return self.failing_since is None


class WriteBehind(Generic[T]):
    """Calls ``save`` with what changed, by key, in a thread of its own.

    A change waits at most ``interval_s`` seconds, one noted ``at_once`` not at all, while changes that come during a save wait for
    the next. A StorageProblem keeps everything and tries again after ``retries_s``. Whatever else ``save`` raises is a fault of ours:
    then each is saved alone, and the one at fault is given up, so that it does not hold up the others. ``beat`` is called every
    ``beat_s`` seconds, for what has to be said even when nothing changes.
    """

    def __init__(
        self,
        save: Save[T],
        *,
        name: str,
        interval_s: float = INTERVAL_S,
        retries_s: Sequence[float] = RETRIES_S,
        beat: Callable[[], None] | None = None,
        beat_s: float = BEAT_S,
    ) -> None:
        self._save = save
        self._name = name
        self._interval_s = interval_s
        self._retries_s = retries_s
        self._beat = beat
        self._beat_s = beat_s
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._changed: dict[str, T] = {}
        self._saving: dict[str, T] = {}
        self._urgent = False
        self._closing = False
        self._failures = 0
        self._health = StorageHealth()
        self._flushed_at = self._beaten_at = time.monotonic()

    def open(self) -> None:
        """Start the thread."""
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
        self._thread.start()

    def note(self, key: str, value: T, *, at_once: bool = False) -> None:
        """``value`` is what ``key`` is now; it is looked at when it is saved. Any thread; cheap enough for every token."""
        if not at_once and self._changed.get(key) is value:
            return
        with self._wake:
            self._changed[key] = value
            self._urgent |= at_once
            self._wake.notify()

    def value(self, key: str) -> T | None:
        """What waits to be saved under ``key``."""
        with self._wake:
            found = self._changed.get(key)
            return self._saving.get(key) if found is None else found

    def waits(self, key: str) -> bool:
        """Whether ``key`` has changes that are not saved yet."""
        with self._wake:
            return key in self._changed or key in self._saving

    def give_up(self, key: str) -> None:
        """Do not save ``key`` any more; it counts as lost when it was waiting."""
        with self._wake:
            if self._changed.pop(key, None) is not None or self._saving.pop(key, None) is not None:
                self._lose(1)

    @property
    def health(self) -> StorageHealth:
        """How saving goes."""
        with self._wake:
            waiting = len(self._changed.keys() | self._saving.keys())
            now = self._health
        return StorageHealth(now.failing_since, now.cause, now.next_step, waiting, now.lost)

    async def close(self) -> None:
        """Save what waits, once more where that fails, and end the thread; at most ``CLOSING_S`` seconds."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, CLOSING_S)
            self._thread = None
        if self._changed or self._saving:
            log.error("%s: %d changes were not saved", self._name, len(self._changed.keys() | self._saving.keys()))

    # In the thread

    def _work(self) -> None:
        while self._wait():
            self._flush()
        self._flush()

    def _wait(self) -> bool:
        """Until something is to be saved; whether to go on."""
        while True:
            self._beat_if_due()
            with self._wake:
                if self._closing:
                    return False
                left_s = self._due_in_s()
                if left_s is not None and left_s <= 0:
                    return True
                beat_s = None if self._beat is None else max(self._beaten_at + self._beat_s - time.monotonic(), 0.0)
                waits = [seconds for seconds in (left_s, beat_s) if seconds is not None]
                self._wake.wait(min(waits) if waits else None)

    def _due_in_s(self) -> float | None:
        if not self._changed:
            return None
        if self._failures:
            pause_s = self._retries_s[min(self._failures, len(self._retries_s)) - 1]
        else:
            pause_s = 0.0 if self._urgent else self._interval_s
        return self._flushed_at + pause_s - time.monotonic()

    def _flush(self) -> None:
        with self._wake:
            self._saving, self._changed, self._urgent = self._changed, {}, False
        began = time.monotonic()
        if self._saving:
            self._try(dict(self._saving))
        self._flushed_at = time.monotonic() if self._failures else began  # what came during a slow save has waited for it already

    def _try(self, batch: dict[str, T]) -> None:
        try:
            self._save(batch)
        except StorageProblem as problem:
            self._failed(problem)
        except Exception:
            if len(batch) > 1:
                for key, value in batch.items():
                    self._try({key: value})
                return
            log.exception("%s: a change of %s cannot be saved", self._name, next(iter(batch)))
            self._done(batch)
            self._lose(1)
        else:
            self._done(batch)

    def _done(self, batch: Mapping[str, T]) -> None:
        with self._wake:
            for key in batch:
                self._saving.pop(key, None)
            self._failures = 0
            if not self._health.ok:
                log.warning("%s: saving works again", self._name)
                self._health = StorageHealth(lost=self._health.lost)

    def _failed(self, problem: StorageProblem) -> None:
        with self._wake:
            self._changed = {**self._saving, **self._changed}
            self._saving = {}
            self._failures += 1
            since = self._health.failing_since or datetime.now(UTC)
            if self._health.ok:
                log.warning("%s: saving fails: %s", self._name, problem.cause)
            self._health = StorageHealth(since, problem.cause, problem.next_step, lost=self._health.lost)

    def _lose(self, count: int) -> None:
        now = self._health
        self._health = StorageHealth(now.failing_since, now.cause, now.next_step, lost=now.lost + count)

    def _beat_if_due(self) -> None:
        if self._beat is None or time.monotonic() - self._beaten_at < self._beat_s:
            return
        self._beaten_at = time.monotonic()
        try:
            self._beat()
        except StorageProblem:  # a save will tell
            pass
        except Exception:
            log.exception("%s: the beat failed", self._name)
