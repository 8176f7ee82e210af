"""The runs of one owner: saved while they stream, found by id or by filter, marked, deleted with undo, exported and imported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Row,
    Select,
    delete,
    func,
    select,
    update,
)

from core.errors import StorageUnavailable
from core.prices.run_cost import RunCost
from core.run import ENDED, RunSnapshot
from core.storage import full_text, run_rows
from core.storage.ahead import ahead
from core.storage.column_types import storable
from core.storage.database import Database
from core.storage.packed_run import PackedRun, line_columns, table_columns, with_pieces
from core.storage.run_pages import PageSearch
from core.storage.run_pieces import Pieces, pieces_of
from core.storage.run_query import Cursor, RunFilter, RunOrder, RunPage, SortColumn
from core.storage.run_record import StoredRun, interrupted, timings_until
from core.storage.run_stream import oldest_first, tags_of
from core.storage.run_writer import RunWriter
from core.storage.schema import run_contents, run_tags, runs
from core.storage.upsert import upsert_rows

LOCAL: Final = "local"
"""The owner of everything until there are accounts."""
BATCH: Final = 500
BATCH_CHARACTERS: Final = 10_000_000
_RUNNING: Final = runs.c.status.not_in(ENDED)

Clock = Callable[[], datetime]


class RunRepository:
    """Runs of ``owner`` in ``database``; every method is one transaction, and raises StorageProblem when that cannot be.

    ``process`` is who writes runs that are under way (``ProcessRegistry``), so that another process can tell which were left behind.
    """

    def __init__(
        self, database: Database, owner: str = LOCAL, *, process: str | None = None, now: Clock = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._owner = owner
        self._now = now
        self._writer = RunWriter(owner, process, now)

    # Writing

    def save(self, snapshots: Sequence[RunSnapshot], costs: Mapping[str, RunCost] | None = None) -> None:
        """Store runs as they are now, new ones and known ones; marks stay, and so do the costs of runs that ``costs`` (by id) leaves out.

        All of them, or (when it raises) none.
        """
        with self._database.write() as connection:
            going = self._writer.save(connection, snapshots, costs or {})
        self._writer.going = going

    def insert(self, stored: Iterable[StoredRun], told: Callable[[int], None] = lambda _count: None) -> int:
        """Import runs with everything on them; how many. Ids that are here already are left as they are, deleted ones too.

        One that had not ended comes in as interrupted. Transactions of ``BATCH`` runs, fewer of large ones; after each, ``told`` hears
        how many are in.
        """
        count = 0
        batches = _batches(stored)
        for batch in ahead(batches) if self._database.dialect == "postgresql" else batches:
            with self._database.write() as connection:
                added = self._insert(connection, batch)
            count += added
            told(count)
        with suppress(StorageUnavailable):  # what was imported is in
            self._database.analyze()
        return count

    def interrupt(self, processes: Iterable[str]) -> int:
        """End runs under way that were left behind by ``processes`` (or by none) as interrupted, with the text they have; how many."""
        gone = [*processes]
        left = runs.c.process.is_(None) | runs.c.process.in_(gone)
        with self._database.write() as connection:
            found = connection.execute(self._whole().where(_RUNNING, left)).all()
            pieces = pieces_of(connection, [row.pk for row in found])
            self._writer.write(connection, [_left(row, pieces.get(row.pk, ())) for row in found])
            return len(found)

    def running_processes(self) -> frozenset[str]:
        """The processes that have runs under way, as far as storage knows."""
        with self._database.read() as connection:
            asked = select(runs.c.process).where(runs.c.owner == self._owner, _RUNNING, runs.c.process.is_not(None)).distinct()
            found: list[str] = [*connection.execute(asked).scalars()]
            return frozenset(found)

    def star(self, ids: Sequence[str], starred: bool = True) -> None:
        """Star runs, or take their stars away."""
        self._update(ids, {"starred": starred})

    def note(self, run_id: str, note: str) -> None:
        """Put a note on a run; an empty one takes it away."""
        self._update([run_id], run_rows.noted(note))

    def set_cost(self, run_id: str, cost_usd: Decimal | None, detail: Mapping[str, Any] | None) -> None:
        """What a run cost, and how that was reckoned; ``None`` when it is unknown."""
        with self._database.write() as connection:
            pks = self._pks(connection, [run_id])
            connection.execute(update(runs).where(runs.c.pk.in_(pks)).values(cost_usd=cost_usd))
            connection.execute(update(run_contents).where(run_contents.c.run_pk.in_(pks)).values(cost_detail=detail))

    def tag(self, ids: Sequence[str], tag: str) -> None:
        """Put a tag on runs. ValueError for an empty one."""
        name = tag.strip()
        if not name:
            raise ValueError("A tag needs at least one character.")
        with self._database.write() as connection:
            pks = self._pks(connection, ids)
            upsert_rows(connection, run_tags, [{"run_pk": pk, "tag": name, "owner": self._owner} for pk in pks], "run_pk", "tag")
            self._writer.line_up_tags(connection, pks)

    def untag(self, ids: Sequence[str], tag: str) -> None:
        """Take a tag off runs."""
        with self._database.write() as connection:
            pks = self._pks(connection, ids)
            connection.execute(delete(run_tags).where(run_tags.c.run_pk.in_(pks), run_tags.c.tag == tag.strip()))
            self._writer.line_up_tags(connection, pks)

    def delete(self, which: RunFilter) -> datetime | None:
        """Delete the ended runs of a filter; what ``undelete`` takes to bring exactly them back, ``None`` when there were none."""
        moment = self._now()
        with self._database.write() as connection:
            newest = connection.scalar(select(func.max(runs.c.deleted_at)).where(runs.c.owner == self._owner))
            if newest is not None and newest >= moment:
                moment = newest + timedelta(microseconds=1)
            conditions = which.conditions(self._owner, self._database.dialect)
            done = connection.execute(update(runs).where(*conditions, runs.c.status.in_(ENDED)).values(deleted_at=moment))
            return moment if done.rowcount else None

    def undelete(self, deleted_at: datetime) -> int:
        """Bring back what one ``delete`` took; how many."""
        with self._database.write() as connection:
            chosen = (runs.c.owner == self._owner, runs.c.deleted_at == deleted_at)
            return connection.execute(update(runs).where(*chosen).values(deleted_at=None)).rowcount

    def purge(self, deleted_before: datetime) -> int:
        """Remove for good what was deleted before a moment; how many."""
        return self._remove(select(runs.c.pk).where(runs.c.owner == self._owner, runs.c.deleted_at < deleted_before))

    def retain(self, *, max_age: timedelta | None = None, max_bytes: int | None = None) -> int:
        """Remove for good the ended runs older than ``max_age``, and then the oldest until ``size_bytes`` fits; how many.

        Starred runs stay whatever their age and size. Never called by itself: retention is what somebody set.
        """
        chosen = (runs.c.owner == self._owner, runs.c.status.in_(ENDED), runs.c.starred.is_(False))
        removed = 0
        if max_age is not None:
            removed += self._remove(select(runs.c.pk).where(*chosen, runs.c.created_at < self._now() - max_age))
        if max_bytes is not None:
            newer = func.sum(runs.c.size_bytes).over(order_by=(runs.c.created_at.desc(), runs.c.pk.desc()))
            sized = select(runs.c.pk, runs.c.status, runs.c.starred, newer.label("so_far")).where(runs.c.owner == self._owner).subquery()
            too_many = select(sized.c.pk).where(sized.c.so_far > max_bytes, sized.c.status.in_(ENDED), sized.c.starred.is_(False))
            removed += self._remove(too_many)
        return removed

    # Reading

    def find(self, run_id: str) -> StoredRun | None:
        """The whole run, deleted or not; ``None`` when there is none of this id."""
        with self._database.read() as connection:
            row = connection.execute(self._whole().where(runs.c.id == run_id)).first()
            if row is None:
                return None
            tags = tags_of(connection, [row.pk]).get(row.pk, ())
            if row.status in ENDED:
                return replace(run_rows.stored(row), tags=tags)
            pieces = pieces_of(connection, [row.pk]).get(row.pk, ())
        run = run_rows.stored(row, pieces)
        timings = timings_until(run.snapshot, _seen_at(row, pieces))
        return replace(run, snapshot=replace(run.snapshot, timings=timings), tags=tags)

    def statuses(self, ids: Sequence[str]) -> dict[str, str]:
        """How runs stand, by id: their status, ``deleted`` where they were deleted; those that are not here are left out."""
        found: dict[str, str] = {}
        with self._database.read() as connection:
            for first in range(0, len(ids), BATCH):
                batch = ids[first : first + BATCH]
                asked = select(runs.c.id, runs.c.status, runs.c.deleted_at).where(runs.c.owner == self._owner, runs.c.id.in_(batch))
                found |= {row.id: row.status if row.deleted_at is None else "deleted" for row in connection.execute(asked)}
        return found

    def page(self, which: RunFilter | None = None, order: RunOrder | None = None, *, after: str | None = None, limit: int = 50) -> RunPage:
        """At most ``limit`` rows (1 to 1,000) after the cursor of the page before. ValueError for a cursor of another order."""
        which, order = which or RunFilter(), order or RunOrder()
        limit = min(max(limit, 1), 1_000)
        cursor = Cursor.decode(after, order) if after else None
        with self._database.read() as connection:
            found = PageSearch(connection, self._owner, which, order, cursor, limit + 1).rows()
            tags = tags_of(connection, [row.pk for row in found[:limit]])
        rows = tuple(run_rows.listed(row, tags.get(row.pk, ())) for row in found[:limit])
        last = Cursor(found[limit - 1].sort_value, found[limit - 1].pk) if len(found) > limit else None
        return RunPage(rows, last.encode(order) if last else None)

    def count(self, which: RunFilter | None = None) -> int:
        """How many runs a filter has."""
        with self._database.read() as connection:
            conditions = (which or RunFilter()).conditions(self._owner, self._database.dialect)
            return connection.scalar(select(func.count()).select_from(runs).where(*conditions)) or 0

    def stream(self, which: RunFilter | None = None) -> Iterator[StoredRun]:
        """Every whole run of a filter, oldest first (``run_stream``)."""
        contents = [column for column in run_contents.c if column.name != "run_pk"]
        for found in oldest_first(self._database, self._owner, which or RunFilter(), (*run_rows.LISTED, *contents)):
            yield replace(run_rows.stored(found.row, found.pieces), tags=found.tags)

    def packed(self, which: RunFilter | None = None, *, lines: bool = True) -> Iterator[PackedRun]:
        """The same runs as their rows have them, for an export; without what only its ``lines`` need where these are not asked for."""
        columns = line_columns() if lines else table_columns()
        for found in oldest_first(self._database, self._owner, which or RunFilter(), columns, unread=True):
            row = with_pieces(found.row, found.pieces, lines=lines) if found.pieces else found.row
            yield PackedRun(row, found.tags)

    def values(self, column: SortColumn, limit: int = 200) -> tuple[str, ...]:
        """The different values of a text column, for a filter to choose from: the first ``limit`` of them in order."""
        found = runs.c[column]
        chosen = (runs.c.owner == self._owner, runs.c.deleted_at.is_(None), found.is_not(None))
        with self._database.read() as connection:
            return tuple(connection.execute(select(found).where(*chosen).distinct().order_by(found).limit(limit)).scalars())

    def tags(self) -> tuple[str, ...]:
        """Every tag that some run has, in order."""
        with self._database.read() as connection:
            found = select(run_tags.c.tag).where(run_tags.c.owner == self._owner).distinct().order_by(run_tags.c.tag)
            return tuple(connection.execute(found).scalars())

    # Rows

    def _whole(self) -> Select[Any]:
        contents = [column for column in run_contents.c if column.name != "run_pk"]
        return select(*run_rows.LISTED, runs.c.saved_at, *contents).join(run_contents).where(runs.c.owner == self._owner)

    def _pks(self, connection: Connection, ids: Sequence[str]) -> list[int]:
        asked = select(runs.c.pk).where(runs.c.owner == self._owner, runs.c.id.in_(ids))
        found: list[int] = [*connection.execute(asked).scalars()]
        return found

    def _update(self, ids: Sequence[str], values: Mapping[str, Any]) -> None:
        with self._database.write() as connection:
            connection.execute(update(runs).where(runs.c.owner == self._owner, runs.c.id.in_(ids)).values(**values))

    def _insert(self, connection: Connection, batch: Sequence[StoredRun]) -> int:
        """Runs that are not here yet, all at once."""
        by_id = {storable(run.snapshot.id): _ended(run) for run in batch}
        known = self._writer.keys(connection, [*by_id])
        return len(self._writer.add(connection, {run_id: run for run_id, run in by_id.items() if run_id not in known}, None))

    def _remove(self, chosen: Select[Any]) -> int:
        removed = 0
        while True:
            with self._database.write() as connection:
                pks: list[int] = [*connection.execute(chosen.limit(BATCH)).scalars()]
                if not pks:
                    return removed
                if self._database.dialect == "sqlite":
                    indexed = connection.execute(self._whole().where(runs.c.pk.in_(pks), runs.c.indexed)).all()
                    if indexed:
                        full_text.forget(connection, {int(row.pk): run_rows.words(run_rows.stored(row).snapshot) for row in indexed})
                connection.execute(delete(runs).where(runs.c.pk.in_(pks)))
                removed += len(pks)


def _batches(stored: Iterable[StoredRun]) -> Iterator[list[StoredRun]]:
    """At most ``BATCH`` runs at a time, and no more than first reach ``BATCH_CHARACTERS``: an answer as received may have four million."""
    batch: list[StoredRun] = []
    left = BATCH_CHARACTERS
    for run in stored:
        batch.append(run)
        left -= run_rows.size_of(run.snapshot)
        if len(batch) == BATCH or left <= 0:
            yield batch
            batch, left = [], BATCH_CHARACTERS
    if batch:
        yield batch


def _seen_at(row: Row[Any], pieces: Pieces) -> datetime:
    """When a run under way was last stored."""
    seen_at: datetime = pieces[-1].saved_at if pieces else row.saved_at
    return seen_at


def _left(row: Row[Any], pieces: Pieces) -> StoredRun:
    """A run under way whose process is gone, ended."""
    return interrupted(run_rows.stored(row, pieces), _seen_at(row, pieces))


def _ended(run: StoredRun) -> StoredRun:
    """An imported run: one that had not ended has nobody any more who would end it."""
    if run.snapshot.ended:
        return run
    return interrupted(run, run.snapshot.created_at + timedelta(seconds=run.snapshot.timings.total_s or 0.0))
