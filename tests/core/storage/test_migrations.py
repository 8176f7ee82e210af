"""From every schema there ever was to the newest, with data, on both databases."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import URL, MetaData, inspect, text
from sqlalchemy.types import TypeEngine

from core.errors import StorageRefused, StorageUnavailable
from core.storage import migration
from core.storage.database import FILE_NAME, Database
from core.storage.run_query import RunFilter
from core.storage.run_repository import RunRepository
from core.storage.schema import metadata

REVISIONS = [script.revision for script in migration.script_directory().walk_revisions()][::-1]
FIRST = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


def engine_of(url: URL):  # type: ignore[no-untyped-def]
    """The engine the database makes, without migrating."""
    database = Database(url)
    return database._make_engine()


def fill(url: URL) -> None:
    """One row in every table that this schema has, by what the columns take: later schemas are filled without a change here."""
    engine = engine_of(url)
    tables = MetaData()
    tables.reflect(engine, only=lambda name, _: not name.startswith(("run_words", "alembic", "sqlite")))
    with engine.begin() as connection:
        for table in tables.sorted_tables:
            row = {}
            for column in table.columns:
                kind = column.type.python_type
                row[column.name] = {int: 1, float: 1.5, bool: False, bytes: b""}.get(kind, "{}")
            row |= {"runs": OLD_RUN, "run_contents": OLD_CONTENTS}.get(table.name, {})
            connection.execute(table.insert().values({name: value for name, value in row.items() if name in table.c}))
        if connection.dialect.name == "sqlite":
            connection.execute(text("INSERT INTO run_words (rowid, words) VALUES (1, 'an old prompt and its answer')"))
        else:
            connection.execute(text("INSERT INTO run_words VALUES (1, to_tsvector('simple', 'an old prompt and its answer'))"))
    engine.dispose()


OLD_RUN = {
    "pk": 1,
    "owner": "local",
    "id": "old",
    "status": "finished",
    "created_at": 1767323045000006,
    "saved_at": 1767323046000000,
    "ended_at": None,
    "deleted_at": None,
    "prompt_start": "an old prompt",
    "note": "an old note",
    "note_start": "an old note",
}
OLD_CONTENTS = {
    "run_pk": 1,
    "sent": b'{"model":"m","prompt":"an old prompt"}',
    "choices": '[{"index":0,"text":"and its answer","finish_reason":"stop"}]',
    "usage": '{"total_tokens":3}',
    "error": None,
    "raw": bytes.fromhex("789c030000000001"),
    "trace": None,
    "cost_detail": None,
}


@pytest.mark.parametrize("revision", REVISIONS)
def test_data_of_every_earlier_schema_is_there_after_the_migration(new_url: Callable[[], URL], revision: str) -> None:
    url = new_url()
    engine = engine_of(url)
    migration.upgrade(engine, None, revision)
    engine.dispose()
    fill(url)
    database = Database(url)
    runs = RunRepository(database)
    found = runs.find("old")
    assert found is not None
    assert (found.snapshot.text, found.snapshot.created_at) == ("and its answer", FIRST)
    assert [row.id for row in runs.page(RunFilter(text="answer")).rows] == ["old"]
    with database.read() as connection:
        assert connection.execute(text("SELECT note_start, tag_line FROM runs")).one() == ("an old note", "{}")
    database.close()


def test_newest_migration_leaves_what_the_schema_says(new_url: Callable[[], URL]) -> None:
    url = new_url()
    Database(url).open()
    engine = engine_of(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": _differ, "include_name": _ours})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def _differ(context: MigrationContext, _column: object, _wanted_column: object, found: TypeEngine[Any], wanted: TypeEngine[Any]) -> bool:
    """By the kind of type: what a database tells of collations is not what it was told."""
    return found._type_affinity is not wanted.dialect_impl(context.dialect)._type_affinity


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and name is not None and name.startswith("run_words"))


def test_database_newer_than_the_program_is_refused_and_left_alone(new_url: Callable[[], URL]) -> None:
    url = new_url()
    Database(url).open()
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageRefused, match="newer version") as refused:
        Database(url).open()
    assert "PLAYGROUND_DATA_DIR" in refused.value.next_step
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
        assert inspect(connection).has_table("runs")
    engine.dispose()


def test_sqlite_file_with_an_older_schema_is_copied_before_it_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database.of(tmp_path, None)
    database.open()
    database.close()
    fill(URL.create("sqlite", database=str(tmp_path / FILE_NAME)))
    monkeypatch.setattr(migration, "_target", lambda _revision: "one more")
    Database.of(tmp_path, None).open()
    [copy] = tmp_path.glob("*before-migration*")
    assert copy.name == f"playground.before-migration-from-{REVISIONS[-1]}.db"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with sqlite3.connect(copy) as kept:
        assert kept.execute("SELECT id FROM runs").fetchall() == [("old",)]
    kept.close()


def test_new_database_needs_no_copy_and_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    Database.of(tmp_path / "new", None).open()
    assert not [*(tmp_path / "new").glob("*before*")]
    assert stat.S_IMODE((tmp_path / "new" / FILE_NAME).stat().st_mode) == 0o600


def test_those_who_open_a_new_database_at_once_migrate_it_once(new_url: Callable[[], URL]) -> None:
    url = new_url()
    databases = [Database(url) for _ in range(4)]
    with ThreadPoolExecutor(len(databases)) as threads:
        for opened in [threads.submit(database.open) for database in databases]:
            opened.result()
    assert RunRepository(databases[0]).count() == 0
    for database in databases:
        database.close()


@pytest.mark.parametrize(
    "content", [b"this is no database, and long enough to be taken for one" * 20, b"SQLite format 3\0" + b"\xff" * 4096]
)
def test_file_that_is_no_database_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(StorageUnavailable, match=r"no database|damaged"):
        Database.of(tmp_path, None).open()


def test_folder_that_cannot_be_made_is_said_to_be_at_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageUnavailable, match="cannot be opened") as refused:
        Database.of(tmp_path / "file", None).open()
    assert "PLAYGROUND_DATA_DIR" in refused.value.next_step


@pytest.mark.parametrize(
    "url", ["postgresql://someone:canary-pw@127.0.0.1:1/none", "postgres://someone:canary-pw@no-such-host.invalid/none"]
)
def test_server_that_is_not_there_is_told_without_the_password(url: str) -> None:
    database = Database.of(Path(os.devnull), SecretStr(url))
    with pytest.raises(StorageUnavailable, match="does not answer") as refused:
        database.open()
    told = [str(refused.value), refused.value.next_step, repr(database), repr(refused.value.__cause__)]
    assert "canary-pw" not in "".join(told)
