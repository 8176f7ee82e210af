"""One thread reads while the other works."""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items (none of them ``None``), the next one made in another thread meanwhile: a database server works while we do.

    Whoever gives up waits for nobody: a thread that reads from a pipe may have to wait for ever. Not for SQLite: it lets go of the
    interpreter at every row, and would wait for us to let go of it as often.
    """
    wanted: SimpleQueue[bool] = SimpleQueue()
    made: SimpleQueue[T | Exception | None] = SimpleQueue()
    Thread(target=_make, args=(items, wanted, made), name="ahead", daemon=True).start()
    wanted.put(True)
    try:
        while (item := made.get()) is not None:
            if isinstance(item, Exception):
                raise item
            wanted.put(True)
            yield item
    finally:
        wanted.put(False)


def _make(items: Iterator[T], wanted: SimpleQueue[bool], made: SimpleQueue[T | Exception | None]) -> None:
    while wanted.get():
        try:
            made.put(next(items, None))
        except Exception as problem:  # noqa: BLE001  # raised again where the item is asked for
            made.put(problem)
