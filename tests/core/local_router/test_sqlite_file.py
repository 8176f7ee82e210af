"""Transactions of the router's small files: kept, undone, and never left open."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from core.local_router.knowledge.database import Database
from core.local_router.sqlite_file import SqliteFile

TABLES = """
CREATE TABLE shelves (name TEXT PRIMARY KEY);
CREATE TABLE books (shelf TEXT REFERENCES shelves(name) DEFERRABLE INITIALLY DEFERRED);
"""


def names(file: SqliteFile) -> list[str]:
    with file.transaction() as rows:
        return [name for (name,) in rows.execute("SELECT name FROM shelves ORDER BY name")]


def write(file: SqliteFile | Database, *statements: str) -> None:
    with file.transaction() if isinstance(file, SqliteFile) else file.writing() as rows:
        for statement in statements:
            rows.execute(statement)


@pytest.fixture
def file(tmp_path: Path) -> SqliteFile:
    return SqliteFile(tmp_path / "small.db", TABLES)


def test_a_block_that_raises_leaves_nothing(file: SqliteFile) -> None:
    with pytest.raises(sqlite3.OperationalError):
        write(file, "INSERT INTO shelves VALUES ('a')", "no SQL")
    assert names(file) == []


def test_a_transaction_that_sqlite_undid_by_itself_tells_what_went_wrong(file: SqliteFile) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        write(file, "INSERT INTO shelves VALUES ('a')", "INSERT OR ROLLBACK INTO shelves VALUES ('a')")  # as a full disk does
    assert names(file) == []


def test_what_cannot_be_committed_is_undone_and_the_next_transaction_works(file: SqliteFile) -> None:
    assert names(file) == []
    with file.glance() as connection:
        assert connection is not None
        connection.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError):
        write(file, "INSERT INTO books VALUES ('no such shelf')")
    write(file, "INSERT INTO shelves VALUES ('a')")
    assert names(file) == ["a"]


def test_first_rows_that_fail_leave_a_file_that_others_can_use(tmp_path: Path) -> None:
    def fail(_connection: sqlite3.Connection) -> None:
        raise KeyError

    broken = SqliteFile(tmp_path / "small.db", TABLES, fail)
    with pytest.raises(KeyError) as kept, broken.transaction():  # noqa: F841  # its traceback keeps every local alive
        pass
    assert names(SqliteFile(tmp_path / "small.db", TABLES)) == []


@pytest.mark.parametrize("in_memory", [True, False])
def test_knowledge_whose_writing_sqlite_undid_can_be_written_again(tmp_path: Path, in_memory: bool) -> None:
    database = Database(None if in_memory else tmp_path / "knowledge.db")
    vector = "INSERT OR ROLLBACK INTO vectors VALUES (1, 'm', x'00')"
    with pytest.raises(sqlite3.IntegrityError):
        write(database, vector, vector)
    write(database, vector)
    with database.reading() as rows:
        assert rows.execute("SELECT count(*) FROM vectors").fetchone() == (1,)
    database.close()
