"""Runs of a JSONL file into the history: one at a time, so that a file may be of any size, and what came of it in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from core.errors import StorageProblem
from core.export.run_files import read_runs
from core.storage.run_record import StoredRun
from core.storage.run_repository import RunRepository

Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """``read`` runs of a file, of which ``added`` were new. ``stopped_by`` is what ended it early, and ``problem`` says how."""

    read: int
    added: int
    stopped_by: Literal["line", "storage"] | None = None
    problem: str = ""

    @property
    def sentence(self) -> str:
        """What came of it, with every number that is not zero."""
        found = f"{_runs(self.added)} imported."
        if self.problem:
            found = f"Stopped before the end; {_runs(self.added)} imported before that. {self.problem}"
        known = self.read - self.added
        return found + (f" {known:,} {'was' if known == 1 else 'were'} here already." if known and not self.problem else "")


def import_runs(file: BinaryIO, runs: RunRepository, told: Told = lambda _read, _added: None) -> ImportReport:
    """Read a file to its end, or to the first line that is no run; those before it are in. Runs that are here already stay as they are.

    ``told`` hears now and then how many were read and how many of them were new. Storage that fails ends it, too: what was added is in,
    and importing the file again adds the rest.
    """
    reading = _Reading(file)
    added = 0

    def note(count: int) -> None:
        nonlocal added
        added = count
        told(reading.count, count)

    try:
        runs.insert(reading.runs(), note)
    except StorageProblem as problem:
        return ImportReport(reading.count, added, "storage", f"{problem.cause} {problem.next_step}")
    return ImportReport(reading.count, added, "line" if reading.problem else None, reading.problem)


class _Reading:
    """How far a file has been read; a line that is no run ends it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.count = 0
        self.problem = ""

    def runs(self) -> Iterator[StoredRun]:
        try:
            for run in read_runs(self._file):
                self.count += 1
                yield run
        except ValueError as problem:
            self.problem = str(problem)


def _runs(count: int) -> str:
    return f"{count:,} run{'' if count == 1 else 's'}"
