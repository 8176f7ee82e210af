"""Drafts that outlive the process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select

from core.storage.database import Database
from core.storage.run_repository import LOCAL
from core.storage.schema import drafts
from core.storage.upsert import upsert


class DraftRepository:
    """The newest ``limit`` drafts of ``owner``, found by their unguessable ids; StorageProblem when the database cannot be used."""

    def __init__(
        self, database: Database, owner: str = LOCAL, *, limit: int = 500, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._owner = owner
        self._limit = limit
        self._now = now

    def save(self, changed: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep drafts by id, replacing what was there; the ones not saved for longest go when there are too many."""
        with self._database.write() as connection:
            for draft_id, draft in changed.items():
                values = {"owner": self._owner, "id": draft_id, "draft": draft, "saved_at": self._now()}
                upsert(connection, drafts, values, "owner", "id")
            kept = select(drafts.c.id).where(drafts.c.owner == self._owner)
            kept = kept.order_by(drafts.c.saved_at.desc(), drafts.c.id).limit(self._limit)
            connection.execute(delete(drafts).where(drafts.c.owner == self._owner, drafts.c.id.not_in(kept)))

    def find(self, draft_id: str) -> dict[str, Any] | None:
        """The draft, or ``None`` when there is none of this id."""
        with self._database.read() as connection:
            asked = select(drafts.c.draft).where(drafts.c.owner == self._owner, drafts.c.id == draft_id)
            found: dict[str, Any] | None = connection.execute(asked).scalar()
            return found
