"""An unread row writes down the same as the run that is read from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core.contract.response import parse_usage
from core.export.run_files import FileKind, table_row, write_runs
from core.metrics import Timings
from core.run import ENDED, ChoiceText, RunError, RunSnapshot
from core.storage.database import Database
from core.storage.run_query import RunFilter
from core.storage.run_record import StoredRun
from core.storage.run_repository import RunRepository
from tests.core.storage import samples

WORDS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(["\x7f", "\u2028", "\0", '"\\/', "🤖é", "=1+1", "a\r\nb"])
ANY_TEXT = WORDS | st.just("half \ud83d of it")
NUMBERS = st.floats(allow_nan=False, width=64) | st.integers(0, 10**9)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.dictionaries(WORDS, VALUES, max_size=3)
PROMPT = ANY_TEXT | st.lists(ANY_TEXT, max_size=2)
BODY = {"prompt": PROMPT, "model": VALUES, "orq": OBJECTS}
HEADERS = st.dictionaries(WORDS, WORDS, max_size=2) | st.sampled_from([{"x-router-attempts": "2.0"}, {"x-router-cache": "hit"}])
CHOICES = st.dictionaries(st.integers(0, 3), st.builds(ChoiceText, ANY_TEXT, st.none() | st.sampled_from(["stop", "length"])), max_size=3)
SECONDS = st.none() | st.floats(0, 1e6)


@st.composite
def snapshots(draw: st.DrawFn) -> RunSnapshot:
    body = draw(OBJECTS) | draw(st.fixed_dictionaries({}, optional=BODY))
    sent = json.dumps(body).encode()
    error = RunError(
        "stream_broken", draw(ANY_TEXT), draw(WORDS), status=draw(st.none() | st.integers(400, 599)), retry_after_s=draw(SECONDS)
    )
    return replace(
        samples.run(),
        body=body,
        sent=sent,
        status=draw(st.sampled_from(sorted(ENDED))),
        created_at=samples.START + timedelta(microseconds=draw(st.integers(0, 10**13))),
        choices=draw(CHOICES),
        usage=parse_usage(draw(st.none() | OBJECTS | st.fixed_dictionaries({"total_tokens": st.integers(0, 10**9) | st.just("7")}))),
        model=draw(st.none() | WORDS),
        request_id=draw(st.none() | WORDS),
        headers=draw(HEADERS),
        timings=Timings(*(draw(SECONDS) for _ in range(4))),
        error=draw(st.sampled_from([None, error])),
        raw=draw(WORDS),
        raw_truncated=draw(st.booleans()),
        trace=draw(st.none() | OBJECTS),
    )


@st.composite
def stored_runs(draw: st.DrawFn) -> StoredRun:
    return replace(
        StoredRun.of(draw(snapshots())),
        cost_usd=draw(st.none() | st.integers(0, 10**15).map(lambda pico: Decimal(pico) / 10**12)),
        cost_detail=draw(st.none() | OBJECTS),
        starred=draw(st.booleans()),
        note=draw(WORDS),
        tags=tuple(sorted(draw(st.sets(st.sampled_from(["a", "ü", '"', "z z"]))))),
    )


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(runs=st.lists(stored_runs(), min_size=1, max_size=4))
def test_line_and_cells_are_those_of_the_run_that_is_read(database: Database, runs: list[StoredRun]) -> None:
    with database.write() as connection:
        connection.execute(text("DELETE FROM runs"))
    repository = RunRepository(database)
    repository.insert(runs)
    read, packed = [*repository.stream()], [*repository.packed()]
    assert [json.loads(run.line()) for run in packed] == [run.to_json() for run in read]
    assert all(b"\n" not in run.line() for run in packed)
    expected = [tuple(table_row(run).values()) for run in read]
    assert [_as_stored(cells) for cells in (run.cells() for run in packed)] == [_as_stored(cells) for cells in expected]
    assert [run.cells() for run in repository.packed(lines=False)] == [run.cells() for run in packed]


def _as_stored(cells: tuple[Any, ...]) -> list[Any]:
    """A table's columns that lists show, too, hold U+FFFD where U+0000 was."""
    return [cell.replace("\0", "\ufffd") if isinstance(cell, str) else cell for cell in cells]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_files_of_unread_rows_are_those_of_runs(database: Database, kind: FileKind, tmp_path: Path) -> None:
    repository = RunRepository(database)
    repository.save([samples.run(), samples.everything(), samples.run(usage=None, model=None, choices={}, sent=b'{"prompt": "\xc3\xa9"}')])
    assert write_runs(repository.stream(), kind, tmp_path / "runs") == write_runs(_packed(repository, kind), kind, tmp_path / "rows") == 3
    assert (tmp_path / "rows").read_bytes() == (tmp_path / "runs").read_bytes()


def _packed(repository: RunRepository, kind: FileKind) -> Iterator[Any]:
    return repository.packed(RunFilter(), lines=kind == "jsonl")
