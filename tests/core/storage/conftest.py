"""Both databases, each new for every test; the same tests run on both."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from core.storage.database import FILE_NAME, Database
from tests.support.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server per test process, started by the first test that needs it."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def shared_postgres(postgres: PostgresServer) -> Iterator[Database]:
    """A database that tests empty instead of making it anew."""
    database = Database(postgres.new_database())
    database.open()
    yield database
    database.close()


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    folder = tmp_path_factory.mktemp("sqlite")
    database = Database.of(folder, None)
    database.open()
    database.close()
    return folder / FILE_NAME


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    if request.param == "postgresql":
        shared: Database = request.getfixturevalue("shared_postgres")
        with shared.write() as connection:
            names = "runs, comparisons, drafts, answers, preferences, processes, presets, shares, sweeps"
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        yield shared
        return
    shutil.copy(request.getfixturevalue("sqlite_file"), tmp_path / FILE_NAME)
    made = Database.of(tmp_path, None)
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], URL]:
    """Addresses of databases that nobody has opened."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.new_database
    return lambda: URL.create("sqlite", database=str(tmp_path / "new" / "playground.db"))
