"""The hub: one asyncio loop that owns all network I/O of runs.

Scripts start, stop and look; runs go on whatever a browser does. ``start``, ``stop``, ``snapshot`` and ``attach`` may be called from
any thread and return at once. Everything else happens on the loop that ``open`` was called on.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import httpx

from core.calls.limits import MOST_CALLS
from core.calls.places import CallPlaces, Place, Traffic
from core.calls.queue import CallQueue
from core.client.client import RouterClient, encode_body
from core.client.connection_pool import ConnectionPool
from core.connection import Connection
from core.errors import PlaygroundError, RouterRejected
from core.hub.run_memory import RunMemory
from core.hub.switchboard import Switchboard
from core.metrics import Clock
from core.redaction import masked_traceback, redacted_json
from core.router_resources.trace import REQUEST_ID_HEADER, TRACE_S, read_trace
from core.run import Run, RunError, RunSnapshot, RunStatus, error_body
from core.shutdown import on_shutdown_signal
from core.write_behind import StorageHealth, WriteBehind

TOO_MANY: Final = 429
"""The status with which a router says that it is asked too much."""

OnChange = Callable[[Sequence[RunSnapshot]], None]

log = logging.getLogger(__name__)


class Hub:
    """Runs, by id; ``channels`` says which pages show them.

    ``max_concurrent`` upstream calls run at a time, of them ``limit`` at each connection, fewer where its router asks for that; the
    rest wait in order, each connection's for itself. At most ``max_runs`` runs and ``max_characters`` characters
    (text, raw answers and sent bodies together) are kept: ended runs go, oldest first; running ones never do, but one that outgrows
    half of ``max_characters`` fails. ``on_change`` gets snapshots, all that changed together: at a run's start, at most once a second
    while it changes, and at its end, in a thread of its own. While it raises StorageProblem, it is asked again and again, and ended
    runs that it has not taken stay, up to twice the limits (``storage_health``). ``find`` gives runs that are no longer in memory.
    """

    def __init__(
        self,
        *,
        max_concurrent: int = MOST_CALLS,
        limit: Callable[[Connection], int] | None = None,
        max_runs: int = 500,
        max_characters: int = 20_000_000,
        clock: Clock = time.monotonic,
        on_change: OnChange | None = None,
        find: Callable[[str], RunSnapshot | None] = lambda run_id: None,
        beat: Callable[[], None] | None = None,
        client: Callable[[Connection, httpx.AsyncClient], RouterClient] = lambda connection, http: RouterClient(connection, http=http),
    ) -> None:
        self.max_concurrent = max_concurrent
        self.channels = Switchboard(clock, self._soon)
        self._clock = clock
        self._make_client = client
        self._changes: WriteBehind[Run] | None = None
        if on_change is not None:
            take = on_change
            self._changes = WriteBehind(lambda runs: take([run.snapshot(with_raw=False) for run in runs.values()]), name="runs", beat=beat)
        self.memory = RunMemory(max_runs, max_characters, find_stored=find, saving=self._changes, gone=self.channels.evict)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool: ConnectionPool | None = None
        self._forget_signals: Callable[[], None] = lambda: None
        self._places = CallPlaces(limit or (lambda connection: max_concurrent), most=max_concurrent, clock=clock)
        self._taken: dict[str, Place] = {}
        self._queue = CallQueue(self._places, self._launch, lambda run: self.channels.wake(run, at_once=True))
        self._ends: dict[str, asyncio.Future[None]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._tracing: dict[str, asyncio.Task[None]] = {}
        self._ends_as: dict[str, RunStatus] = {}

    async def open(self) -> None:
        """Take the running loop. RuntimeError when already open."""
        if self._loop is not None:
            raise RuntimeError("The hub is already open")
        self._pool = ConnectionPool(self.max_concurrent)
        if self._changes:
            self._changes.open()
        self._loop = loop = asyncio.get_running_loop()
        self.channels.open()
        self._forget_signals = on_shutdown_signal(lambda: loop.call_soon_threadsafe(self.channels.release))

    async def close(self) -> None:
        """End what runs as interrupted, let every reader go, close the connections, deliver the last changes."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        self._forget_signals()
        self.channels.release()
        for run in self._queue.close():
            self._finish(run, "interrupted")
        tasks = dict(self._tasks)
        for run_id, task in tasks.items():
            self._ends_as.setdefault(run_id, "interrupted")
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        tracing = list(self._tracing.values())
        for task in tracing:
            task.cancel()
        await asyncio.gather(*tracing, return_exceptions=True)
        if self._pool:
            await self._pool.close()
        if self._changes:
            await self._changes.close()

    # From any thread

    def start(
        self,
        body: Mapping[str, Any],
        connection: Connection,
        *,
        slot: str = "a",
        channel: str | None = None,
        run_id: str | None = None,
        place: Place | None = None,
        tags: Sequence[str] = (),
    ) -> str:
        """Send ``body`` and return the run's id, which nobody can guess. With a ``channel``, its ``slot`` shows the run from now on.

        The body is copied: what is sent is what it holds now. ``run_id`` is one from ``new_run_id``; with a ``place`` (from ``place``)
        the run waits for nothing; ``tags`` are put on it in the history. Whatever goes wrong afterwards is in the snapshot, not raised
        here; InvalidRequest when ``body`` cannot be written as JSON, HubFull when there are too many channels, RuntimeError when the hub is
        not open: nothing was started then.
        """
        loop = self._loop
        if loop is None:
            raise RuntimeError("The hub is not open")
        sent = encode_body(body)
        run = Run(run_id or new_run_id(), slot, json.loads(sent), sent, connection, self._clock)
        run.tags = tuple(tags)
        if channel is not None:
            self.channels.show(channel, slot, run)
        self.memory.keep(run)
        loop.call_soon_threadsafe(self._admit, run, place)
        return run.id

    def stop(self, run_id: str) -> bool:
        """Cancel a run, which closes its upstream connection; what came stays. ``False`` when there is nothing to stop."""
        run, loop = self.memory.get(run_id), self._loop
        if run is None or run.ended or loop is None:
            return False
        loop.call_soon_threadsafe(self._cancel, run)
        return True

    def snapshot(self, run_id: str) -> RunSnapshot | None:
        """The run as it is now, from storage where it has left the memory; ``None`` when it is nowhere. May wait for storage."""
        run = self.find(run_id)
        return run.snapshot() if run else None

    def find(self, run_id: str) -> Run | None:
        """The run itself, brought back from storage where it has left the memory. Not on the loop: storage may take its time."""
        run = self.memory.get(run_id)
        if run is None:
            run = self.memory.restore(run_id)
            self._soon(self.memory.evict)
        return run

    def elsewhere(self, run_id: str) -> RunSnapshot | None:
        """A run that another process is at, as far as it has saved it; ``None`` for all others. Not on the loop, as ``find``."""
        return self.memory.elsewhere(run_id)

    @property
    def storage_health(self) -> StorageHealth:
        """Whether runs are being saved."""
        return self._changes.health if self._changes else StorageHealth()

    def awaits_trace(self, run_id: str) -> bool:
        """Whether the run has ended and its router is being asked what it did; a second at most."""
        return run_id in self._tracing

    def attach(self, channel: str, slot: str, run_id: str) -> None:
        """Let a channel's slot show a run from its beginning; nothing happens when it already does, or the run is nowhere."""
        run = self.find(run_id)
        if run is not None:
            self.channels.show(channel, slot, run)

    def run(self, run_id: str) -> Run | None:
        """The run itself where it is in memory, for the routes on the loop."""
        return self.memory.get(run_id)

    @property
    def load(self) -> dict[str, int]:
        """How much is going on: runs kept, running and queued, channels."""
        return {"runs": len(self.memory), "running": len(self._tasks), "queued": len(self._queue), "channels": len(self.channels)}

    def traffic(self, connection: Connection) -> Traffic:
        """How much goes on at a connection, what waits included."""
        return self._queue.traffic(connection)

    def limits_changed(self) -> None:
        """Somebody set another limit: who waits may have a place now."""
        self._soon(self._fill)

    def _soon(self, work: Callable[[], None]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(work)

    def _changed(self, run: Run) -> None:
        self.channels.wake(run, at_once=run.status != "streaming" or len(run.log) < 2)
        if self._changes:
            self._changes.note(run.id, run, at_once=run.status != "streaming")

    # Places, on the loop

    async def place(self, connection: Connection) -> Place:
        """A place for a background call, as soon as there is one; ``start`` takes it, or ``free`` gives it back.

        CancelledError when the hub is closed meanwhile. Loop only.
        """
        if self._loop is None:
            raise RuntimeError("The hub is not open")
        return await self._queue.place(connection)

    def places(self, connection: Connection, most: int) -> list[Place]:
        """Up to ``most`` places for background calls that there are right now. Loop only."""
        return self._queue.places(connection, most)

    def free(self, place: Place) -> None:
        """A place that no call was made with. Loop only."""
        self._queue.free(place)

    async def ended(self, run_id: str) -> Run | None:
        """Wait for a run's end; the run, or None where it is not in memory. Loop only."""
        run = self.memory.get(run_id)
        if run is not None and not run.ended:
            await asyncio.shield(self._ends.setdefault(run_id, asyncio.get_running_loop().create_future()))
        return run

    def _fill(self) -> None:
        if self._loop is not None:
            self._queue.fill()

    # Runs, on the loop

    def _admit(self, run: Run, place: Place | None) -> None:
        if self._loop is None:
            self._finish(run, "interrupted")
        elif place is not None:
            self._launch(run, place)
        else:
            self._queue.add(run)
            if run.status == "queued":
                self._changed(run)
        self.memory.evict()

    def _launch(self, run: Run, place: Place) -> None:
        run.leave()
        self._taken[run.id] = place
        self._tasks[run.id] = asyncio.get_running_loop().create_task(self._follow(run), name=f"run {run.id}")
        self._changed(run)

    def _leave_place(self, run: Run, status: RunStatus, error: RunError | None) -> None:
        place = self._taken.pop(run.id)
        if error is not None and (error.status == TOO_MANY or error.retry_after_s is not None):
            self._places.refused(place, error.retry_after_s)
        elif status == "finished":
            self._places.answered(place)
        self._places.give_back(place)

    def _cancel(self, run: Run) -> None:
        task = self._tasks.get(run.id)
        if task is not None:
            self._ends_as.setdefault(run.id, "stopped")
            task.cancel()
        elif self._queue.remove(run):
            self._finish(run, "stopped")
            self._fill()

    async def _follow(self, run: Run) -> None:
        """One run from its request to its end. The border where an unexpected exception becomes a failed run."""
        status: RunStatus = "finished"
        error, raw = None, ""
        try:
            await self._stream(run)
        except asyncio.CancelledError:
            status = self._ends_as.get(run.id, "interrupted")
        except PlaygroundError as problem:
            status, error, raw = "failed", RunError.of(problem), error_body(problem)
            if isinstance(problem, RouterRejected):
                run.refused(problem)
        except Exception as bug:  # noqa: BLE001  # one of the two borders: a fault of ours ends the run, not the hub
            bug_id = secrets.token_hex(4)
            log.error("run %s failed, bug %s\n%s", run.id, bug_id, masked_traceback(bug, run.connection))
            status, error = "failed", RunError.of_bug(bug, bug_id)
        del self._tasks[run.id]
        self._ends_as.pop(run.id, None)
        if self._loop is not None and REQUEST_ID_HEADER in run.headers:
            self._tracing[run.id] = asyncio.get_running_loop().create_task(self._trace(run), name=f"trace of {run.id}")
        self._leave_place(run, status, error)
        self._finish(run, status, error, raw)
        self._fill()
        self.memory.evict()

    async def _stream(self, run: Run) -> None:
        assert self._pool is not None  # noqa: S101  # open() made it, and runs are only admitted after that
        limit = self.memory.max_characters // 2
        async with self._pool.lease(run.connection) as http, self._make_client(run.connection, http).stream(run.body) as reply:
            run.answered(reply)
            async for chunk in reply:
                run.add(chunk)
                self._changed(run)
                if run.log.characters > limit:
                    raise AnswerTooLong(f"The answer grew past {limit:,} characters and was cut off.", "Set max_tokens.")

    async def _trace(self, run: Run) -> None:
        """What the router did, told after the run's end, which waits for nothing. A border, too: no run fails for its trace."""
        assert self._pool is not None  # noqa: S101  # open() made it, and runs are only admitted after that
        try:
            async with self._pool.lease(run.connection) as http:
                client = self._make_client(run.connection, http)
                trace = await read_trace(client, run.headers[REQUEST_ID_HEADER], timeout_s=TRACE_S)
            if trace is not None:
                run.traced(redacted_json(trace, run.connection))
        except Exception as bug:  # noqa: BLE001
            log.error("the trace of run %s was not read\n%s", run.id, masked_traceback(bug, run.connection))
        finally:
            del self._tracing[run.id]
        if run.trace is not None:
            self._changed(run)

    def _finish(self, run: Run, status: RunStatus, error: RunError | None = None, raw: str = "") -> None:
        run.end(status, error, raw)
        self._changed(run)
        waiting = self._ends.pop(run.id, None)
        if waiting is not None:
            waiting.set_result(None)


def new_run_id() -> str:
    """An id for a run that nobody can guess."""
    return secrets.token_urlsafe(12)


class AnswerTooLong(PlaygroundError):
    """One answer outgrew what the process may keep; the text so far is kept."""

    kind = "answer_too_long"
