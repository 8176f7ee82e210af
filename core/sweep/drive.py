"""Drives one sweep: sends its calls as places become free, writes each run's id down before it is sent, and tries again after 429."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import replace
from typing import Final

from core.calls.places import Place
from core.connection import Connection
from core.errors import PlaygroundError, StorageProblem
from core.hub.hub import TOO_MANY, Hub, new_run_id
from core.run import Run, RunError
from core.storage.sweep_repository import SweepRepository
from core.sweep.progress import ANSWER_START, RESTARTED, TO_DO, CallState, SweepState, SweepStatus

SLOT: Final = "sweep"
"""The slot that runs of sweeps have in the history."""
SAVE_S: Final = 0.5
"""How long what became of calls may wait to be written; a killed process finds it in the runs themselves."""

log = logging.getLogger(__name__)


class SweepDrive:
    """One sweep under way. Built and run on the hub's loop; ``state``, ``pause``, ``resume`` and ``cancel`` from any thread."""

    def __init__(self, state: SweepState, connection: Connection, hub: Hub, repository: SweepRepository) -> None:
        self._record = replace(state.record, status="running", reason="")
        self._settings = state.record.plan.settings
        self._calls = list(state.calls)
        self._waiting = deque(call.number for call in state.calls if call.status in TO_DO)
        self._tries = state.tries
        self._connection = connection
        self._hub = hub
        self._repository = repository
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._stop: SweepStatus | None = None
        self._reason = ""
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._unsaved: dict[int, CallState] = {}
        self._to_save = asyncio.Event()

    # From any thread

    def state(self) -> SweepState:
        """The sweep as it is now."""
        status: SweepStatus = "pausing" if self._stop == "paused" else self._stop or "running"
        return SweepState(replace(self._record, status=status, reason=self._reason), tuple(self._calls))

    def pause(self, reason: str = "") -> None:
        """Send nothing new."""
        self._stop, self._reason = self._stop or "paused", reason
        self._loop.call_soon_threadsafe(self._wake.set)

    def resume(self) -> None:
        """Go on after ``pause``, where that has not taken effect yet."""
        if self._stop == "paused":
            self._stop, self._reason = None, ""
        self._loop.call_soon_threadsafe(self._wake.set)

    def cancel(self) -> None:
        """Send nothing new, and stop what is under way."""
        self._stop = "cancelled"
        for call in list(self._calls):
            if call.status == "running":
                self._hub.stop(call.runs[-1])
        self._loop.call_soon_threadsafe(self._wake.set)

    # On the loop

    async def run(self) -> None:
        """Until nothing is left to do, or it is paused or cancelled. Never raises StorageProblem: then it pauses."""
        saving = self._loop.create_task(self._keep_saving())
        try:
            await self._send_calls()
        finally:
            saving.cancel()
            await asyncio.gather(saving, return_exceptions=True)
        await self._save_end()

    async def _send_calls(self) -> None:
        wanted: asyncio.Task[Place] | None = None
        while True:
            self._wake.clear()
            if wanted is None and self._room():
                wanted = self._loop.create_task(self._hub.place(self._connection))
            elif wanted is not None and not self._room():
                await self._give_up(wanted)
                wanted = None
            if wanted is None and not self._under_way:
                return
            waking = self._loop.create_task(self._wake.wait())
            await asyncio.wait([waking, *([wanted] if wanted else [])], return_when=asyncio.FIRST_COMPLETED)
            waking.cancel()
            if wanted is not None and wanted.done():
                await self._granted(wanted)
                wanted = None

    async def _granted(self, wanted: asyncio.Task[Place]) -> None:
        """Send as many calls as there are places, or none where it was stopped meanwhile, or the hub has closed."""
        if wanted.cancelled() or wanted.exception() is not None:
            self.pause(RESTARTED)
            return
        if not self._room():
            self._hub.free(wanted.result())
            return
        await self._send([wanted.result(), *self._hub.places(self._connection, self._room() - 1)])

    async def _give_up(self, wanted: asyncio.Task[Place]) -> None:
        wanted.cancel()
        await asyncio.wait([wanted])
        if not wanted.cancelled() and wanted.exception() is None:
            self._hub.free(wanted.result())

    def _room(self) -> int:
        """How many calls may be sent more now."""
        if self._stop is not None:
            return 0
        settings = self._settings
        return max(0, min(len(self._waiting), settings.at_once - len(self._under_way), settings.most_calls - self._tries))

    async def _send(self, places: list[Place]) -> None:
        numbers = [self._waiting.popleft() for _ in places]
        before = [self._calls[number] for number in numbers]
        after = [replace(call, status="running", runs=(*call.runs, new_run_id()), answer_start="") for call in before]
        try:
            tries = [(call.number, len(call.runs) - 1, call.runs[-1]) for call in after]
            await asyncio.to_thread(self._repository.begin, self._record.id, tries)
        except StorageProblem as problem:
            self._waiting.extendleft(reversed(numbers))
            for place in places:
                self._hub.free(place)
            self.pause(f"{problem.cause} {problem.next_step}".strip())
            return
        self._tries += len(after)
        for call, place in zip(after, places, strict=True):
            self._calls[call.number] = call
            self._unsaved.pop(call.number, None)
            self._start(call, place)

    def _start(self, call: CallState, place: Place) -> None:
        if self._stop == "cancelled":  # while its id was written down
            self._hub.free(place)
            self._note(replace(call, status="stopped"))
            return
        try:
            body = self._record.plan.body(call.number)
            self._hub.start(body, self._connection, slot=SLOT, run_id=call.runs[-1], place=place, tags=(self._record.tag,))
        except PlaygroundError as refused:
            self._hub.free(place)
            self._note(replace(call, status="failed", answer_start=refused.cause[:ANSWER_START]))
        except RuntimeError:  # the hub has closed
            self._note(replace(call, status="interrupted"))
            self.pause(RESTARTED)
        else:
            self._under_way[call.number] = self._loop.create_task(self._follow(call))

    async def _follow(self, call: CallState) -> None:
        run = await self._hub.ended(call.runs[-1])
        del self._under_way[call.number]
        after = self._after(call, run)
        if after.status == "waiting":
            self._waiting.appendleft(call.number)
        self._note(after)
        self._wake.set()

    def _after(self, call: CallState, run: Run | None) -> CallState:
        if run is None:
            return replace(call, status="interrupted")
        error, text = run.error, run.log.texts()
        start = (text[min(text)] if text else error.cause if error else "")[:ANSWER_START]
        if error is not None and _passes(error) and len(call.runs) < self._settings.tries:
            return replace(call, status="waiting", answer_start=start)
        match run.status:
            case "finished" | "failed" | "stopped":
                return replace(call, status=run.status, answer_start=start)
            case _:
                return replace(call, status="interrupted", answer_start=start)

    def _note(self, call: CallState) -> None:
        self._calls[call.number] = call
        self._unsaved[call.number] = call
        self._to_save.set()

    # Storage

    async def _keep_saving(self) -> None:
        while True:
            await self._to_save.wait()
            await asyncio.sleep(SAVE_S)
            self._to_save.clear()
            try:
                await self._save()
            except StorageProblem as problem:
                log.warning("sweep %s is not saved: %s", self._record.id, problem.cause)
                self._to_save.set()

    async def _save(self) -> None:
        unsaved, self._unsaved = self._unsaved, {}
        try:
            await asyncio.to_thread(self._repository.save_calls, self._record.id, list(unsaved.values()))
        except BaseException:
            self._unsaved = {**unsaved, **self._unsaved}
            raise

    async def _save_end(self) -> None:
        status, reason = self._end()
        self._stop, self._reason = status, reason
        try:
            await self._save()
            await asyncio.to_thread(self._repository.set_status, self._record.id, status, reason)
        except StorageProblem as problem:  # it is found as left behind, and paused, when somebody looks
            log.warning("the end of sweep %s is not saved: %s", self._record.id, problem.cause)

    def _end(self) -> tuple[SweepStatus, str]:
        if self._stop is not None:
            return self._stop, self._reason
        if self._waiting:
            limit = self._settings.most_calls
            return "paused", f"The limit of {limit:,} calls is reached, tries after 429 counted. Raise it to go on."
        return "finished", ""


def _passes(error: RunError) -> bool:
    """Whether the router says that it only wants to be asked later: 429, or a fault of its own (5xx) with ``Retry-After``."""
    return error.status == TOO_MANY or (error.retry_after_s is not None and (error.status or 0) >= 500)
