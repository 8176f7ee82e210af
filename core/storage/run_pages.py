"""Finding one page of runs: a walk along the order's index, and before that whatever keeps the walk short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, select, type_coerce

from core.storage import full_text, run_rows
from core.storage.column_types import Dollars, Moment
from core.storage.run_query import Cursor, RunFilter, RunOrder
from core.storage.schema import runs

FEW: Final = 2_000
"""Up to so many runs of a filter are sorted; more of them are met soon enough on the way along an index."""
WINDOWS: Final = (150, 1_000)
"""So many of the next runs, and then so many, are searched for words before the index of words is asked for all that have them. Runs
that lie far apart are looked up one by one, 50 µs each, and the first few mostly do for a common word."""


@dataclass(frozen=True, slots=True)
class PageSearch:
    """One page's search over the runs of ``owner``: at most ``limit`` rows of ``which`` in ``order``, behind ``cursor``."""

    connection: Connection
    owner: str
    which: RunFilter
    order: RunOrder
    cursor: Cursor | None
    limit: int

    def rows(self) -> list[Row[Any]]:
        """The page: ``run_rows.LISTED`` and, as ``sort_value``, the order's column as it is stored."""
        return self._walk((*run_rows.LISTED, self._sorted_by.label("sort_value")), self._conditions(), self.limit)

    @property
    def _dialect(self) -> str:
        return self.connection.dialect.name

    @property
    def _sorted_by(self) -> ColumnElement[Any]:
        column = runs.c[self.order.column]
        return type_coerce(column, column.type.impl) if isinstance(column.type, Moment | Dollars) else column

    def _walk(self, columns: Sequence[ColumnElement[Any]], conditions: Sequence[ColumnElement[bool]], limit: int) -> list[Row[Any]]:
        """First the rows that have a value, then those that have none: each part is a walk along one index."""
        column, stored, cursor = runs.c[self.order.column], self._sorted_by, self.cursor
        asked = select(*columns).where(*conditions).order_by(*self.order.by()).limit(limit)
        found: list[Row[Any]] = []
        if cursor is None or cursor.value is not None:
            valued = asked.where(column.is_not(None)) if column.nullable else asked
            found += self.connection.execute(valued.where(cursor.after(self.order, stored)) if cursor else valued).all()
            cursor = None
        if column.nullable and len(found) < limit:
            empty = asked.where(column.is_(None)).limit(limit - len(found))
            found += self.connection.execute(empty.where(cursor.after_without_value(self.order)) if cursor else empty).all()
        return found

    def _conditions(self) -> list[ColumnElement[bool]]:
        """The conditions of the page. Where few runs fit, these runs: walking along the order's index would take long to meet them."""
        rest = replace(self.which, text="")
        few = self._few(rest) if rest != RunFilter() else None
        narrow: list[ColumnElement[bool]] = rest.conditions(self.owner, self._dialect) if few is None else [runs.c.pk.in_(few)]
        if not full_text.terms_of(self.which.text):
            return narrow
        found = self._by_words(narrow)
        if found is None:
            walking = self.which.conditions(self.owner, self._dialect, walking=True)
            return walking if few is None else [runs.c.pk.in_(full_text.among(self.connection, self.which.text, few))]
        return found

    def _few(self, which: RunFilter) -> list[int] | None:
        """The keys of the runs that fit, where they are few; ``None`` where they are many."""
        conditions = which.conditions(self.owner, self._dialect)
        if which.models and not which.deleted:
            # Neither of two indexes alone answers "asked or answered", and a planner that expects many walks along a third.
            models: set[int] = set()
            for column in (runs.c.model_asked, runs.c.model_answered):
                own = (runs.c.owner == self.owner, runs.c.deleted_at.is_(None), column.in_(which.models))
                models.update(self.connection.execute(select(runs.c.pk).where(*own).limit(FEW + 1)).scalars())
            if len(models) <= FEW:
                conditions.append(runs.c.pk.in_(models))
        found: list[int] = [*self.connection.execute(select(runs.c.pk).where(*conditions).limit(FEW + 1)).scalars()]
        return found if len(found) <= FEW else None

    def _by_words(self, narrow: list[ColumnElement[bool]]) -> list[ColumnElement[bool]] | None:
        """Common words fill the page out of the next runs; rare ones say themselves which runs. ``None`` in between."""
        for window in WINDOWS:
            following: list[int] = [row.pk for row in self._walk((runs.c.pk,), narrow, window)]
            having = set(full_text.among(self.connection, self.which.text, following))
            if len(having) >= self.limit or len(following) < window:
                return [runs.c.pk.in_([pk for pk in following if pk in having][: self.limit])]
        few = full_text.first(self.connection, self.which.text, FEW + 1)
        return [*narrow, runs.c.pk.in_(few)] if len(few) <= FEW else None
