"""A real PostgreSQL server for tests, from the pgserver wheel: started when a test first asks, stopped and removed at the end."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, make_url


def _pgserver(runtime: Path) -> Any:
    """pgserver. It keeps a lock file in a private runtime folder, which not every machine has; it looks for one when imported."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    import pgserver

    if given is None:
        del os.environ["XDG_RUNTIME_DIR"]
    else:
        os.environ["XDG_RUNTIME_DIR"] = given
    return pgserver


class PostgresServer:
    """One server with a data directory of its own. As root it runs as a user of its own, so the directory must not be below /root."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "data"
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700)
        self._module = _pgserver(runtime)
        self._server = self._module.get_server(self._folder, cleanup_mode="stop")
        self._numbers = itertools.count(1)

    def new_database(self) -> URL:
        """The address of a database that nobody has used."""
        name = f"playground_{next(self._numbers)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return make_url(self._server.get_uri(name)).set(drivername="postgresql+psycopg")

    def control(self, *command: str) -> None:
        """``pg_ctl`` with this server's data: ``stop -m immediate``, for one."""
        self._module._commands.pg_ctl(["-w", *command], pgdata=self._folder, user=self._server.system_user)

    def stop(self) -> None:
        """Stop at once, as a crash does: every connection breaks."""
        self.control("-m", "immediate", "stop")

    def start(self) -> None:
        """Start again where it listened before."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop for good."""
        self._server.cleanup()
        atexit.unregister(self._server._cleanup)  # it would make its lock file, and so the folder, again


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server while inside. Its files are in memory where there is a folder for that."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=memory if os.access(memory, os.W_OK) else None))
    server = PostgresServer(folder)
    try:
        yield server
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)
