"""Counts what is asked and answered for identities and threads: in memory at once, in the store a little later and all together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from core.local_router.identities.records import Change, Subject, Usage
from core.local_router.identities.store import PartyStore

INTERVAL_S = 1.0
"""How long a count waits in memory, at most; a process that is killed loses it."""

log = logging.getLogger(__name__)


class Ledger:
    """Takes notes on the loop and writes them in a thread. ``now`` gives seconds since 1970."""

    def __init__(self, store: PartyStore, now: Callable[[], float] = time.time, interval_s: float = INTERVAL_S) -> None:
        self._store = store
        self._now = now
        self._interval_s = interval_s
        self._pending: dict[Subject, Change] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, subject: Subject, usage: Usage, profile: dict[str, Any] | None = None) -> None:
        """Count ``usage`` for the subject, seen now, and keep what came of its profile. Costs microseconds."""
        change = self._pending.setdefault(subject, Change())
        usage.last_seen = self._now()
        change.usage.add(usage)
        change.profile.update(profile or {})
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._due)

    async def store(self) -> PartyStore:
        """The store, with everything noted so far in it."""
        await self._write()
        return self._store

    async def aclose(self) -> None:
        """Write what was noted, and close the store."""
        await self._write()
        await asyncio.to_thread(self._store.close)

    def _due(self) -> None:
        task = asyncio.get_running_loop().create_task(self._write())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self) -> None:
        async with self._writing:
            changes, self._pending = self._pending, {}
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if not changes:
                return
            try:
                await asyncio.to_thread(self._store.write, changes)
            except Exception:  # a full disk must not fail the requests; the counts of this second are lost
                log.exception("the usage of %d identities and threads was not stored", len(changes))
