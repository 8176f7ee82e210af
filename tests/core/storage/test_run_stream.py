"""Every run comes once, in order, with its tags, wherever the batches end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from core.errors import StorageUnavailable
from core.storage import run_stream
from core.storage.database import Database
from core.storage.run_query import RunFilter
from core.storage.run_repository import RunRepository
from tests.core.storage.samples import START, run
from tests.support.conditions import eventually


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_stream, "BATCH", 3)


@pytest.mark.parametrize("count", [0, 2, 3, 7])
def test_each_run_comes_once_with_its_tags(database: Database, count: int) -> None:
    runs = RunRepository(database)
    made = [run(created_at=START) for _ in range(count)]  # all begun at one moment
    runs.save(made)
    for one in made[1::2]:
        runs.tag([one.id], "b")
        runs.tag([one.id], "a, b")
    expected = [(one.id, ("a, b", "b") if number % 2 else ()) for number, one in enumerate(made)]
    assert [(one.snapshot.id, one.tags) for one in runs.stream()] == expected
    assert [(one.row[1], one.tags) for one in runs.packed()] == expected
    lines = [json.loads(one.line()) for one in runs.packed()]
    assert [(line["id"], tuple(line["tags"])) for line in lines] == expected


def test_run_deleted_or_added_meanwhile_is_not_in_the_way(database: Database) -> None:
    runs = RunRepository(database)
    made = [run() for _ in range(9)]
    runs.save(made)
    coming = runs.packed()
    first = next(coming).row[1]
    runs.delete(RunFilter(ids=(first, made[8].id)))
    assert [first, *(one.row[1] for one in coming)] == [one.id for one in made[:8]]


def test_large_runs_come_a_few_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_stream, "BATCH", 100)
    monkeypatch.setattr(run_stream, "FIRST_BATCH", 4)
    monkeypatch.setattr(run_stream, "BATCH_BYTES", 250_000)
    runs = RunRepository(database)
    made = [run(text="x" * 50_000) for _ in range(9)]  # 101 KB each, as the database is told
    runs.save(made)
    reads, read = [], database.read

    @contextmanager
    def counted() -> Iterator[Connection]:
        reads.append(1)
        with read() as connection:
            yield connection

    monkeypatch.setattr(database, "read", counted)
    assert [one.row[1] for one in runs.packed()] == [one.id for one in made]
    assert len(reads) == 4  # 4, 2, 2, 1


def test_reading_that_is_given_up_leaves_no_thread(database: Database) -> None:
    runs = RunRepository(database)
    runs.save([run() for _ in range(9)])
    coming = runs.packed()
    next(coming)
    coming.close()  # type: ignore[attr-defined]
    eventually(lambda: not [one for one in threading.enumerate() if one.name == "ahead"], what="the reading thread to end")


def test_database_that_goes_away_meanwhile_is_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = RunRepository(database)
    runs.save([run() for _ in range(9)])
    reads, read = iter(range(100)), database.read

    @contextmanager
    def once() -> Iterator[Connection]:
        if next(reads):
            raise StorageUnavailable("It went away.", "Wait.")
        with read() as connection:
            yield connection

    monkeypatch.setattr(database, "read", once)
    found = []
    with pytest.raises(StorageUnavailable, match="went away"):
        found.extend(runs.packed())
    assert len(found) == run_stream.BATCH
