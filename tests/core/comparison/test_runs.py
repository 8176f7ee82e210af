"""Which runs of a comparison are there, and what is said of those that are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from core.comparison.board import Board, opened
from core.comparison.runs import SlotRuns, board_runs, state
from core.errors import StorageUnavailable
from core.run import Run, RunSnapshot
from tests.core.storage.samples import body, run


class Stored:
    """Runs that have left the memory, and what storage says of them; ``asked`` are the ids that were looked up one by one."""

    def __init__(self, *runs: RunSnapshot, deleted: Sequence[str] = (), broken: bool = False) -> None:
        self.runs = {one.id: one for one in runs}
        self.deleted, self.broken, self.asked = deleted, broken, list[str]()

    def run(self, run_id: str) -> Run | None:
        return None

    def snapshot(self, run_id: str) -> RunSnapshot | None:
        self.asked.append(run_id)
        return self.runs.get(run_id)

    def elsewhere(self, run_id: str) -> RunSnapshot | None:
        return None

    def statuses(self, ids: Sequence[str]) -> Mapping[str, str]:
        if self.broken:
            raise StorageUnavailable("The disk is full.")
        return {one: "deleted" if one in self.deleted else self.runs[one].status for one in ids if one in self.runs}


def board(*runs: tuple[str, ...]) -> Board:
    made = opened([body() for _ in runs], ["" for _ in runs])
    return replace(made, slots=tuple(replace(slot, runs=ids) for slot, ids in zip(made.slots, runs, strict=True)))


def test_deleted_runs_and_those_that_are_nowhere_are_missing_and_are_not_looked_up_one_by_one() -> None:
    one, other, gone = run(), run(), run()
    stored = Stored(one, other, gone, deleted=[gone.id])
    first, second, third = board_runs(board((one.id, "purged", other.id), (gone.id,), ()), stored, stored)
    assert (first, second, third) == (SlotRuns((one, other), 1), SlotRuns((), 1), SlotRuns(()))
    assert stored.asked == [one.id, other.id]


def test_while_storage_cannot_be_read_only_what_is_in_memory_is_there() -> None:
    one = run()
    found = board_runs(board((one.id,)), stored := Stored(one, broken=True), stored)
    assert found == (SlotRuns((), 1, unread=True),)
    assert found[0].sentence == "Its run is missing: storage does not answer now."


@pytest.mark.parametrize(
    ("found", "missing", "said"),
    [
        (2, 0, ""),
        (1, 1, "1 of 2 runs is missing"),
        (1, 2, "2 of 3 runs are missing"),
        (0, 1, "Its run is missing"),
        (0, 2, "All 2 runs are"),
    ],
)
def test_what_is_missing_is_said(found: int, missing: int, said: str) -> None:
    assert SlotRuns(tuple(run() for _ in range(found)), missing).sentence.startswith(said)


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        ([], "not run"),
        (["finished", "finished"], "finished"),
        (["streaming", "queued", "finished"], "2 running, 1 finished"),
        (["finished", "failed", "stopped", "deleted", None], "1 finished, 1 failed, 1 stopped, 2 missing"),
    ],
)
def test_list_says_how_the_runs_stand(statuses: list[str | None], said: str) -> None:
    ids = [f"r{number}" for number in range(len(statuses))]
    assert state(ids, {one: status for one, status in zip(ids, statuses, strict=True) if status}) == said
