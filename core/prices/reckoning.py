"""Runs of unknown cost are reckoned again when a price has become known: in the background, and only those."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from core.errors import StorageProblem
from core.prices.run_cost import RunCost
from core.run import RunSnapshot

CLOSING_S: Final = 10.0
log = logging.getLogger(__name__)


class Costs(Protocol):
    """Where runs of unknown cost are."""

    def unknown(self) -> int:
        """How many there are."""
        ...

    def batch(self, after: int = 0) -> dict[int, RunSnapshot]:
        """Some of them by their keys, behind a key."""
        ...

    def fill(self, costs: Mapping[int, RunCost]) -> int:
        """Store what is known now; how many."""
        ...


@dataclass(frozen=True, slots=True)
class Reckoned:
    """How far it is: ``looked`` at so many of about ``total`` runs, ``filled`` in so many; ``problem`` says why it ended early."""

    total: int = 0
    looked: int = 0
    filled: int = 0
    ended: bool = False
    problem: str = ""


class Reckoning:
    """Goes through the runs of unknown cost in a thread of its own, one pass at a time. A known cost is never touched."""

    def __init__(self, costs: Costs, cost: Callable[[RunSnapshot], RunCost]) -> None:
        self._costs = costs
        self._cost = cost
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._progress: Reckoned | None = None

    @property
    def progress(self) -> Reckoned | None:
        """The pass under way, or the last one; None before the first."""
        return self._progress

    def unknown(self) -> int:
        """How many runs have no known cost; StorageProblem when the database cannot be used."""
        return self._costs.unknown()

    def start(self) -> None:
        """Begin a pass; nothing happens while one is under way."""
        with self._lock:
            if self._progress is not None and not self._progress.ended:
                return
            self._closing = False
            self._progress = Reckoned()
            self._thread = threading.Thread(target=self._work, name="reckoning", daemon=True)
            self._thread.start()

    def forget(self) -> None:
        """Tell no more about the last pass."""
        with self._lock:
            if self._progress is not None and self._progress.ended:
                self._progress = None

    def close(self) -> None:
        """End the pass under way after its batch; what is filled stays. At most ``CLOSING_S`` seconds."""
        self._closing = True
        if self._thread is not None:
            self._thread.join(CLOSING_S)

    def _work(self) -> None:
        progress = Reckoned()
        try:
            progress = self._progress = Reckoned(self._costs.unknown())
            last = 0
            while not self._closing and (batch := self._costs.batch(last)):
                filled = self._costs.fill({pk: self._cost(run) for pk, run in batch.items()})
                last = max(batch)
                looked = progress.looked + len(batch)
                progress = replace(progress, total=max(progress.total, looked), looked=looked, filled=progress.filled + filled)
                self._progress = progress
        except StorageProblem as problem:
            progress = replace(progress, problem=f"{problem.cause} {problem.next_step}".strip())
        except Exception:
            log.exception("costs could not be reckoned")
            progress = replace(progress, problem="This is a fault of the playground; its log says more.")
        self._progress = replace(progress, ended=True)
