"""What a list of runs is asked: which ones, in which order, from where on. Pages are found by key, never by offset."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal, get_args

from sqlalchemy import ColumnElement, literal, or_, select, tuple_

from core.run import RunStatus
from core.storage import full_text
from core.storage.run_record import RunRow
from core.storage.schema import run_tags, runs

SortColumn = Literal[
    "created_at",
    "status",
    "prompt_start",
    "model_asked",
    "model_answered",
    "finish_reason",
    "total_tokens",
    "cost_usd",
    "first_token_s",
    "total_s",
    "tokens_per_s",
    "connection_name",
    "slot",
    "thread",
    "identity",
    "starred",
    "note_start",
    "tag_line",
]
SORT_COLUMNS: Final[tuple[SortColumn, ...]] = get_args(SortColumn)


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs: those that fit every field that is set; of a tuple, any one value. Deleted runs only with ``deleted``.

    ``models`` are asked or answered ones. ``created_from`` is in, ``created_before`` is not (aware times). Ranges are in, at both ends,
    and leave out runs whose value is unknown. ``text`` asks for words of prompt and output, as ``full_text.terms_of`` reads it; it
    finds runs that have ended, and a text without any letter or digit finds all.
    """

    ids: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    statuses: tuple[RunStatus, ...] = ()
    finish_reasons: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    starred: bool | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    cost_usd_min: Decimal | None = None
    cost_usd_max: Decimal | None = None
    first_token_s_min: float | None = None
    first_token_s_max: float | None = None
    total_s_min: float | None = None
    total_s_max: float | None = None
    text: str = ""
    deleted: bool = False

    def conditions(self, owner: str, dialect: str, *, walking: bool = False) -> list[ColumnElement[bool]]:
        """The same as SQL, over ``runs`` of ``owner``; ``walking`` along another index, where words are only to be checked."""
        found = [runs.c.owner == owner, runs.c.deleted_at.is_not(None) if self.deleted else runs.c.deleted_at.is_(None)]
        found += self._values(owner)
        found += self._ranges()
        if self.starred is not None:
            found.append(runs.c.starred.is_(self.starred))
        words = full_text.matches(dialect, runs.c.pk + 0 if walking and dialect == "sqlite" else runs.c.pk, self.text)
        return found if words is None else [*found, words]

    def _values(self, owner: str) -> Iterator[ColumnElement[bool]]:
        if self.models:
            yield or_(runs.c.model_asked.in_(self.models), runs.c.model_answered.in_(self.models))
        if self.finish_reasons:
            listed = literal(",") + runs.c.finish_reason + literal(",")
            yield or_(*(listed.contains(f",{reason},", autoescape=True) for reason in self.finish_reasons))
        if self.tags:
            tagged = select(run_tags.c.run_pk).where(run_tags.c.owner == owner, run_tags.c.tag.in_(self.tags))
            yield runs.c.pk.in_(tagged)
        for column, values in (
            (runs.c.id, self.ids),
            (runs.c.status, self.statuses),
            (runs.c.connection_name, self.connections),
            (runs.c.slot, self.slots),
            (runs.c.thread, self.threads),
            (runs.c.identity, self.identities),
        ):
            if values:
                yield column.in_(values)

    def _ranges(self) -> Iterator[ColumnElement[bool]]:
        if self.created_from is not None:
            yield runs.c.created_at >= self.created_from
        if self.created_before is not None:
            yield runs.c.created_at < self.created_before
        for column, least, most in (
            (runs.c.cost_usd, self.cost_usd_min, self.cost_usd_max),
            (runs.c.first_token_s, self.first_token_s_min, self.first_token_s_max),
            (runs.c.total_s, self.total_s_min, self.total_s_max),
        ):
            if least is not None:
                yield column >= least
            if most is not None:
                yield column <= most


@dataclass(frozen=True, slots=True)
class RunOrder:
    """By a column, then by the order in which runs were stored. Runs without a value come last, whatever the direction.

    ``note_start`` and ``tag_line`` are the first characters of the note and of the tags, in order and joined by commas.
    """

    column: SortColumn = "created_at"
    descending: bool = True

    def by(self) -> list[ColumnElement[Any]]:
        """What to order by, among rows that have a value (or all of which have none)."""
        keys: list[ColumnElement[Any]] = [runs.c[self.column], runs.c.pk]
        return [key.desc() for key in keys] if self.descending else keys


@dataclass(frozen=True, slots=True)
class RunPage:
    """Rows in order, and the cursor of the next page; ``None`` when this is the last."""

    rows: tuple[RunRow, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """After which row a page begins: its value (as stored; ``None`` among those without one) and its key."""

    value: Any
    pk: int

    def encode(self, order: RunOrder) -> str:
        """The cursor as text, for this order only."""
        content = [order.column, order.descending, self.value, self.pk]
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode("ascii")

    @classmethod
    def decode(cls, text: str, order: RunOrder) -> Cursor:
        """ValueError for what is no cursor of this order."""
        try:
            column, descending, value, pk = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        except (ValueError, TypeError):
            raise ValueError("This is no cursor of a page.") from None
        fits = column == order.column and descending == order.descending and type(pk) is int
        if not fits or not isinstance(value, str | int | float | None):
            raise ValueError("This cursor belongs to another order.")
        return cls(value, pk)

    def after(self, order: RunOrder, value: ColumnElement[Any]) -> ColumnElement[bool]:
        """The rows behind, among those with a value; ``value`` is the order's column as it is stored."""
        here, there = tuple_(value, runs.c.pk), tuple_(literal(self.value), literal(self.pk))
        return here < there if order.descending else here > there

    def after_without_value(self, order: RunOrder) -> ColumnElement[bool]:
        """The rows behind, among those without a value."""
        return runs.c.pk < self.pk if order.descending else runs.c.pk > self.pk
