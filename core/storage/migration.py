"""Bringing a database to the schema this program knows: under a lock, all or nothing, and an SQLite file with a copy kept first."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from core.errors import StorageRefused

SCRIPTS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x706C6179  # "play"; PostgreSQL's advisory locks are numbers
LOCK_WAIT_MS: Final = 60_000
"""How long a process waits while another one migrates."""

log = logging.getLogger(__name__)


def script_directory() -> ScriptDirectory:
    """The migrations that come with this program."""
    return ScriptDirectory.from_config(_config())


def upgrade(engine: Engine, file: Path | None, revision: str = "head") -> None:
    """Run the migrations up to ``revision`` that are missing. ``file`` is the SQLite file, which is copied first where it has data.

    StorageRefused, and nothing changed, when the database is newer than this program.
    """
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current is not None:
        _refuse_newer(current)
    if current == _target(revision):
        return
    if file is not None and current is not None:
        _copy(file, current)
    with engine.execution_options(sqlite_begin="EXCLUSIVE").begin() as connection:
        _lock(connection)
        command.upgrade(_config(connection), revision)
    engine.dispose()  # SQLite's connection was told to wait for long


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    return config


def _target(revision: str) -> str | None:
    return script_directory().get_current_head() if revision == "head" else revision


def _refuse_newer(current: str) -> None:
    known = {script.revision for script in script_directory().walk_revisions()}
    if current not in known:
        raise StorageRefused(
            f"The database was made by a newer version of the playground (its schema is {current[:40]}).",
            "Start that version, or point PLAYGROUND_DATA_DIR or DATABASE_URL at another database.",
        )


def _lock(connection: Connection) -> None:
    """Wait until no other process migrates; SQLite's ``BEGIN EXCLUSIVE`` has done so already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL statement_timeout = {LOCK_WAIT_MS}"))
        connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        connection.execute(text("SET LOCAL statement_timeout = 0"))


def _copy(file: Path, current: str) -> None:
    """A copy of the file beside it, named after the schema it has; pages still in the write-ahead log are in it."""
    copy = file.with_name(f"{file.stem}.before-migration-from-{current}{file.suffix}")
    part = copy.with_suffix(".part")
    part.unlink(missing_ok=True)
    with sqlite3.connect(file) as source, sqlite3.connect(part) as target:
        source.backup(target)
    source.close()
    target.close()
    part.chmod(0o600)
    part.replace(copy)
    log.info("kept a copy of the database as %s", copy.name)
