"""The comparisons of one owner: saved as they are edited, listed, found by id or name, deleted with undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, select

from core.comparison.record import Comparison, parse_document, words
from core.storage.database import Database
from core.storage.run_repository import LOCAL
from core.storage.schema import comparisons
from core.storage.upsert import upsert


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """What a list shows; ``slots`` is how many there are, ``models`` those they ask for, ``runs`` the ids of all their runs."""

    id: str
    name: str
    prompt_start: str
    slots: int
    models: tuple[str, ...]
    runs: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    starred: bool
    note: str
    tags: tuple[str, ...]


_LISTED = [comparisons.c[name] for name in ComparisonRow.__dataclass_fields__]


class ComparisonRepository:
    """Comparisons of ``owner``; every method is one transaction, and raises StorageProblem when that cannot be."""

    def __init__(self, database: Database, owner: str = LOCAL) -> None:
        self._database = database
        self._owner = owner

    def save(self, changed: Sequence[Comparison]) -> None:
        """Keep comparisons as they are now, new ones and known ones: all of them, or (when it raises) none."""
        with self._database.write() as connection:
            for one in changed:
                upsert(connection, comparisons, self._row(one), "owner", "id")

    def find(self, comparison_id: str) -> Comparison | None:
        """The comparison, deleted or not; ``None`` when there is none of this id. ValueError for one that cannot be read."""
        with self._database.read() as connection:
            asked = select(comparisons).where(comparisons.c.owner == self._owner, comparisons.c.id == comparison_id)
            row = connection.execute(asked).first()
        return _comparison(row) if row else None

    def page(self, text: str = "", *, starred: bool = False, skip: int = 0, limit: int = 50) -> tuple[tuple[ComparisonRow, ...], int]:
        """At most ``limit`` comparisons, the one changed last first, after ``skip`` others; and how many there are.

        Every word of ``text`` must stand somewhere in the name, the note, a tag, a model, a slot's name or the prompt's beginning.
        """
        conditions = self._conditions(text, starred=starred)
        order = (comparisons.c.updated_at.desc(), comparisons.c.pk.desc())
        with self._database.read() as connection:
            found = connection.execute(select(*_LISTED).where(*conditions).order_by(*order).offset(skip).limit(limit)).all()
            count = connection.scalar(select(func.count()).select_from(comparisons).where(*conditions)) or 0
        return tuple(_listed(row) for row in found), count

    def purge(self, deleted_before: datetime) -> int:
        """Remove for good what was deleted before a moment; how many."""
        with self._database.write() as connection:
            chosen = (comparisons.c.owner == self._owner, comparisons.c.deleted_at < deleted_before)
            return connection.execute(delete(comparisons).where(*chosen)).rowcount

    def _conditions(self, text: str, *, starred: bool) -> list[ColumnElement[bool]]:
        conditions = [comparisons.c.owner == self._owner, comparisons.c.deleted_at.is_(None)]
        if starred:
            conditions.append(comparisons.c.starred)
        return conditions + [comparisons.c.words.contains(word.casefold(), autoescape=True) for word in text.split()]

    def _row(self, one: Comparison) -> dict[str, Any]:
        return {
            "owner": self._owner,
            "id": one.id,
            "name": one.name,
            "prompt_start": one.prompt_start,
            "slots": len(one.board.slots),
            "models": list(one.models),
            "runs": list(one.run_ids),
            "document": one.document,
            "created_at": one.created_at,
            "updated_at": one.updated_at,
            "deleted_at": one.deleted_at,
            "starred": one.starred,
            "note": one.note,
            "tags": list(one.tags),
            "words": words(one),
        }


def _comparison(row: Row[Any]) -> Comparison:
    board, parts, revision = parse_document(row.document)
    return Comparison(
        row.id,
        board,
        row.created_at,
        row.updated_at,
        name=row.name,
        starred=row.starred,
        note=row.note,
        tags=tuple(row.tags),
        parts=parts,
        deleted_at=row.deleted_at,
        stored=True,
        revision=revision,
    )


def _listed(row: Row[Any]) -> ComparisonRow:
    return ComparisonRow(**{**row._asdict(), "models": tuple(row.models), "runs": tuple(row.runs), "tags": tuple(row.tags)})
