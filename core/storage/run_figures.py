"""What the runs of a filter amount to: over time, by model, by identity and by thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from sqlalchemy import BigInteger, ColumnElement, Float, Row, Select, case, cast, func, literal, null, select, type_coerce

from core.storage.column_types import MICROSECOND, Dollars, Moment
from core.storage.database import Database
from core.storage.run_query import RunFilter
from core.storage.run_repository import LOCAL
from core.storage.schema import runs

Grouping = Literal["model_asked", "model_answered", "identity", "thread", "connection_name", "status", "slot"]
PERCENTILES: Final = (0.5, 0.95)
_LATENCIES: Final = ("first_token_s", "total_s")


@dataclass(frozen=True, slots=True)
class Figures:
    """One group of runs, in one stretch of time where ``start`` is set.

    Tokens and ``cost_usd`` are sums over the runs whose value is known, ``None`` where none is; ``unknown_cost`` counts the others.
    Latencies are seconds: the median and the 95th percentile (nearest rank) of the runs that have one. ``failed`` counts runs that
    failed or were interrupted. ``first_at`` and ``last_at`` are when the oldest and the newest run began.
    """

    start: datetime | None
    group: str | None
    runs: int
    failed: int
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    cost_usd: Decimal | None
    unknown_cost: int
    first_at: datetime
    last_at: datetime
    first_token_s_p50: float | None
    first_token_s_p95: float | None
    total_s_p50: float | None
    total_s_p95: float | None


class RunFigures:
    """Figures of ``owner``'s runs; StorageProblem when the database cannot be used."""

    def __init__(self, database: Database, owner: str = LOCAL) -> None:
        self._database = database
        self._owner = owner

    def span(self, which: RunFilter | None = None) -> tuple[datetime, datetime] | None:
        """When the oldest and the newest run of a filter began; ``None`` when it has none."""
        conditions = (which or RunFilter()).conditions(self._owner, self._database.dialect)
        with self._database.read() as connection:
            # One by one: SQLite finds either end in an index, but not both at once.
            first = connection.scalar(select(func.min(runs.c.created_at)).where(*conditions))
            last = connection.scalar(select(func.max(runs.c.created_at)).where(*conditions))
        return None if first is None or last is None else (first, last)

    def over_time(self, which: RunFilter, bucket: timedelta, by: Grouping | None = "model_answered") -> tuple[Figures, ...]:
        """Figures for each stretch of ``bucket`` (counted from 1970, UTC) that has runs, and in it for each value of ``by``."""
        width = max(bucket // MICROSECOND, 1)
        created = type_coerce(runs.c.created_at, BigInteger)
        return self._figures(which, type_coerce(created - created % width, Moment), by)

    def per(self, by: Grouping, which: RunFilter | None = None, *, latencies: bool = True) -> tuple[Figures, ...]:
        """Figures for each value of ``by``, the group with most runs first; runs without a value are a group of their own.

        Without ``latencies``, which need every run in order, these stay ``None`` and the rest comes several times as fast.
        """
        found = self._figures(which or RunFilter(), type_coerce(null(), Moment), by, latencies=latencies)
        return tuple(sorted(found, key=lambda figures: (-figures.runs, figures.group or "")))

    def total(self, which: RunFilter | None = None) -> Figures | None:
        """Figures of all runs of a filter; ``None`` when it has none."""
        found = self._figures(which or RunFilter(), type_coerce(null(), Moment), None)
        return found[0] if found else None

    def _figures(self, which: RunFilter, start: ColumnElement[Any], by: Grouping | None, *, latencies: bool = True) -> tuple[Figures, ...]:
        conditions = which.conditions(self._owner, self._database.dialect)
        group = runs.c[by] if by else type_coerce(null(), runs.c.slot.type)
        with self._database.read() as connection:
            rows = connection.execute(_asked(start, group, conditions, latencies=latencies)).all()
        return tuple(_of(row) for row in rows)


def _asked(
    start: ColumnElement[Any], group: ColumnElement[Any], conditions: Sequence[ColumnElement[bool]], *, latencies: bool
) -> Select[Any]:
    """Each run with its rank among the latencies of its group, and the groups over that."""
    names = ("status", "created_at", "prompt_tokens", "completion_tokens", "total_tokens", "cost_usd", *_LATENCIES)
    ranks = [
        (
            func.cume_dist().over(partition_by=(start, group, runs.c[name].is_(None)), order_by=runs.c[name])
            if latencies
            else cast(null(), Float)
        ).label(f"{name}_rank")
        for name in _LATENCIES
    ]
    ranked = select(start.label("start"), group.label("group"), *(runs.c[name] for name in names), *ranks).where(*conditions).subquery()
    cost = type_coerce(ranked.c.cost_usd, BigInteger)
    sums = [
        func.count().label("runs"),
        func.sum(case((ranked.c.status.in_(("failed", "interrupted")), 1), else_=0)).label("failed"),
        *(func.sum(ranked.c[name]).label(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")),
        type_coerce(func.sum(cost), Dollars).label("cost_usd"),
        (func.count() - func.count(cost)).label("unknown_cost"),
        func.min(ranked.c.created_at).label("first_at"),
        func.max(ranked.c.created_at).label("last_at"),
    ]
    percentiles = [
        func.min(case((ranked.c[f"{name}_rank"] >= literal(share), ranked.c[name]))).label(f"{name}_p{round(share * 100)}")
        for name in _LATENCIES
        for share in PERCENTILES
    ]
    groups = (ranked.c.start, ranked.c.group)
    return select(*groups, *sums, *percentiles).group_by(*groups).order_by(*groups)


def _of(row: Row[Any]) -> Figures:
    values = dict(row._mapping)
    for name in ("failed", "prompt_tokens", "completion_tokens", "total_tokens"):
        values[name] = None if values[name] is None else int(values[name])
    return Figures(**values)
