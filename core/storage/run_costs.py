"""Runs whose cost is unknown, and what they cost once somebody knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import and_, func, select, update

from core.prices.run_cost import RunCost
from core.run import ENDED, RunSnapshot
from core.storage import run_rows
from core.storage.database import Database
from core.storage.run_repository import LOCAL
from core.storage.schema import run_contents, runs

BATCH: Final = 200


class RunCosts:
    """``owner``'s ended runs of unknown cost, deleted ones apart; StorageProblem when the database cannot be used."""

    def __init__(self, database: Database, owner: str = LOCAL) -> None:
        self._database = database
        self._unknown = and_(runs.c.owner == owner, runs.c.deleted_at.is_(None), runs.c.cost_usd.is_(None), runs.c.status.in_(ENDED))

    def unknown(self) -> int:
        """How many there are."""
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(runs).where(self._unknown)) or 0

    def batch(self, after: int = 0, limit: int = BATCH) -> dict[int, RunSnapshot]:
        """At most ``limit`` of them by their keys, in order, behind the key ``after``."""
        contents = [column for column in run_contents.c if column.name != "run_pk"]
        asked = select(*run_rows.LISTED, *contents).join(run_contents).where(self._unknown, runs.c.pk > after)
        with self._database.read() as connection:
            rows = connection.execute(asked.order_by(runs.c.pk).limit(limit)).all()
        return {int(row.pk): run_rows.stored(row).snapshot for row in rows}

    def fill(self, costs: Mapping[int, RunCost]) -> int:
        """Store what is known now of runs by their keys; how many. One that has a cost by now keeps it."""
        filled = 0
        with self._database.write() as connection:
            for pk, cost in costs.items():
                if cost.usd is None:
                    continue
                done = connection.execute(update(runs).where(runs.c.pk == pk, self._unknown).values(cost_usd=cost.usd))
                if done.rowcount:
                    connection.execute(update(run_contents).where(run_contents.c.run_pk == pk).values(cost_detail=cost.detail()))
                    filled += 1
        return filled
