"""The sweeps of one process: started, watched, paused, resumed; and those that another process, or one before, left behind."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from core.connection import Connection
from core.errors import PlaygroundError
from core.hub.hub import Hub
from core.storage.run_record import RunRow
from core.storage.sweep_repository import SweepCost, SweepRepository
from core.sweep.drive import SweepDrive
from core.sweep.plan import SweepPlan, SweepSettings
from core.sweep.progress import RESTARTED, TO_DO, UNSUCCESSFUL, SweepRecord, SweepState, settled

log = logging.getLogger(__name__)


class SweepRefused(PlaygroundError):
    """A sweep that cannot be started, or cannot go on, as it was asked."""

    kind = "sweep_refused"


class Sweeps:
    """``process`` is this one's id, ``gone`` tells which of others are no more (``ProcessRegistry``). Any thread may call; StorageProblem
    from everything that reads or writes."""

    def __init__(self, hub: Hub, repository: SweepRepository, *, process: str, gone: Callable[[Iterable[str]], frozenset[str]]) -> None:
        self._hub = hub
        self._repository = repository
        self._process = process
        self._gone = gone
        self._loop: asyncio.AbstractEventLoop | None = None
        self._live: dict[str, SweepDrive] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._resuming = threading.Lock()

    def open(self) -> None:
        """Take the running loop, the hub's."""
        self._loop = asyncio.get_running_loop()

    def stop_sending(self) -> None:
        """Let every sweep pause, before the hub ends what is under way."""
        for drive in list(self._live.values()):
            drive.pause(RESTARTED)

    async def close(self) -> None:
        """Wait until the sweeps have written how far they are; after the hub has closed."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._loop = None

    # Doing

    def start(self, settings: SweepSettings, connection: Connection, *, comparison_id: str | None = None) -> str:
        """Store a sweep and begin it; its id. SweepRefused when the plan has problems."""
        plan = SweepPlan(settings)
        if plan.problems:
            raise SweepRefused(plan.problems[0], "Change the sweep and start it again.")
        record = SweepRecord(
            id=secrets.token_urlsafe(9),
            plan=plan,
            connection_kind=connection.kind,
            connection_name=connection.name,
            base_url=connection.base_url,
            created_at=datetime.now(UTC),
            process=self._process,
            comparison_id=comparison_id,
        )
        self._repository.add(record)
        found = self._repository.find(record.id)
        assert found is not None  # noqa: S101  # it was just added
        self._drive(found, connection)
        return record.id

    def resume(self, sweep_id: str, connection: Connection, *, most_calls: int | None = None, again: bool = False) -> None:
        """Go on with a paused sweep, with another limit where ``most_calls`` is given; ``again`` sends failed and stopped calls, too.

        SweepRefused when the connection is another one than it was begun with, or another process drives it.
        """
        with self._resuming:  # two tabs may press at once, and the first must be driving before the second looks
            self._resume(sweep_id, connection, most_calls=most_calls, again=again)

    def pause(self, sweep_id: str) -> None:
        """Send nothing new; what is under way goes on to its end."""
        if live := self._live.get(sweep_id):
            live.pause()

    def cancel(self, sweep_id: str) -> None:
        """End a sweep for good: what is under way is stopped, the rest is not sent."""
        live, state = self._live.get(sweep_id), None
        if live is not None:
            live.cancel()
        else:
            state = self.state(sweep_id)
        if state is not None and state.status == "paused":
            self._repository.save_calls(sweep_id, state.calls)
            self._repository.set_status(sweep_id, "cancelled")

    # Looking

    def state(self, sweep_id: str) -> SweepState | None:
        """How a sweep is now; ``None`` when there is none of this id. One that nobody drives any more is paused."""
        live = self._live.get(sweep_id)
        if live is not None:
            return live.state()
        stored = self._repository.find(sweep_id)
        if stored is None or stored.status != "running":
            return stored
        process = stored.record.process
        if process is not None and process != self._process and not self._gone([process]):
            return replace(stored, elsewhere=True)
        running = [call.runs[-1] for call in stored.calls if call.status == "running" and call.runs]
        calls = settled(stored.calls, self._repository.outcomes(running))
        return SweepState(replace(stored.record, status="paused", reason=RESTARTED), calls)

    def newest(self, comparison_id: str | None = None) -> tuple[SweepRecord, ...]:
        """The newest sweeps, of one comparison where it is given."""
        return self._repository.newest(comparison_id)

    def cost(self, sweep_id: str) -> SweepCost:
        """What every try cost so far."""
        return self._repository.cost(sweep_id)

    def runs_of(self, sweep_id: str) -> dict[str, RunRow]:
        """The runs of every try as lists have them, by id, as far as they are stored."""
        return self._repository.runs_of(sweep_id)

    # Driving

    def _resume(self, sweep_id: str, connection: Connection, *, most_calls: int | None, again: bool) -> None:
        live = self._live.get(sweep_id)
        if live is not None and live.state().status == "pausing":
            live.resume()
            return
        if live is not None and not live.state().active:
            live = self._written(sweep_id)
        state = self.state(sweep_id)
        if state is None or live is not None:
            return
        self._check_connection(state.record, connection)
        before = self._repository.find(sweep_id)
        owner = before.record.process if before else None
        if not self._repository.claim(sweep_id, self._process, gone=[*self._gone([owner])] if owner else []):
            raise SweepRefused("Another process is at this sweep.", "Wait for it to be paused or to end.")
        if most_calls is not None:
            plan = state.record.plan.with_limit(most_calls)
            self._repository.set_settings(sweep_id, plan.settings)
            state = SweepState(replace(state.record, plan=plan), state.calls)
        wanted = {*TO_DO, *(UNSUCCESSFUL if again else ())}
        calls = tuple(replace(call, status="waiting") if call.status in wanted else call for call in state.calls)
        self._repository.save_calls(sweep_id, calls)
        self._drive(SweepState(state.record, calls), connection)

    def _check_connection(self, record: SweepRecord, connection: Connection) -> None:
        same = connection.kind == record.connection_kind and record.base_url in (connection.base_url, *_any_port(connection, record))
        if not same:
            raise SweepRefused(
                f"This sweep was begun at {record.connection_name} ({record.base_url}); another connection is chosen now.",
                "Choose that one on the Connections page, so that all of its answers come from one place.",
            )

    def _drive(self, state: SweepState, connection: Connection) -> None:
        loop = self._loop
        if loop is None:
            raise RuntimeError("The sweeps are not open")
        asyncio.run_coroutine_threadsafe(self._begin(state, connection), loop).result(10)

    def _written(self, sweep_id: str) -> SweepDrive | None:
        """Wait until the end of a sweep is written; None once it is."""

        async def ended() -> None:
            if task := self._tasks.get(sweep_id):
                await asyncio.wait([task])

        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(ended(), self._loop).result(10)
        return self._live.get(sweep_id)

    async def _begin(self, state: SweepState, connection: Connection) -> None:
        drive = SweepDrive(state, connection, self._hub, self._repository)
        self._live[state.record.id] = drive
        task = asyncio.get_running_loop().create_task(self._run(state.record.id, drive), name=f"sweep {state.record.id}")
        self._tasks[state.record.id] = task

    async def _run(self, sweep_id: str, drive: SweepDrive) -> None:
        """The border where a fault of ours ends one sweep, which is then found as left behind, and nothing else."""
        try:
            await drive.run()
        except Exception:
            log.exception("sweep %s broke off", sweep_id)
        finally:
            del self._live[sweep_id], self._tasks[sweep_id]


def _any_port(connection: Connection, record: SweepRecord) -> tuple[str, ...]:
    """The embedded router has another port after every start."""
    return (record.base_url,) if connection.kind == "local" else ()
