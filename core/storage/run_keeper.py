"""What the hub gives its runs to: keeps them in a database, and at the start ends what a killed process left behind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence

from core.errors import StorageProblem, StorageUnavailable
from core.prices.run_cost import RunCost
from core.run import RunSnapshot
from core.storage.database import Database
from core.storage.process_registry import ProcessRegistry
from core.storage.run_repository import LOCAL, RunRepository

log = logging.getLogger(__name__)


class RunKeeper:
    """The hub's side of the database. Where it cannot be reached at the start, the first save that works makes up for it.

    ``cost`` reckons what a run cost that has ended.
    """

    def __init__(
        self,
        database: Database,
        owner: str = LOCAL,
        *,
        registry: ProcessRegistry | None = None,
        cost: Callable[[RunSnapshot], RunCost] | None = None,
    ) -> None:
        self._database = database
        self._cost = cost
        self._registry = registry or ProcessRegistry(database)
        self.runs = RunRepository(database, owner, process=self._registry.id)
        self._begun = False
        self._beginning = threading.Lock()

    def open(self) -> None:
        """Open the database and end what was left running. StorageRefused when it must not be used; when it cannot be, later."""
        try:
            self._begin()
        except StorageUnavailable as problem:
            log.warning("the database cannot be used yet: %s", problem.cause)

    def save(self, snapshots: Sequence[RunSnapshot]) -> None:
        """Store runs as they are now, and what those that ended cost."""
        self._begin()
        cost = self._cost
        self.runs.save(snapshots, {run.id: cost(run) for run in snapshots if run.ended} if cost else None)

    def find(self, run_id: str) -> RunSnapshot | None:
        """A stored run; ``None`` also while the database cannot be used."""
        try:
            stored = self.runs.find(run_id)
        except StorageProblem as problem:
            log.warning("run %s cannot be looked up: %s", run_id[:40], problem.cause)
            return None
        return stored.snapshot if stored else None

    def beat(self) -> None:
        """Tell other processes that this one is there, and end what those left behind that are not."""
        if self._begun:
            self._registry.beat()
            self._recover()

    @property
    def process(self) -> str:
        """This process's id among those that write to the database."""
        return self._registry.id

    def gone(self, processes: Iterable[str]) -> frozenset[str]:
        """Those of ``processes`` that are no more."""
        return self._registry.gone(processes)

    def _begin(self) -> None:
        with self._beginning:
            if not self._begun:
                self._database.open()
                self._registry.beat()
                self._recover()
                self._begun = True

    def _recover(self) -> None:
        gone = self._registry.gone(self.runs.running_processes())
        found = self.runs.interrupt(gone) if gone else 0
        if found:
            log.warning("%d runs that another process left behind are kept as interrupted", found)
        self._registry.forget(gone)
