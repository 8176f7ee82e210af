"""What is told about a database, and what never is."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from core.storage.database import Database
from core.storage.database_facts import database_facts
from core.storage.migration import script_directory
from core.storage.run_query import RunFilter
from core.storage.run_repository import RunRepository
from tests.core.storage.samples import run


def test_facts_are_those_of_the_database(database: Database) -> None:
    empty = database_facts(database)
    assert (empty.runs, empty.run_bytes, empty.starred, empty.deleted) == (0, 0, 0, 0)
    assert empty.schema == script_directory().get_current_head()
    runs = RunRepository(database)
    made = [run() for _ in range(4)]
    runs.save(made)
    runs.star([made[0].id])
    runs.delete(RunFilter(ids=(made[1].id,)))
    facts = database_facts(database)
    assert (facts.runs, facts.starred, facts.deleted) == (3, 1, 1)
    assert facts.run_bytes == sum(row.size_bytes for row in runs.page().rows) > 3_000
    assert facts.size_bytes > 50_000
    assert facts.server.split()[0] == {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[database.dialect]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (None, "playground.db"),
        ("postgresql://me:canary-71@db.example:5433/play", "db.example:5433/play"),
        ("postgres://me:canary-71@db.example/play", "db.example/play"),
        ("postgresql:///play?host=/run/socket", "local socket/play"),
    ],
)
def test_place_tells_which_database_and_no_password(tmp_path: Path, url: str | None, place: str) -> None:
    assert Database.of(tmp_path, SecretStr(url) if url else None).place == place
