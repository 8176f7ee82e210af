"""How long a call of a model takes, by the runs that were made."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from statistics import median
from typing import Final, Protocol

from core.errors import StorageProblem
from core.metrics import Clock
from core.storage.run_query import RunFilter, RunOrder, RunPage

RUNS: Final = 15
"""The newest so many runs that finished are asked."""
FRESH_S: Final = 10.0
UNKNOWN_S: Final = 1.0
"""How soon it is looked whether there are runs now; the first ones may just be ending."""
REMEMBERED: Final = 500


class Runs(Protocol):
    """Where runs are found."""

    def page(self, which: RunFilter | None = None, order: RunOrder | None = None, *, after: str | None = None, limit: int = 50) -> RunPage:
        """The newest runs of a filter."""
        ...


class CallTimes:
    """Medians by connection and model, looked up again after ``FRESH_S``, what is not known sooner. Any thread; may wait for storage."""

    def __init__(self, runs: Runs, clock: Clock = time.monotonic) -> None:
        self._runs = runs
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], tuple[float, float | None]] = OrderedDict()

    def seconds(self, connection_name: str, model: str) -> float | None:
        """The median of the newest finished runs, from being sent to their end; None where there are none, or storage does not tell."""
        key, now = (connection_name, model), self._clock()
        with self._lock:
            known = self._known.get(key)
        if known is not None and now - known[0] < (UNKNOWN_S if known[1] is None else FRESH_S):
            return known[1]
        found = self._look_up(connection_name, model)
        with self._lock:
            self._known[key] = (now, found)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _look_up(self, connection_name: str, model: str) -> float | None:
        try:
            page = self._runs.page(RunFilter(models=(model,), connections=(connection_name,), statuses=("finished",)), limit=RUNS)
        except StorageProblem:
            return None
        taken = [row.total_s - (row.queued_s or 0.0) for row in page.rows if row.total_s is not None and row.model_asked == model]
        return median(taken) if taken else None
