"""What somebody set for the whole installation: prices, retention."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from core.storage.database import Database
from core.storage.run_repository import LOCAL
from core.storage.schema import preferences
from core.storage.upsert import upsert


class PreferenceRepository:
    """JSON values by name, of ``owner``; StorageProblem when the database cannot be used."""

    def __init__(self, database: Database, owner: str = LOCAL, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._owner = owner
        self._now = now

    def save(self, name: str, value: Any) -> None:
        """Keep a value, in place of the one before."""
        with self._database.write() as connection:
            values = {"owner": self._owner, "name": name, "value": value, "saved_at": self._now()}
            upsert(connection, preferences, values, "owner", "name")

    def find(self, name: str) -> Any:
        """The value; None when nobody set it."""
        with self._database.read() as connection:
            asked = select(preferences.c.value).where(preferences.c.owner == self._owner, preferences.c.name == name)
            return connection.execute(asked).scalar()
