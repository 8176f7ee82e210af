"""The runs of a comparison: those that are there, and those that were deleted since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from core.comparison.board import Board
from core.errors import StorageProblem
from core.run import ENDED, Run, RunSnapshot

DELETED: Final = "deleted"


class RunFinder(Protocol):
    """Where runs are: the hub."""

    def run(self, run_id: str) -> Run | None:
        """The run itself where it is in memory."""
        ...

    def snapshot(self, run_id: str) -> RunSnapshot | None:
        """The run as it is now, from storage where it has left the memory."""
        ...

    def elsewhere(self, run_id: str) -> RunSnapshot | None:
        """A run that another process is at."""
        ...


class RunStatuses(Protocol):
    """What storage knows of many runs at once."""

    def statuses(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Their statuses by id, ``deleted`` for those that somebody deleted; StorageProblem when that cannot be told."""
        ...


@dataclass(frozen=True, slots=True)
class SlotRuns:
    """``found`` are the runs of a slot that are there, in the order they were started; ``missing`` is how many are not (any more).

    ``unread`` tells that storage did not answer, so that the missing ones may well be in it.
    """

    found: tuple[RunSnapshot, ...]
    missing: int = 0
    unread: bool = False

    @property
    def running(self) -> bool:
        """Whether one of them is under way."""
        return any(not run.ended for run in self.found)

    @property
    def sentence(self) -> str:
        """What is missing, in plain words; empty where nothing is."""
        if not self.missing:
            return ""
        count = len(self.found) + self.missing
        which = ("Its run is" if count == 1 else f"All {count} runs are") if not self.found else f"{self.missing} of {count} runs "
        verb = "" if not self.found else "is" if self.missing == 1 else "are"
        why = "storage does not answer now" if self.unread else "deleted in the history, or let go by retention"
        return f"{which}{verb} missing: {why}."


def board_runs(board: Board, hub: RunFinder, stored: RunStatuses) -> tuple[SlotRuns, ...]:
    """The runs of every slot. While storage cannot be read, those in memory."""
    ids = [run for slot in board.slots for run in slot.runs]
    unread = False
    try:
        statuses = stored.statuses(ids) if ids else {}
    except StorageProblem:
        statuses, unread = {}, True
    found = {run_id: run for run_id in ids if (run := _found(run_id, statuses.get(run_id), hub))}
    slots = ([found[run_id] for run_id in slot.runs if run_id in found] for slot in board.slots)
    return tuple(SlotRuns(tuple(there), len(slot.runs) - len(there), unread) for there, slot in zip(slots, board.slots, strict=True))


def _found(run_id: str, status: str | None, hub: RunFinder) -> RunSnapshot | None:
    """The run; None where it was deleted, and where neither memory nor storage has it: asking for it again and again would take long."""
    if status == DELETED or (status is None and hub.run(run_id) is None):
        return None
    return hub.snapshot(run_id) or hub.elsewhere(run_id)


def state(ids: Sequence[str], statuses: Mapping[str, str]) -> str:
    """How the runs of a comparison stand, for a list: ``not run``, ``3 running``, ``finished``, ``6 finished, 1 failed, 1 missing``."""
    if not ids:
        return "not run"
    counted = Counter(
        "missing" if status in (None, DELETED) else status if status in ENDED else "running" for status in map(statuses.get, ids)
    )
    if set(counted) == {"finished"}:
        return "finished"
    order = ("running", "finished", "failed", "stopped", "interrupted", "missing")
    return ", ".join(f"{counted[one]} {one}" for one in order if counted[one])
