"""The runs that the process holds in memory, and those that it brings back from storage."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from core.run import Run, RunSnapshot


class Saving(Protocol):
    """What is still to be saved (``core.write_behind``)."""

    def waits(self, key: str) -> bool:
        """Whether a run has changes that are not saved yet."""

    def give_up(self, key: str) -> None:
        """Do not save a run any more."""


class RunMemory:
    """Runs by id, from any thread. At most ``max_runs`` and ``max_characters`` of them are kept (``Run.weight``): ``evict`` lets ended
    runs go, oldest first; running ones stay, and up to twice the limits those that ``saving`` still waits to save.

    ``find_stored`` looks a run up in storage, which may take its time; ``gone`` is told of each run that went.
    """

    def __init__(
        self,
        max_runs: int,
        max_characters: int,
        *,
        find_stored: Callable[[str], RunSnapshot | None],
        saving: Saving | None,
        gone: Callable[[Run], None],
    ) -> None:
        self.max_runs = max_runs
        self.max_characters = max_characters
        self._find_stored = find_stored
        self._saving = saving
        self._gone = gone
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def get(self, run_id: str) -> Run | None:
        """The run where it is in memory."""
        return self._runs.get(run_id)

    def keep(self, run: Run) -> None:
        """Hold a run from now on."""
        with self._lock:
            self._runs[run.id] = run

    def restore(self, run_id: str) -> Run | None:
        """An ended run from storage, held from now on. None where there is none; one that another process is at is ``elsewhere``."""
        stored = self._find_stored(run_id)
        if stored is None or not stored.ended:
            return None
        with self._lock:
            return self._runs.setdefault(run_id, Run.restored(stored))

    def elsewhere(self, run_id: str) -> RunSnapshot | None:
        """A run that another process is at, as far as it has saved it; None for all others."""
        stored = None if run_id in self._runs else self._find_stored(run_id)
        return None if stored is None or stored.ended else stored

    def evict(self) -> None:
        """Let ended runs go until the rest fits."""
        with self._lock:
            gone = self._let_go()
        for run in gone:
            self._gone(run)

    def _let_go(self) -> list[Run]:
        total, gone = sum(run.weight for run in self._runs.values()), []
        for run in [run for run in self._runs.values() if run.ended]:
            if len(self._runs) <= self.max_runs and total <= self.max_characters:
                break
            if self._saving is not None and self._saving.waits(run.id):
                if len(self._runs) <= 2 * self.max_runs and total <= 2 * self.max_characters:
                    continue
                self._saving.give_up(run.id)
            total -= run.weight
            gone.append(self._runs.pop(run.id))
        return gone
