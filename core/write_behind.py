"""Tells storage about runs as they change: seldom, in order, and never in a stream's way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from core.run import Run, RunSnapshot

OnChange = Callable[[RunSnapshot], None]
INTERVAL_S: Final = 1.0

log = logging.getLogger(__name__)


class WriteBehind:
    """Calls ``on_change`` at a run's first change, at most once in ``INTERVAL_S`` after that, and at its end.

    The calls happen one after the other in one thread, so a slow or failing store delays only itself.
    """

    def __init__(self, on_change: OnChange) -> None:
        self._on_change = on_change
        self._thread: ThreadPoolExecutor | None = None
        self._timers: dict[str, asyncio.TimerHandle | None] = {}
        self._dirty: set[str] = set()

    def open(self) -> None:
        """Start the thread."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="write-behind")

    def note(self, run: Run) -> None:
        """The run changed. Loop only; cheap enough for every token."""
        if run.ended:
            timer = self._timers.pop(run.id, None)
            if timer is not None:
                timer.cancel()
            self._dirty.discard(run.id)
            self._deliver(run)
        elif run.id in self._timers:
            self._dirty.add(run.id)
        else:
            self._deliver(run)
            self._wait(run)

    def _wait(self, run: Run) -> None:
        self._timers[run.id] = asyncio.get_running_loop().call_later(INTERVAL_S, self._due, run)

    def _due(self, run: Run) -> None:
        if run.id in self._dirty:
            self._dirty.discard(run.id)
            self._deliver(run)
            self._wait(run)
        else:
            del self._timers[run.id]

    def _deliver(self, run: Run) -> None:
        if self._thread is not None:
            self._thread.submit(self._call, run.snapshot())

    def _call(self, snapshot: RunSnapshot) -> None:
        try:
            self._on_change(snapshot)
        except Exception:
            log.exception("a change of run %s was not stored", snapshot.id)

    async def close(self) -> None:
        """Wait until everything noted was delivered."""
        for timer in self._timers.values():
            if timer is not None:
                timer.cancel()
        self._timers.clear()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.shutdown)
            self._thread = None
