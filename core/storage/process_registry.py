"""Which processes write to a database, so that runs of one that was killed can be told from runs of one that works beside us."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import delete, select

from core.storage.database import Database
from core.storage.schema import processes
from core.storage.upsert import upsert

SILENT_S: Final = 90.0
"""A process that was not heard of for so long is gone."""


class ProcessRegistry:
    """This process's entry, and what is known of the others. ``host`` and ``pid`` are given in tests only."""

    def __init__(
        self,
        database: Database,
        *,
        host: str | None = None,
        pid: int | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.id = secrets.token_urlsafe(9)
        self._database = database
        self._host = socket.gethostname() if host is None else host
        self._pid = os.getpid() if pid is None else pid
        self._now = now

    def beat(self) -> None:
        """Say that this process is there; to be said well within ``SILENT_S``."""
        values = {"id": self.id, "host": self._host, "pid": self._pid, "seen_at": self._now()}
        with self._database.write() as connection:
            upsert(connection, processes, values, "id")

    def gone(self, ids: Iterable[str]) -> frozenset[str]:
        """Those of ``ids`` that are no more: unknown, silent for ``SILENT_S``, or of this machine and without a live process."""
        asked = {*ids} - {self.id}
        with self._database.read() as connection:
            rows = connection.execute(select(processes).where(processes.c.id.in_(asked))).all()
        there = {row.id for row in rows if self._lives(row.host, row.pid, row.seen_at)}
        return frozenset(asked - there)

    def forget(self, ids: Iterable[str]) -> None:
        """Take entries out that nobody needs any more."""
        with self._database.write() as connection:
            connection.execute(delete(processes).where(processes.c.id.in_([*ids])))

    def _lives(self, host: str, pid: int, seen_at: datetime) -> bool:
        if self._now() - seen_at > timedelta(seconds=SILENT_S):
            return False
        if host != self._host:
            return True
        if pid == self._pid:  # our own number, from before a restart in a container that numbers anew
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
