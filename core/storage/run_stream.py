"""Every run of a filter, oldest first, a batch at a time: memory stays flat, and new runs are not in the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, literal, select, tuple_, type_coerce

from core.run import ENDED
from core.storage.ahead import ahead
from core.storage.database import Database
from core.storage.run_pieces import Pieces, pieces_of
from core.storage.run_query import RunFilter
from core.storage.schema import run_contents, run_tags, runs

BATCH: Final = 250
FIRST_BATCH: Final = 25
BATCH_BYTES: Final = 10_000_000
"""Runs in one reading, in the first one, and about what they may take in the database: an answer as received may have four million."""
_CREATED: Final = type_coerce(runs.c.created_at, BigInteger)
_KEYS: Final = (
    runs.c.size_bytes.label("_size"),
    runs.c.status.in_(ENDED).label("_ended"),
    runs.c.tag_line.is_not(None).label("_tagged"),
    _CREATED.label("_created"),
    runs.c.pk.label("_pk"),
)


class Found(NamedTuple):
    """A row, the run's tags, and the pieces of its text that are not in the row yet (``run_pieces``)."""

    row: Any
    tags: tuple[str, ...]
    pieces: Pieces


class _Batch(NamedTuple):
    rows: Sequence[Sequence[Any]]
    tags: dict[int, tuple[str, ...]]
    pieces: Mapping[int, Pieces]


def tags_of(connection: Connection, pks: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Each run's tags in order, by its key; runs without any are left out."""
    if not pks:
        return {}
    found: dict[int, tuple[str, ...]] = {}
    asked = select(run_tags.c.run_pk, run_tags.c.tag).where(run_tags.c.run_pk.in_(pks)).order_by(run_tags.c.tag)
    for row in connection.execute(asked):
        pk = int(row.run_pk)
        found[pk] = (*found.get(pk, ()), str(row.tag))
    return found


def oldest_first(
    database: Database, owner: str, which: RunFilter, columns: Sequence[ColumnElement[Any]], *, unread: bool = False
) -> Iterator[Found]:
    """Runs by rows that begin with ``columns``. ``unread`` are plain tuples as the driver gives them, faster by half."""
    batches = _batches(database, owner, which, columns, unread)
    for batch in ahead(batches) if database.dialect == "postgresql" else batches:
        for row in batch.rows:
            yield Found(row, batch.tags.get(row[-1], ()), batch.pieces.get(row[-1], ()))


def _batches(database: Database, owner: str, which: RunFilter, columns: Sequence[ColumnElement[Any]], unread: bool) -> Iterator[_Batch]:
    conditions = which.conditions(owner, database.dialect)
    chosen = select(*columns, *_KEYS).join_from(runs, run_contents).where(*conditions)
    chosen = chosen.order_by(runs.c.created_at, runs.c.pk)
    asked, limit = chosen, min(FIRST_BATCH, BATCH)
    while True:
        with database.read() as connection:
            found = connection.execution_options(binary_results=unread).execute(asked.limit(limit))
            rows: Sequence[Sequence[Any]] = found.cursor.fetchall() if unread and found.cursor else found.all()
            found.close()
            tags = tags_of(connection, [row[-1] for row in rows if row[-3]])
            pieces = pieces_of(connection, [row[-1] for row in rows if not row[-4]])
        yield _Batch(rows, tags, pieces)
        if len(rows) < limit:
            return
        limit = min(max(BATCH_BYTES * len(rows) // max(sum(row[-5] for row in rows), 1), 1), BATCH)
        created, pk = rows[-1][-2:]
        asked = chosen.where(tuple_(_CREATED, runs.c.pk) > tuple_(literal(created), literal(pk)))
