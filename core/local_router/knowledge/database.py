"""The SQLite file under a knowledge store: its tables, and connections that many threads can use at once.

On disk (write-ahead log) readers see the last commit and wait for nobody; writers take turns at one lock, so that none is told
"database is locked" by another. In memory there is one connection, and everybody takes turns at it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Full, LifoQueue

from core.local_router.sqlite_file import BUSY_S, kept_or_undone, make_ready

_IDLE_CONNECTIONS = 8

_TABLES = """
CREATE TABLE bases (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE, description TEXT NOT NULL,
    created INTEGER NOT NULL, settings TEXT NOT NULL, built_from TEXT, revision INTEGER NOT NULL DEFAULT 0);
CREATE TABLE documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, base INTEGER NOT NULL, name TEXT NOT NULL,
    characters INTEGER NOT NULL, chunks INTEGER NOT NULL, created INTEGER NOT NULL, metadata TEXT NOT NULL);
CREATE INDEX documents_of_base ON documents(base, number);
CREATE TABLE chunks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, base INTEGER NOT NULL, document INTEGER NOT NULL,
    position INTEGER NOT NULL, text TEXT NOT NULL, metadata TEXT NOT NULL, enabled INTEGER NOT NULL DEFAULT 1);
CREATE INDEX chunks_of_base ON chunks(base, number, enabled);
CREATE INDEX chunks_of_document ON chunks(document, number);
CREATE TABLE fields (number INTEGER PRIMARY KEY, base INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (base, name));
CREATE TABLE field_values (
    field INTEGER NOT NULL, kind INTEGER NOT NULL, value NOT NULL, chunk INTEGER NOT NULL,
    PRIMARY KEY (field, kind, value, chunk)) WITHOUT ROWID;
CREATE TABLE vectors (chunk INTEGER PRIMARY KEY, model TEXT NOT NULL, vector BLOB NOT NULL);
"""


class Database:
    """Connections to one file (or to memory, with ``path`` None); made at first use, closed by `close`."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._writing = threading.Lock()
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue(_IDLE_CONNECTIONS)
        self._opening = threading.Lock()
        self._ready = False
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection whose queries all see one state of the data. Not to be nested, and not to be held while waiting."""
        with self._borrowed() as connection, kept_or_undone(connection, "BEGIN"):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction that is kept when the block ends well and undone when it raises. One writer at a time."""
        with self._writing, self._borrowed() as connection, kept_or_undone(connection):
            yield connection

    def close(self) -> None:
        """Close what is idle now and what is in use when it comes back."""
        self._closed = True
        while self._path is not None:  # the one in memory goes with this object: somebody may be waiting for it
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        connection = self._take()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _take(self) -> sqlite3.Connection:
        with self._opening:
            if self._closed:
                raise RuntimeError("The knowledge store is closed.")
            if not self._ready:
                self._idle.put(self._first())
                self._ready = True
        if self._path is None:
            return self._idle.get()  # the only one there is
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._connect()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if self._closed and self._path is not None:
            connection.close()
            return
        try:
            self._idle.put_nowait(connection)
        except Full:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        target = ":memory:" if self._path is None else str(self._path)
        connection = sqlite3.connect(target, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -65536")  # 64 MB of pages at most
        return connection

    def _first(self) -> sqlite3.Connection:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = self._connect()
        try:
            make_ready(connection, _TABLES, self._path)
        except BaseException:
            connection.close()
            raise
        return connection
