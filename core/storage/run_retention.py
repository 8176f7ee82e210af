"""What a rule of retention would take, counted before anything is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, false, func, or_, select

from core.run import ENDED
from core.storage.database import Database
from core.storage.run_repository import LOCAL
from core.storage.schema import runs


@dataclass(frozen=True, slots=True)
class Falling:
    """What would go: ``runs`` of about ``size_bytes``, ``deleted`` of them already taken out of the history by hand.

    ``starred`` runs would go too if they had no star.
    """

    runs: int
    size_bytes: int
    deleted: int
    starred: int


class RunRetention:
    """Looks at ``owner``'s runs as ``RunRepository.retain`` does; StorageProblem when the database cannot be used."""

    def __init__(self, database: Database, owner: str = LOCAL, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._owner = owner
        self._now = now

    def falling(self, *, max_age: timedelta | None = None, max_bytes: int | None = None) -> Falling:
        """What ``retain`` with the same limits would remove now. Takes time in proportion to the runs there are."""
        if max_age is None and max_bytes is None:
            return Falling(0, 0, 0, 0)
        old = false() if max_age is None else runs.c.created_at < self._now() - max_age
        ended = runs.c.status.in_(ENDED)
        by_age = and_(ended, runs.c.starred.is_(False), old)
        newer = func.sum(case((by_age, 0), else_=runs.c.size_bytes)).over(order_by=(runs.c.created_at.desc(), runs.c.pk.desc()))
        kept = select(
            ended.label("ended"), runs.c.starred, runs.c.deleted_at, runs.c.size_bytes, old.label("old"), newer.label("so_far")
        ).where(runs.c.owner == self._owner)
        seen = kept.subquery()
        too_many = false() if max_bytes is None else seen.c.so_far > max_bytes
        falls = and_(seen.c.ended, or_(seen.c.old, too_many))
        goes = and_(falls, seen.c.starred.is_(False))
        asked = select(
            _count(goes),
            func.coalesce(cast(func.sum(case((goes, seen.c.size_bytes), else_=0)), BigInteger), 0),
            _count(and_(goes, seen.c.deleted_at.is_not(None))),
            _count(and_(falls, seen.c.starred)),
        )
        with self._database.read() as connection:
            return Falling(*(int(value) for value in connection.execute(asked).one()))


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
