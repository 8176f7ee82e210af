"""How many calls each connection takes at once, as somebody set it: kept in storage, at hand in memory."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any, Final

from core.connection import Connection
from core.errors import StorageProblem
from core.prices.book import Preferences

NAME: Final = "calls_at_once"
MOST_CALLS: Final = 64
FIRST_LIMITS: Final = {"local": MOST_CALLS, "orq": 16, "openai": 16}
"""By kind of server: our own router takes as many as the process can follow; others limit each key's calls."""


class CallLimits:
    """Read once by ``load``, then held; any thread may use it. Before, and without storage, the first limits count."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences
        self._lock = threading.Lock()
        self._limits: dict[str, int] | None = None

    def load(self) -> None:
        """Read what was set, unless it is known. Waits for storage; where that cannot be read, the next call tries again."""
        with self._lock:
            if self._limits is None:
                with suppress(StorageProblem):
                    self._limits = self._kept()

    def _kept(self) -> dict[str, int]:
        kept = self._preferences.find(NAME)
        return {place: value for place, value in kept.items() if _is_limit(value)} if isinstance(kept, dict) else {}

    def limit(self, connection: Connection) -> int:
        """Calls at once, from 1 to ``MOST_CALLS``. Never waits."""
        return (self._limits or {}).get(_place(connection), FIRST_LIMITS[connection.kind])

    def set(self, connection: Connection, limit: int) -> None:
        """Keep another limit. ValueError when it is none; StorageProblem when it cannot be kept (then nothing changes)."""
        if not _is_limit(limit):
            raise ValueError(f"Calls at once must be a whole number from 1 to {MOST_CALLS}.")
        with self._lock:
            changed = {**self._kept(), _place(connection): limit}  # read anew: another process may have set some
            self._preferences.save(NAME, changed)
            self._limits = changed


def _place(connection: Connection) -> str:
    """The embedded router has another port after every start."""
    return "local" if connection.kind == "local" else connection.base_url


def _is_limit(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_CALLS
