"""Lists of a connection's router that pages and pickers look at again and again, kept for a while."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

from core.client.client import RouterClient
from core.connection import Connection
from core.errors import PlaygroundError

T = TypeVar("T")
R = TypeVar("R")
FRESH_S = 60.0
PATIENCE_S = 3.0
MOST_KEPT = 256
"""Lists of so many connections and keys; beyond, the one that was read first goes."""


class Ask(Protocol):
    """Runs ``work`` with a client of the connection; raises what it raises, TimedOut after ``timeout_s`` seconds."""

    def __call__(self, connection: Connection, work: Callable[[RouterClient], Coroutine[Any, Any, R]], timeout_s: float = ...) -> R: ...


class RouterListing(Generic[T]):
    """What ``read`` gets from each connection's router, at most ``fresh_s`` seconds old; who has another key gets a list of their own.

    It is waited for ``patience_s`` seconds.
    """

    def __init__(
        self,
        ask: Ask,
        read: Callable[[RouterClient], Coroutine[Any, Any, tuple[T, ...] | None]],
        *,
        fresh_s: float = FRESH_S,
        patience_s: float = PATIENCE_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._read = read
        self._fresh_s = fresh_s
        self._patience_s = patience_s
        self._now = now
        self._known: dict[str, tuple[float, tuple[T, ...] | PlaygroundError | None]] = {}
        self._forgets = 0

    def of(self, connection: Connection) -> tuple[T, ...] | PlaygroundError | None:
        """The list; None where the router has none, the error where that failed. Both are kept too: a slow router slows one draw."""
        key = _key(connection)
        known = self._known.get(key)
        if known and self._now() - known[0] < self._fresh_s:
            return known[1]
        found: tuple[T, ...] | PlaygroundError | None
        forgets = self._forgets
        try:
            found = self._ask(connection, self._read, self._patience_s)
        except PlaygroundError as error:
            found = error
        if forgets != self._forgets:  # somebody changed what it lists while it was being read
            return found
        self._known.pop(key, None)
        self._known[key] = (self._now(), found)
        for oldest in list(self._known)[:-MOST_KEPT]:
            self._known.pop(oldest, None)
        return found

    def items(self, connection: Connection) -> tuple[T, ...]:
        """The list, empty where there is none."""
        found = self.of(connection)
        return found if isinstance(found, tuple) else ()

    def forget(self, connection: Connection) -> None:
        """Ask the router again next time, also where it is being asked just now."""
        self._forgets += 1
        self._known.pop(_key(connection), None)


def _key(connection: Connection) -> str:
    secret = connection.api_key.get_secret_value() if connection.api_key else ""
    headers = sorted(connection.headers.items())
    return hashlib.sha256(repr((connection.base_url, connection.kind, headers, secret)).encode("utf-8", "replace")).hexdigest()
