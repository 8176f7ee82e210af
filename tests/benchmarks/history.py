"""History of 100,000 runs on SQLite and on PostgreSQL: import, pages, sorts, searches, filters, export and memory.

Each database is measured by a process of its own, ``python -m tests.benchmarks.history sqlite FOLDER`` or ``… postgresql FOLDER URL``.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Final

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import make_url, text

from core.export.run_files import FileKind, write_runs
from core.export.run_import import import_runs
from core.storage.column_types import microseconds
from core.storage.database import Database
from core.storage.run_figures import RunFigures
from core.storage.run_query import SORT_COLUMNS, Cursor, RunFilter, RunOrder, RunPage
from core.storage.run_repository import RunRepository
from tests.benchmarks.history_runs import COMMON, EVERY, FIRST_AT, MIDDLE, RARE, made_runs
from tests.benchmarks.row import Row, row
from tests.support.postgres import postgres_server

RUNS: Final = int(os.environ.get("BENCH_HISTORY_RUNS", "100000"))
"""1000000 takes half an hour, 6 GB for PostgreSQL where the memory file system is, and 12 GB for the exports."""
DATABASES: Final = os.environ.get("BENCH_HISTORY_DATABASES", "sqlite postgresql").split()
LISTS: Final = 7
EXPORTED: Final = min(RUNS, 100_000)
LIST: Final = "SELECT * FROM runs WHERE owner = 'local' AND deleted_at IS NULL ORDER BY created_at DESC LIMIT 50"


def run() -> list[Row]:
    """Every figure on one database after the other; each list is asked ``LISTS`` times after one that does not count."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if "sqlite" in DATABASES:
            rows += _measured("sqlite", folder)
        if "postgresql" in DATABASES:
            with postgres_server() as server:
                rows += _measured("postgresql", folder, server.new_database().render_as_string(hide_password=False))
    return rows


def _measured(*arguments: str) -> list[Row]:
    command = [sys.executable, "-m", "tests.benchmarks.history", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [Row(**one) for one in json.loads(done.stdout.splitlines()[-1])]


def _on(database: Database, place: Path, name: str) -> list[Row]:
    runs = RunRepository(database)
    database.open()
    runs.insert(made_runs(RUNS))
    with database.write() as connection:
        connection.execute(text("ANALYZE"))
    with _plain(database) as ask:
        plain = ("a plain SELECT … LIMIT 50", _median_ms(lambda: ask(LIST)))
        reading = ("a plain cursor over the rows", EXPORTED / _seconds(lambda: ask(f"{_WHOLE} LIMIT {EXPORTED}")))
    rows: list[Row] = []
    for what, page, target in _lists(runs):
        rows.append(row(f"{name}: {what}", "ms", _median_ms(page), target=target, reference=plain))
    exported: tuple[FileKind, ...] = ("jsonl", "csv", "parquet")
    took = {kind: _seconds(lambda kind=kind: write_runs(runs.packed(lines=kind == "jsonl"), kind, place / kind)) for kind in exported}  # type: ignore[misc]
    rows.append(row(f"{name}: import of {EXPORTED:,} runs (once)", "rows/s", EXPORTED / _imported(database, place / "jsonl")))
    peak_mb = _peak_mb()  # before the reference reads a whole table
    for kind in exported:
        rows.append(_exported(kind, took[kind], place / kind, name, reading))
    rows.append(row(f"{name}: memory of the process that did all of this, at most", "MB", peak_mb, target="≤ 400 MB"))
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
    for column in SORT_COLUMNS:
        if column != "created_at":
            yield f"page by {column}", lambda column=column: runs.page(order=RunOrder(column)), _target(60)  # type: ignore[misc]
    for what, asked in (
        ("a word every run has", COMMON),
        ("a word of one in ten", MIDDLE),
        ("a rare word", RARE),
        ("an absent word", "nowhere"),
        ("two words", f"{COMMON} {MIDDLE}"),
        ("a beginning every run has, of one letter", "w*"),
        ("a beginning every run has, of six", f"{COMMON[:6]}*"),
    ):
        assert runs.page(RunFilter(text=asked)).rows or asked == "nowhere", f"no made-up run has {asked}"
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


def _exported(kind: FileKind, took_s: float, path: Path, name: str, reading: tuple[str, float]) -> Row:
    """What an export of all took, once; its file is gone afterwards."""
    size_mb = path.stat().st_size / 1024**2
    reference = reading
    if kind == "parquet":
        table = pq.read_table(path)
        reference = ("pyarrow writing that table", RUNS / _seconds(lambda: _write(table, path)))
    path.unlink()
    what = f"{name}: export {kind}, {size_mb:,.0f} MB (once)"
    return row(what, "rows/s", RUNS / took_s, target="≥ 20,000 rows/s", reference=reference, more_is_better=True)


def _imported(database: Database, path: Path) -> float:
    """Seconds that reading ``EXPORTED`` lines into a history takes that has as many runs already, somebody else's."""
    lines = path.with_suffix(".lines")
    with path.open("rb") as whole, lines.open("wb") as some:
        some.writelines(islice(whole, EXPORTED))
    with lines.open("rb") as file:
        took_s = _seconds(lambda: import_runs(file, RunRepository(database, "importer")))
    lines.unlink()
    assert RunRepository(database, "importer").count() == EXPORTED
    return took_s


def _write(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd", row_group_size=1_000)


def _peak_mb() -> float:
    """The most this process had in memory so far. What ``getrusage`` tells begins, on Linux, with what the process had that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:")).split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024**2 if sys.platform == "darwin" else 1024)


def _median_ms(work: Callable[[], object]) -> float:
    times: Sequence[float] = [_seconds(work) for _ in range(LISTS + 1)]
    return median(times[1:]) * 1_000


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    if sys.argv[1] == "sqlite":
        measured = _on(Database.of(folder, None), folder, "SQLite")
    else:
        measured = _on(Database(make_url(sys.argv[3])), folder, "PostgreSQL")
    sys.stdout.write(json.dumps([one.to_dict() for one in measured]) + "\n")
