"""Answers that a cache may give again, as bytes whose meaning is the cache's own."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select

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
        if len(answer) > self._capacity:
            return
        values = {"owner": self._owner, "key": key, "answer": answer, "stored_at": stored_at, "expires_at": expires_at}
        with self._database.write() as connection:
            connection.execute(upsert(connection, answers, {**values, "size_bytes": len(answer)}, "owner", "key"))
            connection.execute(delete(answers).where(answers.c.owner == self._owner, answers.c.expires_at <= stored_at))
            newer = func.sum(answers.c.size_bytes).over(order_by=(answers.c.stored_at.desc(), answers.c.key))
            sized = select(answers.c.key, newer.label("so_far")).where(answers.c.owner == self._owner).subquery()
            too_many = select(sized.c.key).where(sized.c.so_far > self._capacity)
            connection.execute(delete(answers).where(answers.c.owner == self._owner, answers.c.key.in_(too_many)))
