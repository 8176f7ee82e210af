"""Sweeps: their plans, the state of each call, and the run of every try, written before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select, update

from core.run import ENDED, RunStatus
from core.storage.database import Database
from core.storage.run_record import RunRow
from core.storage.run_repository import LOCAL
from core.storage.run_rows import listed
from core.storage.schema import run_contents, runs, sweep_calls, sweep_tries, sweeps
from core.sweep.plan import SweepPlan, SweepSettings
from core.sweep.progress import ANSWER_START, CallState, SweepRecord, SweepState, SweepStatus

_ROW: Final = tuple(runs.c[name] for name in RunRow.__dataclass_fields__ if name != "tags")


@dataclass(frozen=True, slots=True)
class SweepCost:
    """What the tries of a sweep cost: the sum of what is known, and how many are ``unknown``; ``refused`` ones (an error status
    instead of an answer) cost nothing that anybody tells of, and count for neither."""

    usd: Decimal
    known: int
    unknown: int
    refused: int


class SweepRepository:
    """Sweeps of ``owner``; every method is one transaction, and raises StorageProblem when that cannot be."""

    def __init__(self, database: Database, owner: str = LOCAL, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._owner = owner
        self._now = now

    # Writing

    def add(self, record: SweepRecord) -> None:
        """Store a new sweep with all of its calls waiting."""
        values = {
            "owner": self._owner,
            "id": record.id,
            "comparison_id": record.comparison_id,
            "name": record.name,
            "settings": record.plan.settings.to_dict(),
            "connection_kind": record.connection_kind,
            "connection_name": record.connection_name,
            "base_url": record.base_url,
            "status": record.status,
            "reason": record.reason,
            "process": record.process,
            "created_at": record.created_at,
            "saved_at": self._now(),
        }
        with self._database.write() as connection:
            connection.execute(sweeps.insert(), values)
            rows = [
                self._key(record.id) | {"number": number, "status": "waiting", "answer_start": ""} for number in range(record.plan.calls)
            ]
            connection.execute(sweep_calls.insert(), rows)

    def begin(self, sweep_id: str, tries: Iterable[tuple[int, int, str]]) -> None:
        """Write down that calls are about to be sent: the number of each, which try it is (from 0), and its run's id."""
        found = [*tries]
        rows = [self._key(sweep_id) | {"number": number, "nth": nth, "run_id": run_id} for number, nth, run_id in found]
        with self._database.write() as connection:
            connection.execute(sweep_tries.insert(), rows)
            self._set(connection, sweep_id, [CallState(number, "running") for number, _, _ in found])

    def save_calls(self, sweep_id: str, calls: Sequence[CallState]) -> None:
        """Write what became of calls."""
        with self._database.write() as connection:
            self._set(connection, sweep_id, calls)

    def set_status(self, sweep_id: str, status: SweepStatus, reason: str = "") -> None:
        """Write how the whole is."""
        now = self._now()
        values: dict[str, Any] = {"status": status, "reason": reason, "saved_at": now}
        values["ended_at"] = now if status in ("finished", "cancelled") else None
        with self._database.write() as connection:
            connection.execute(update(sweeps).where(*self._this(sweep_id)).values(**values))

    def set_settings(self, sweep_id: str, settings: SweepSettings) -> None:
        """Write other settings, which must have the same calls."""
        with self._database.write() as connection:
            connection.execute(update(sweeps).where(*self._this(sweep_id)).values(settings=settings.to_dict(), saved_at=self._now()))

    def claim(self, sweep_id: str, process: str, *, gone: Sequence[str]) -> bool:
        """Let ``process`` drive a sweep that nobody drives: paused, or left behind by one of ``gone`` or by itself. Whether it may.

        Of two processes that ask at once, one may.
        """
        left = [*gone, process]
        free = sweeps.c.status.in_(("paused", "finished")) | sweeps.c.process.is_(None) | sweeps.c.process.in_(left)
        with self._database.write() as connection:
            wanted = update(sweeps).where(*self._this(sweep_id), free, sweeps.c.status != "cancelled")
            values = {"status": "running", "reason": "", "process": process, "ended_at": None, "saved_at": self._now()}
            return connection.execute(wanted.values(**values)).rowcount == 1

    # Reading

    def find(self, sweep_id: str) -> SweepState | None:
        """A sweep as stored; ``None`` when there is none of this id."""
        with self._database.read() as connection:
            row = connection.execute(select(sweeps).where(*self._this(sweep_id))).first()
            if row is None:
                return None
            tries: dict[int, list[str]] = {}
            asked = select(sweep_tries.c.number, sweep_tries.c.run_id).where(*self._of(sweep_tries, sweep_id))
            for one in connection.execute(asked.order_by(sweep_tries.c.number, sweep_tries.c.nth)):
                tries.setdefault(one.number, []).append(one.run_id)
            calls = connection.execute(select(sweep_calls).where(*self._of(sweep_calls, sweep_id)).order_by(sweep_calls.c.number)).all()
        states = (CallState(call.number, call.status, tuple(tries.get(call.number, ())), call.answer_start) for call in calls)
        return SweepState(_record(row), tuple(states))

    def newest(self, comparison_id: str | None = None, limit: int = 20) -> tuple[SweepRecord, ...]:
        """The newest sweeps, of one comparison where it is given."""
        asked = select(sweeps).where(sweeps.c.owner == self._owner)
        if comparison_id is not None:
            asked = asked.where(sweeps.c.comparison_id == comparison_id)
        with self._database.read() as connection:
            found = connection.execute(asked.order_by(sweeps.c.created_at.desc(), sweeps.c.id).limit(limit)).all()
        return tuple(_record(row) for row in found)

    def outcomes(self, run_ids: Sequence[str]) -> dict[str, tuple[RunStatus, str]]:
        """What became of runs, by id: status, and how the first answer begins (or why there is none)."""
        asked = select(runs.c.id, runs.c.status, run_contents.c.choices, run_contents.c.error).join(run_contents)
        with self._database.read() as connection:
            found = connection.execute(asked.where(runs.c.owner == self._owner, runs.c.id.in_(run_ids))).all()
        return {row.id: (row.status, _start(row.choices, row.error)) for row in found}

    def runs_of(self, sweep_id: str) -> dict[str, RunRow]:
        """The runs of every try as lists have them, by id; one that was deleted for good is missing."""
        with self._database.read() as connection:
            asked = select(*_ROW).join(sweep_tries, (sweep_tries.c.run_id == runs.c.id) & (sweep_tries.c.owner == runs.c.owner))
            rows = connection.execute(asked.where(*self._of(sweep_tries, sweep_id))).all()
        return {row.id: listed(row, ()) for row in rows}

    def cost(self, sweep_id: str) -> SweepCost:
        """What all tries cost so far, those of repeated and interrupted calls included."""
        found = self.runs_of(sweep_id)
        with self._database.read() as connection:
            tries = connection.scalar(select(func.count()).select_from(sweep_tries).where(*self._of(sweep_tries, sweep_id))) or 0
        known = [row.cost_usd for row in found.values() if row.cost_usd is not None]
        refused = sum(row.error_kind == "router_rejected" and row.cost_usd is None for row in found.values())
        under_way = sum(row.status not in ENDED for row in found.values())
        return SweepCost(sum(known, Decimal(0)), len(known), tries - len(known) - refused - under_way, refused)

    # Rows

    def _key(self, sweep_id: str) -> dict[str, str]:
        return {"owner": self._owner, "sweep_id": sweep_id}

    def _this(self, sweep_id: str) -> tuple[Any, ...]:
        return (sweeps.c.owner == self._owner, sweeps.c.id == sweep_id)

    def _of(self, table: Any, sweep_id: str) -> tuple[Any, ...]:
        return (table.c.owner == self._owner, table.c.sweep_id == sweep_id)

    def _set(self, connection: Connection, sweep_id: str, calls: Sequence[CallState]) -> None:
        if not calls:
            return
        wanted = update(sweep_calls).where(*self._of(sweep_calls, sweep_id), sweep_calls.c.number == bindparam("which"))
        values = wanted.values(status=bindparam("is_now"), answer_start=bindparam("begins"))
        connection.execute(values, [{"which": call.number, "is_now": call.status, "begins": call.answer_start} for call in calls])


def _record(row: Row[Any]) -> SweepRecord:
    return SweepRecord(
        id=row.id,
        plan=SweepPlan(SweepSettings.from_dict(row.settings)),
        connection_kind=row.connection_kind,
        connection_name=row.connection_name,
        base_url=row.base_url,
        created_at=row.created_at,
        status=row.status,
        reason=row.reason,
        process=row.process,
        comparison_id=row.comparison_id,
        ended_at=row.ended_at,
    )


def _start(choices: Any, error: Mapping[str, Any] | None) -> str:
    texts = [str(choice.get("text", "")) for choice in choices or [] if isinstance(choice, Mapping)]
    return (texts[0] if texts and texts[0] else str((error or {}).get("cause", "")))[:ANSWER_START]
