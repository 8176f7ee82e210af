"""What can be told about the database that is in use: which, how large, how new. Never a password."""

from __future__ import annotations

from dataclasses import dataclass

from alembic.migration import MigrationContext
from sqlalchemy import func, select, text

from core.storage.database import Database
from core.storage.run_repository import LOCAL
from core.storage.schema import runs


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """``size_bytes`` is what the database takes on disk. ``deleted`` runs are among neither ``runs`` nor ``run_bytes`` (about what runs
    take of it). ``schema`` is the newest migration that was made; None before the first.
    """

    runs: int
    run_bytes: int
    starred: int
    deleted: int
    size_bytes: int
    schema: str | None
    server: str


def database_facts(database: Database, owner: str = LOCAL) -> DatabaseFacts:
    """Asked from the database now; StorageProblem when it cannot be used."""
    here = runs.c.deleted_at.is_(None)
    counted = select(
        func.count().filter(here),
        func.coalesce(func.sum(runs.c.size_bytes).filter(here), 0),
        func.count().filter(here, runs.c.starred),
        func.count().filter(runs.c.deleted_at.is_not(None)),
    ).where(runs.c.owner == owner)
    with database.read() as connection:
        found = connection.execute(counted).one()
        schema = MigrationContext.configure(connection).get_current_revision()
        if database.dialect == "postgresql":
            size = connection.scalar(text("SELECT pg_database_size(current_database())"))
            server = f"PostgreSQL {connection.scalar(text('SHOW server_version'))}"
        else:
            size = connection.scalar(text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"))
            server = f"SQLite {connection.scalar(text('SELECT sqlite_version()'))}"
    count, run_bytes, starred, deleted = (int(value) for value in found)
    return DatabaseFacts(count, run_bytes, starred, deleted, int(size or 0), schema, server)
