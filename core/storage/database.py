"""The database: one engine for one process, brought to the newest schema when it is opened."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from psycopg.pq import Format
from pydantic import SecretStr
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

from core.errors import StorageUnavailable
from core.storage import migration
from core.storage.failure import as_storage_problem

FILE_NAME: Final = "playground.db"
BUSY_TIMEOUT_MS: Final = 3_000
"""How long a statement waits for another program's lock before it fails; the writer then tries again later."""
STATEMENT_TIMEOUT_MS: Final = 30_000
CONNECT_TIMEOUT_S: Final = 5


class Database:
    """Transactions on one database. Any thread may use it; making one does nothing, the first use opens it.

    StorageUnavailable from every method when the database cannot be reached, is locked or full (later it may work);
    StorageRefused when its schema is newer than this program.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine: Engine | None = None
        self._opening = threading.Lock()

    @classmethod
    def of(cls, data_dir: Path, database_url: SecretStr | None) -> Database:
        """The database of ``database_url`` (``postgres://…`` or ``postgresql://…``), or the SQLite file in ``data_dir``."""
        if database_url is None:
            return cls(URL.create("sqlite", database=str(data_dir / FILE_NAME)))
        return cls(make_url(database_url.get_secret_value()).set(drivername="postgresql+psycopg"))

    def __repr__(self) -> str:
        return f"Database({self.dialect})"

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._url.get_backend_name()

    @property
    def path(self) -> Path | None:
        """The SQLite file; ``None`` for PostgreSQL."""
        return Path(self._url.database or "") if self.dialect == "sqlite" else None

    @property
    def place(self) -> str:
        """The SQLite file's name, or PostgreSQL's ``host:port/database``; never a user or a password."""
        if self.path is not None:
            return self.path.name
        port = f":{self._url.port}" if self._url.port else ""
        return f"{self._url.host or 'local socket'}{port}/{self._url.database or ''}"

    def open(self) -> None:
        """Connect and bring the schema up to date, once; later calls do nothing."""
        with self._opening:
            if self._engine is not None:
                return
            engine = self._make_engine()
            try:
                with as_storage_problem():
                    migration.upgrade(engine, self.path)
            except BaseException:
                engine.dispose()
                raise
            self._engine = engine
        with suppress(StorageUnavailable):  # another time
            self.analyze()

    def analyze(self) -> None:
        """Let SQLite's planner know how many rows there are; without, it takes every owner for one with ten runs. Cheap."""
        if self.dialect == "sqlite":
            with self.write() as connection:
                connection.exec_driver_sql("PRAGMA analysis_limit = 400")
                connection.exec_driver_sql("ANALYZE")

    def close(self) -> None:
        """Give every connection back; the next use opens it again."""
        with self._opening:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads one state of the database."""
        with as_storage_problem(), self._opened().connect() as connection:
            if self.dialect == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; committed at the end, undone when anything is raised."""
        with as_storage_problem(), self._opened().execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            yield connection

    def _opened(self) -> Engine:
        if self._engine is None:
            self.open()
        engine = self._engine
        if engine is None:
            raise StorageUnavailable("The database was closed.", "Try again.")
        return engine

    def _make_engine(self) -> Engine:
        if self.dialect == "postgresql":
            return _postgresql_engine(self._url)
        return _sqlite_engine(self._url, Path(self._url.database or ""))


def _postgresql_engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=5,
        pool_timeout=10,
        hide_parameters=True,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
    )

    @event.listens_for(engine, "connect")
    def _limit(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}")
            cursor.execute(f"SET lock_timeout = {BUSY_TIMEOUT_MS}")
        connection.commit()

    @event.listens_for(engine, "before_cursor_execute")
    def _bytes_as_they_are(_connection: Any, cursor: Any, _statement: Any, _parameters: Any, context: Any, _many: bool) -> None:
        if context is not None and context.execution_options.get("binary_results"):
            cursor.format = Format.BINARY

    return engine


def _sqlite_engine(url: URL, path: Path) -> Engine:
    """SQLite in WAL: readers never wait for the writer. Transactions are begun by hand, because pysqlite begins them too late."""
    with suppress(OSError):  # whatever is wrong is told better by the connection itself
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_engine(url, pool_size=5, max_overflow=5, pool_timeout=10, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            "cache_size = -16000",
            "journal_size_limit = 67108864",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        _use_wal(cursor)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        how = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        if how == "EXCLUSIVE":
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {migration.LOCK_WAIT_MS}")
        connection.exec_driver_sql(f"BEGIN {how}")

    return engine


def _use_wal(cursor: sqlite3.Cursor) -> None:
    """Set the journal's mode. Of a new file SQLite refuses that at once, whatever the busy timeout, while another connection does it."""
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return
