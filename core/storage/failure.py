"""What keeps the database from answering, as one of our errors: a cause that fits into a sentence, and a next step.

No message of a driver is passed on: they quote statements, values and addresses with passwords.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import errors as postgres
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import StorageProblem, StorageUnavailable

_SQLITE: Final = {
    "SQLITE_FULL": ("The disk is full.", "Free some space; nothing else has to be done."),
    "SQLITE_BUSY": ("The database is locked by another program.", "Close what holds playground.db; saving goes on by itself."),
    "SQLITE_LOCKED": ("The database is locked by another program.", "Close what holds playground.db; saving goes on by itself."),
    "SQLITE_READONLY": ("The database cannot be written to.", "Make playground.db and its folder writable for this process."),
    "SQLITE_PERM": ("The database cannot be written to.", "Make playground.db and its folder writable for this process."),
    "SQLITE_CANTOPEN": ("The database file cannot be opened.", "Check that PLAYGROUND_DATA_DIR is a folder this process may write to."),
    "SQLITE_IOERR": ("The disk does not read or write.", "Check the disk that PLAYGROUND_DATA_DIR is on."),
    "SQLITE_NOTADB": ("The file playground.db is no database.", "Move it away; a new one is made at the next start."),
    "SQLITE_CORRUPT": ("The database file is damaged.", "Move playground.db away, or put a backup in its place."),
}
_POSTGRES: Final[tuple[tuple[tuple[type[psycopg.Error], ...], tuple[str, str]], ...]] = (
    ((postgres.DiskFull,), ("The disk of the PostgreSQL server is full.", "Free some space there; saving goes on by itself.")),
    (
        (postgres.LockNotAvailable, postgres.QueryCanceled),
        ("The PostgreSQL server took too long.", "Look for what holds a lock there; saving goes on by itself."),
    ),
    (
        (postgres.InsufficientPrivilege, postgres.ReadOnlySqlTransaction),
        ("The PostgreSQL server does not let us write.", "Give the user of DATABASE_URL the right to create and write tables."),
    ),
    (
        (postgres.InvalidPassword, postgres.InvalidAuthorizationSpecification, postgres.InvalidCatalogName),
        ("The PostgreSQL server does not let us in.", "Check user, password and database of DATABASE_URL."),
    ),
)
_NO_ANSWER: Final = ("The PostgreSQL server does not answer.", "Check that it runs and that DATABASE_URL is right.")


_Raised = DBAPIError | PoolTimeout | sqlite3.Error | psycopg.Error


def storage_problem(error: _Raised) -> StorageProblem | None:
    """The error for what the driver raised; ``None`` for what is a fault of ours (a constraint, a statement that is no SQL)."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        name = getattr(cause, "sqlite_errorname", None) or ""
        known = _SQLITE.get("_".join(name.split("_")[:2]))
        return StorageUnavailable(*known) if known else None
    for classes, words in _POSTGRES:
        if isinstance(cause, classes):
            return StorageUnavailable(*words)
    dropped = isinstance(error, DBAPIError) and error.connection_invalidated
    if dropped or isinstance(error, PoolTimeout) or isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return StorageUnavailable(*_NO_ANSWER)
    return None


@contextmanager
def as_storage_problem() -> Iterator[None]:
    """Raise what the database cannot help as StorageProblem, without the driver's words."""
    try:
        yield
    except (DBAPIError, PoolTimeout, sqlite3.Error, psycopg.Error) as error:
        problem = storage_problem(error)
        if problem is None:
            raise
        raise problem from None
