"""History of 100,000 runs on SQLite and on PostgreSQL: import, pages, searches, filters, export and memory."""

from __future__ import annotations

import os
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Final

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import text

from core.export.run_files import FileKind, write_runs
from core.storage.column_types import microseconds
from core.storage.database import Database
from core.storage.run_figures import RunFigures
from core.storage.run_query import Cursor, RunFilter, RunOrder, RunPage
from core.storage.run_repository import RunRepository
from tests.benchmarks.history_runs import COMMON, EVERY, FIRST_AT, MIDDLE, RARE, made_runs
from tests.benchmarks.row import Row, row
from tests.support.postgres import postgres_server

RUNS: Final = int(os.environ.get("BENCH_HISTORY_RUNS", "100000"))
"""1000000 takes a quarter of an hour and 10 GB."""
LISTS: Final = 7
EXPORTED: Final = min(RUNS, 100_000)
LIST: Final = "SELECT * FROM runs WHERE owner = 'local' AND deleted_at IS NULL ORDER BY created_at DESC LIMIT 50"


def run() -> list[Row]:
    """Every figure on one database after the other; each list is asked ``LISTS`` times after one that does not count."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        rows = _on(Database.of(place, None), place, "SQLite")
        with postgres_server() as server:
            url = server.new_database()
            rows += _on(Database(url), place, "PostgreSQL")
    return rows


def _on(database: Database, place: Path, name: str) -> list[Row]:
    runs = RunRepository(database)
    database.open()
    took_s = _seconds(lambda: runs.insert(made_runs(RUNS)))
    with database.write() as connection:
        connection.execute(text("ANALYZE"))
    with _plain(database) as ask:
        plain = ("a plain SELECT … LIMIT 50", _median_ms(lambda: ask(LIST)))
        reading = ("a plain cursor over the rows", EXPORTED / _seconds(lambda: ask(f"{_WHOLE} LIMIT {EXPORTED}")))
    made_s = _seconds(lambda: [None for _ in made_runs(2_000)]) / 2_000 * RUNS
    rows = [row(f"{name}: import, {RUNS:,} runs", "rows/s", RUNS / max(took_s - made_s, 0.001))]
    for what, page, target in _lists(runs):
        rows.append(row(f"{name}: {what}", "ms", _median_ms(page), target=target, reference=plain))
    for kind in ("jsonl", "csv", "parquet"):
        rows.append(_exported(runs, kind, place, name, reading))
    rows.append(row(f"{name}: memory of this process, at most", "MB", _peak_mb(), target="≤ 400 MB"))
    figures = RunFigures(database)
    rows.append(
        row(f"{name}: figures by day and model (once)", "ms", _seconds(lambda: figures.over_time(RunFilter(), timedelta(days=1))) * 1e3)
    )
    database.close()
    return rows


def _lists(runs: RunRepository) -> Iterator[tuple[str, Callable[[], RunPage], str]]:
    deep = Cursor(microseconds(FIRST_AT + EVERY * (RUNS // 3)), RUNS // 3).encode(RunOrder())
    yield "first page", runs.page, _target(60)
    yield "deep page", lambda: runs.page(after=deep), _target(60)
    yield "page by cost", lambda: runs.page(order=RunOrder("cost_usd")), _target(60)
    for what, asked in (
        ("a word every run has", COMMON),
        ("a word of one in forty", MIDDLE),
        ("a rare word", RARE),
        ("an absent word", "nowhere"),
        ("two words", f"{COMMON} {MIDDLE}"),
        ("a beginning every run has, of one letter", "w*"),
        ("a beginning every run has, of six", f"{COMMON[:6]}*"),
    ):
        yield f"search, {what}", lambda asked=asked: runs.page(RunFilter(text=asked)), _target(80)  # type: ignore[misc]
    yield "filter, an absent model", lambda: runs.page(RunFilter(models=("absent",))), _target(60)
    yield "filter, one model of five", lambda: runs.page(RunFilter(models=("local/echo",))), _target(60)
    yield "filter, failed runs with a common word", lambda: runs.page(RunFilter(text=COMMON, statuses=("failed",))), _target(80)


def _target(milliseconds: int) -> str:
    return f"≤ {milliseconds * (2 if RUNS > 100_000 else 1)} ms"


_WHOLE: Final = "SELECT * FROM runs JOIN run_contents ON run_pk = pk WHERE owner = 'local' AND deleted_at IS NULL ORDER BY created_at"


@contextmanager
def _plain(database: Database) -> Iterator[Callable[[str], None]]:
    """Runs a statement by the driver alone, and looks at every row."""
    url = database._url
    if database.path is not None:
        connection = sqlite3.connect(database.path)
        yield lambda statement: _exhaust(connection.execute(statement))
        connection.close()
        return
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as server:

        def ask(statement: str) -> None:
            with server.cursor("bench") as cursor:
                cursor.itersize = 500
                _exhaust(cursor.execute(statement))

        yield ask


def _exhaust(rows: Iterable[object]) -> None:
    for _ in rows:
        pass


def _exported(runs: RunRepository, kind: FileKind, place: Path, name: str, reading: tuple[str, float]) -> Row:
    """The whole of it, once; the file is gone afterwards."""
    path = place / f"export.{kind}"
    took_s = _seconds(lambda: write_runs(runs.packed(RunFilter(), lines=kind == "jsonl"), kind, path))
    size_mb = path.stat().st_size / 1024**2
    reference = reading
    if kind == "parquet":
        table = pq.read_table(path)
        reference = ("pyarrow writing that table", RUNS / _seconds(lambda: _write(table, path)))
    path.unlink()
    what = f"{name}: export {kind}, {size_mb:,.0f} MB (once)"
    return row(what, "rows/s", RUNS / took_s, target="≥ 20,000 rows/s", reference=reference, more_is_better=True)


def _write(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd", row_group_size=1_000)


def _peak_mb() -> float:
    """The most this process had in memory so far."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024**2 if sys.platform == "darwin" else 1024)


def _median_ms(work: Callable[[], object]) -> float:
    times: Sequence[float] = [_seconds(work) for _ in range(LISTS + 1)]
    return median(times[1:]) * 1_000


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
