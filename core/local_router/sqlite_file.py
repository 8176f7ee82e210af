"""A small SQLite file, or the same in memory: one connection, used by one thread at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

FORMAT = 1
"""What ``PRAGMA user_version`` says of a file with today's tables."""

BUSY_S = 30.0
"""How long a transaction waits for one of another process on the same file."""


class SqliteFile:
    """Opened at first use: ``tables`` (statements that end in ``;``) are made in a new file, and ``fill`` puts the first rows in.

    ``path`` None keeps it in memory. Raises ``RuntimeError`` at first use for a file that a newer version wrote.
    """

    def __init__(self, path: Path | None, tables: str, fill: Callable[[sqlite3.Connection], None] | None = None) -> None:
        self._path = path
        self._tables = tables
        self._fill = fill
        self._turn = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection, in a transaction that is kept when the block ends well and undone when it raises."""
        with self._turn:
            connection = self._connection or self._open()
            self._connection = connection
            with kept_or_undone(connection):
                yield connection

    @contextmanager
    def glance(self) -> Iterator[sqlite3.Connection | None]:
        """The connection for what takes microseconds, without a transaction; None where that would mean to wait, or to open the file."""
        if not self._turn.acquire(blocking=False):
            yield None
            return
        try:
            yield self._connection
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close the file; it is opened again at the next use. What is in memory stays."""
        with self._turn:
            if self._connection is not None and self._path is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        target = ":memory:" if self._path is None else str(self._path)
        connection = sqlite3.connect(target, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA synchronous = NORMAL")
            make_ready(connection, self._tables, self._path, self._fill)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def kept_or_undone(connection: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """A transaction, kept when the block ends well. Undone when it raises or cannot be kept, so that none stays open behind it."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite undoes one by itself where it must, as on a full disk
            connection.execute("ROLLBACK")
        raise


def make_ready(
    connection: sqlite3.Connection, tables: str, path: Path | None, fill: Callable[[sqlite3.Connection], None] | None = None
) -> None:
    """Make the ``tables`` of a new file and let ``fill`` put the first rows in; ``RuntimeError`` for a file that a newer version wrote."""
    connection.execute("PRAGMA journal_mode = WAL")
    with kept_or_undone(connection):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in tables.split(";\n"):
                connection.execute(statement)
            if fill is not None:
                fill(connection)
            connection.execute(f"PRAGMA user_version = {FORMAT}")
    if version not in (0, FORMAT):
        raise RuntimeError(f"{path} was written by a newer version of the playground; update it, or move the file away.")
