"""The router's attempts at runs, where it told them; ``RunRepository`` stores them with their run."""

from __future__ import annotations

from sqlalchemy import func, select

from core.storage.database import Database
from core.storage.run_query import RunFilter
from core.storage.run_record import Attempt
from core.storage.run_repository import LOCAL
from core.storage.schema import attempts, runs


class AttemptRepository:
    """Attempts of ``owner``'s runs; StorageProblem when the database cannot be used."""

    def __init__(self, database: Database, owner: str = LOCAL) -> None:
        self._database = database
        self._owner = owner

    def of(self, run_id: str) -> tuple[Attempt, ...]:
        """A run's attempts in order; empty when none were told."""
        columns = [attempts.c[name] for name in Attempt._fields]
        asked = select(*columns).join(runs).where(runs.c.owner == self._owner, runs.c.id == run_id).order_by(attempts.c.number)
        with self._database.read() as connection:
            return tuple(Attempt._make(row) for row in connection.execute(asked))

    def per_model(self, which: RunFilter | None = None) -> dict[str, tuple[int, int]]:
        """By model: how many attempts the runs of a filter made, and how many of them succeeded (a status below 400)."""
        conditions = (which or RunFilter()).conditions(self._owner, self._database.dialect)
        succeeded = func.count().filter(attempts.c.status < 400)
        asked = (
            select(attempts.c.model, func.count().label("tried"), succeeded.label("well"))
            .join(runs)
            .where(*conditions)
            .group_by(attempts.c.model)
        )
        with self._database.read() as connection:
            return {row.model: (row.tried, row.well) for row in connection.execute(asked)}
