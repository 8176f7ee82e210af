"""From runs to rows: many at a time, each table by one statement, and of a text that only grows what is new of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Executable, Table, bindparam, text, update

from core.prices.run_cost import RunCost
from core.run import RunSnapshot
from core.storage import full_text, run_pieces, run_rows, schema
from core.storage.bulk import insert_rows
from core.storage.column_types import json_text, storable
from core.storage.run_record import StoredRun
from core.storage.run_stream import tags_of
from core.storage.schema import attempts, run_contents, run_tags, runs
from core.storage.upsert import upsert_rows

_NEVER_CHANGE: Final = frozenset(
    {"owner", "id", "slot", "connection_name", "base_url", "created_at", "prompt_start", "model_asked", "thread", "identity", "sent"}
)
"""What a run's request says, which was there before the run: known rows are not told again, nor are the indexes of these columns."""

_KEYS: Final = {
    "sqlite": text("SELECT id, pk, indexed FROM runs WHERE owner = :owner AND id IN (SELECT value FROM json_each(:ids))"),
    "postgresql": text(
        "SELECT asked.id, found.pk, found.indexed FROM unnest(CAST(:ids AS text[])) AS asked (id) "
        "CROSS JOIN LATERAL (SELECT pk, indexed FROM runs WHERE owner = :owner AND id = asked.id LIMIT 1) AS found"
    ),
}
"""One look into the index for each, however few rows PostgreSQL takes the table for: it would read all that the owner has."""

_TAGGED: Final = update(runs).where(runs.c.pk == bindparam("b_pk")).values(tag_line=bindparam("tag_line"))


class Key(NamedTuple):
    """A stored run's key, and whether its words are in the index."""

    pk: int
    indexed: bool


class _Going(NamedTuple):
    """A run under way that is stored: its key, what was told of it beside its text, and how much of that, in how many pieces."""

    pk: int
    told: tuple[Any, ...]
    lengths: Mapping[int, int]
    pieces: int = 0


Going = Mapping[str, _Going]


class RunWriter:
    """Writes ``owner``'s runs inside a transaction that the caller began. ``going`` are the runs under way, as the last one left them."""

    def __init__(self, owner: str, process: str | None, now: Callable[[], datetime]) -> None:
        self._owner = owner
        self._process = process
        self._now = now
        self.going: Going = {}

    def save(self, connection: Connection, snapshots: Sequence[RunSnapshot], costs: Mapping[str, RunCost]) -> Going:
        """Runs as they are now, and what those cost that ``costs`` has; what ``going`` is once the transaction is done."""
        going = dict(self.going)
        changed: list[StoredRun] = []
        grown: list[dict[str, Any]] = []
        for run in snapshots:
            known = going.pop(run.id, None)
            if known is None or run.ended or known.told != _told(run):
                changed.append(_with_cost(run, costs.get(run.id)))
                continue
            going[run.id] = known
            if texts := run_pieces.since(run, known.lengths):
                going[run.id] = known._replace(lengths=run_pieces.lengths(run), pieces=known.pieces + 1)
                key = {"run_pk": known.pk, "number": known.pieces + 1}
                grown.append({**key, "pieces": run.pieces, "saved_at": self._now(), "texts": texts})
        pks = self.write(connection, changed)
        insert_rows(connection, schema.run_pieces, grown)
        under_way = [one.snapshot for one in changed if not one.snapshot.ended]
        return going | {run.id: _Going(pks[storable(run.id)], _told(run), run_pieces.lengths(run)) for run in under_way}

    def write(self, connection: Connection, found: Sequence[StoredRun]) -> dict[str, int]:
        """Whole runs, new and known, and their keys by id. Of known ones the marks stay, and a cost where the run has none."""
        if not found:
            return {}
        by_id = {storable(run.snapshot.id): run for run in found}
        known = self.keys(connection, [*by_id])
        self._change(connection, {key: by_id[run_id] for run_id, key in known.items()})
        added = self.add(connection, {run_id: run for run_id, run in by_id.items() if run_id not in known}, self._process)
        return added | {run_id: key.pk for run_id, key in known.items()}

    def keys(self, connection: Connection, ids: Sequence[str]) -> dict[str, Key]:
        """The keys of runs, those that are here, by id as it is stored."""
        given = json_text(ids) if connection.dialect.name == "sqlite" else ids
        found = connection.execute(_KEYS[connection.dialect.name], {"ids": given, "owner": self._owner})
        return {str(row.id): Key(row.pk, bool(row.indexed)) for row in found}

    def add(self, connection: Connection, fresh: Mapping[str, StoredRun], process: str | None) -> dict[str, int]:
        """New runs with everything on them, by their ids as they are stored, that ``process`` is at; their keys."""
        if not fresh:
            return {}
        put = {"process": process}
        rows = [self._row(run) | put | run_rows.marks(run) | {"indexed": run.snapshot.ended} for run in fresh.values()]
        insert_rows(connection, runs, rows)
        keys = {run_id: key.pk for run_id, key in self.keys(connection, [*fresh]).items()}
        keyed = {pk: fresh[run_id] for run_id, pk in keys.items()}
        contents = [{"run_pk": pk, "cost_detail": run.cost_detail} | run_rows.contents(run.snapshot) for pk, run in keyed.items()]
        insert_rows(connection, run_contents, contents)
        full_text.index(connection, {pk: run_rows.words(run.snapshot) for pk, run in keyed.items() if run.snapshot.ended})
        insert_rows(connection, run_tags, self._tags(keyed))
        insert_rows(connection, attempts, self._attempts(keyed))
        return keys

    def line_up_tags(self, connection: Connection, pks: Sequence[int]) -> None:
        """Tell the runs' own rows which tags they have, to be sorted by."""
        tags = tags_of(connection, pks)
        if pks:
            connection.execute(_TAGGED, [{"b_pk": pk, "tag_line": run_rows.tag_line(tags.get(pk, ()))} for pk in pks])

    def _change(self, connection: Connection, known: Mapping[Key, StoredRun]) -> None:
        for priced in (False, True):
            rows, contents = [], []
            for key, run in known.items():
                if (run.cost_detail is not None or run.cost_usd is not None) == priced:
                    row = self._row(run) | {"process": self._process, "indexed": run.snapshot.ended or key.indexed}
                    rows.append(_to_change(key.pk, row | ({"cost_usd": run.cost_usd} if priced else {})))
                    content = run_rows.contents(run.snapshot)
                    contents.append(_to_change(key.pk, content | ({"cost_detail": run.cost_detail} if priced else {})))
            _update(connection, runs, "pk", rows)
            _update(connection, run_contents, "run_pk", contents)
        keyed = {key.pk: run for key, run in known.items()}
        run_pieces.forget(connection, [*keyed])
        upsert_rows(connection, attempts, self._attempts(keyed), "run_pk", "number")
        unseen = {key.pk: run for key, run in known.items() if not key.indexed}
        tags = self._tags(unseen)
        upsert_rows(connection, run_tags, tags, "run_pk", "tag")
        self.line_up_tags(connection, sorted({tag["run_pk"] for tag in tags}))
        full_text.index(connection, {pk: run_rows.words(run.snapshot) for pk, run in unseen.items() if run.snapshot.ended})

    def _row(self, run: StoredRun) -> dict[str, Any]:
        return run_rows.columns(run.snapshot) | {"owner": self._owner, "saved_at": self._now(), "ended_at": run.ended_at}

    def _tags(self, keyed: Mapping[int, StoredRun]) -> list[dict[str, Any]]:
        return [{"run_pk": pk, "tag": tag, "owner": self._owner} for pk, run in keyed.items() for tag in dict.fromkeys(run.tags)]

    def _attempts(self, keyed: Mapping[int, StoredRun]) -> list[dict[str, Any]]:
        return [{"run_pk": pk, "owner": self._owner, **one._asdict()} for pk, run in keyed.items() for one in run.attempts]


def _told(run: RunSnapshot) -> tuple[Any, ...]:
    """What the rows of a run under way have beside its growing text; once a second most of it is what it was."""
    reasons = tuple((index, choice.finish_reason) for index, choice in run.choices.items())
    return run.status, run.model, run.completion_id, run.request_id, run.system_fingerprint, run.usage, dict(run.headers), reasons


def _with_cost(run: RunSnapshot, cost: RunCost | None) -> StoredRun:
    made = replace(StoredRun.of(run), tags=run.tags)
    return made if cost is None else replace(made, cost_usd=cost.usd, cost_detail=cost.detail())


def _to_change(pk: int, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"b_pk": pk} | {name: value for name, value in values.items() if name not in _NEVER_CHANGE}


def _update(connection: Connection, table: Table, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(_updating(table, key, tuple(name for name in rows[0] if name != "b_pk")), rows)


@lru_cache(16)
def _updating(table: Table, key: str, names: tuple[str, ...]) -> Executable:
    """Built once for each set of columns: that takes longer than the database."""
    return update(table).where(table.c[key] == bindparam("b_pk")).values({name: bindparam(name) for name in names})
