"""Who waits for a place: runs in order, and programs that make many calls behind them."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from core.calls.places import CallPlaces, Place, Traffic, Wait, connection_key
from core.connection import Connection
from core.run import Run

LEAST_S: Final = 0.02
"""Clocks and timers differ by a little: a place that is due is not looked for more often than this."""


class CallQueue:
    """Gives places to who waits: foreground runs first, each connection's in order.

    ``launch`` gets a run with its place, ``moved`` one whose position in the queue is another. Loop only, except for ``traffic``.
    """

    def __init__(self, places: CallPlaces, launch: Callable[[Run, Place], None], moved: Callable[[Run], None]) -> None:
        self._places = places
        self._launch = launch
        self._moved = moved
        self._runs: deque[Run] = deque()
        self._wanted: deque[tuple[Connection, asyncio.Future[Place]]] = deque()
        self._again: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._runs)

    def add(self, run: Run) -> None:
        """Let a run wait, or launch it now."""
        self._runs.append(run)
        self.fill()

    def remove(self, run: Run) -> bool:
        """Let a run wait no more; whether it did."""
        if run not in self._runs:
            return False
        self._runs.remove(run)
        return True

    def close(self) -> list[Run]:
        """Nobody waits any more; the runs that did."""
        if self._again is not None:
            self._again.cancel()
        while self._wanted:
            self._wanted.popleft()[1].cancel()
        left = [*self._runs]
        self._runs.clear()
        return left

    async def place(self, connection: Connection) -> Place:
        """A place for a background call, as soon as there is one. CancelledError when the queue is closed meanwhile."""
        future: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        self._wanted.append((connection, future))
        self.fill()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.free(future.result())
            raise

    def places(self, connection: Connection, most: int) -> list[Place]:
        """Up to ``most`` places for background calls that there are right now; none where others wait for one."""
        if any(not future.done() for _, future in self._wanted):
            return []
        return list(itertools.islice(iter(lambda: self._places.take(connection, background=True), None), most))

    def free(self, place: Place) -> None:
        """A place that is not used any more, or was not used at all."""
        self._places.give_back(place)
        self.fill()

    def traffic(self, connection: Connection) -> Traffic:
        """How much goes on at a connection, what waits included."""
        key = connection_key(connection)
        waiting = [*(run.connection for run in list(self._runs)), *(other for other, _ in list(self._wanted))]
        return replace(self._places.traffic(connection), waiting=sum(connection_key(other) == key for other in waiting))

    def fill(self) -> None:
        """Give away the places that there are."""
        full: set[str] = set()
        for run in list(self._runs):
            key = connection_key(run.connection)
            place = None if key in full else self._places.take(run.connection)
            if place is None:
                full.add(key)
            else:
                self._runs.remove(run)
                self._launch(run, place)
        self._fill_background(full)
        self._tell_positions()
        self._fill_later()

    def _fill_background(self, full: set[str]) -> None:
        for wanted in list(self._wanted):
            connection, future = wanted
            key = connection_key(connection)
            place = None if future.done() or key in full else self._places.take(connection, background=True)
            if place is not None:
                future.set_result(place)
            elif not future.done():
                full.add(key)
                continue
            self._wanted.remove(wanted)

    def _tell_positions(self) -> None:
        ahead: Counter[str] = Counter()
        why: dict[str, Wait] = {}
        for run in self._runs:
            key = connection_key(run.connection)
            ahead[key] += 1
            wait = why[key] if key in why else why.setdefault(key, self._places.wait(run.connection))
            if (run.queue_position, run.wait) != (ahead[key], wait):
                run.place_in_queue(ahead[key], wait)
                self._moved(run)

    def _fill_later(self) -> None:
        """Look again when the first place comes by itself: a router asked to be left alone, or was sent less for a while."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        clicks = {connection_key(run.connection): run.connection for run in self._runs}
        due = [seconds for connection in clicks.values() if (seconds := self._places.next_click_s(connection)) is not None]
        due += [seconds for connection, _ in self._wanted if (seconds := self._places.pause_s(connection)) > 0]
        if due:
            self._again = asyncio.get_running_loop().call_later(max(min(due), LEAST_S), self.fill)
