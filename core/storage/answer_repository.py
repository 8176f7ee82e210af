"""Answers that a cache may give again, as bytes whose meaning is the cache's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from core.local_router.kept_answers import KeptAnswer
from core.storage.database import Database
from core.storage.run_repository import LOCAL
from core.storage.schema import answers
from core.storage.upsert import upsert

CAPACITY_BYTES = 64 * 1024 * 1024


class AnswerRepository:
    """Answers of ``owner`` by their keys, at most ``capacity_bytes`` of them; StorageProblem when the database cannot be used."""

    def __init__(self, database: Database, owner: str = LOCAL, *, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self._database = database
        self._owner = owner
        self._capacity = capacity_bytes

    def find(self, key: str, now: datetime) -> tuple[bytes, datetime] | None:
        """An answer that has not expired, and when it was stored."""
        asked = select(answers.c.answer, answers.c.stored_at).where(
            answers.c.owner == self._owner, answers.c.key == key, answers.c.expires_at > now
        )
        with self._database.read() as connection:
            row = connection.execute(asked).first()
            return (bytes(row.answer), row.stored_at) if row else None

    def save(self, key: str, answer: bytes, *, stored_at: datetime, expires_at: datetime) -> None:
        """Keep an answer; expired ones go, then the oldest until the rest fits. One that is larger than all room is not kept."""
        self.save_all({key: KeptAnswer(answer, stored_at, expires_at)})

    def save_all(self, found: Mapping[str, KeptAnswer]) -> None:
        """Keep several, in one transaction."""
        rows: list[dict[str, Any]] = [
            {"owner": self._owner, "key": key, "answer": one.content, "size_bytes": len(one.content)}
            | {"stored_at": one.stored_at, "expires_at": one.expires_at}
            for key, one in found.items()
            if len(one.content) <= self._capacity
        ]
        if not rows:
            return
        now = max(row["stored_at"] for row in rows)
        with self._database.write() as connection:
            for row in rows:
                upsert(connection, answers, row, "owner", "key")
            connection.execute(delete(answers).where(answers.c.owner == self._owner, answers.c.expires_at <= now))
            newer = func.sum(answers.c.size_bytes).over(order_by=(answers.c.stored_at.desc(), answers.c.key))
            sized = select(answers.c.key, newer.label("so_far")).where(answers.c.owner == self._owner).subquery()
            too_many = select(sized.c.key).where(sized.c.so_far > self._capacity)
            connection.execute(delete(answers).where(answers.c.owner == self._owner, answers.c.key.in_(too_many)))
