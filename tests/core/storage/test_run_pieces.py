"""The text of a run under way: stored second by second as it comes, read as one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select

from core.errors import StorageUnavailable
from core.export.run_files import COLUMNS
from core.run import ChoiceText, RunSnapshot
from core.storage import schema
from core.storage.database import Database
from core.storage.run_query import RunFilter
from core.storage.run_repository import RunRepository
from tests.core.storage.samples import START, run

TEXTS = (("One", "1"), ("One \0two", "1"), ("One \0two 🤖", "12 half \ufffd"), ("One \0two 🤖 three", "12 half \ufffd 3"))


def seconds_of_two_choices(**fields: object) -> list[RunSnapshot]:
    """A run as it is saved second after second."""
    first = run(status="streaming", usage=None, created_at=START, **fields)  # type: ignore[arg-type]
    return [replace(first, choices={0: ChoiceText(one, None), 1: ChoiceText(two, None)}, pieces=len(one) + len(two)) for one, two in TEXTS]


def texts(found: RunSnapshot) -> tuple[str, str]:
    return found.choices[0].text, found.choices[1].text


def pieces(database: Database) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(schema.run_pieces)) or 0


def test_each_second_adds_what_is_new_and_the_end_puts_it_together(database: Database) -> None:
    runs, others = RunRepository(database), RunRepository(database)
    going = seconds_of_two_choices()
    for number, one in enumerate(going):
        runs.save([one])
        runs.save([one])  # nothing new
        assert pieces(database) == number
        found = others.find(one.id)
        assert found is not None
        assert (texts(found.snapshot), found.snapshot.pieces) == (TEXTS[number], one.pieces)
    runs.save([replace(going[-1], status="stopped")])
    assert pieces(database) == 0
    found = others.find(going[0].id)
    assert found is not None
    assert texts(found.snapshot) == TEXTS[-1]
    assert [row.id for row in runs.page(RunFilter(text="three")).rows] == [going[0].id]


def test_whatever_else_changes_puts_it_together_too(database: Database) -> None:
    runs = RunRepository(database)
    going = seconds_of_two_choices()
    runs.save([going[0]])
    runs.save([going[1]])
    runs.save([replace(going[2], model="m/late")])
    assert pieces(database) == 0
    runs.save([replace(going[3], model="m/late")])
    assert pieces(database) == 1
    found = RunRepository(database).find(going[0].id)
    assert found is not None
    assert (texts(found.snapshot), found.snapshot.model) == (TEXTS[3], "m/late")


def test_run_under_way_is_exported_with_the_text_it_has(database: Database) -> None:
    runs = RunRepository(database)
    going, beside = seconds_of_two_choices(), run()
    for one in going:
        runs.save([one, beside])
    [read, _], [packed, _] = runs.stream(), runs.packed()
    assert texts(read.snapshot) == TEXTS[-1]
    assert json.loads(packed.line()) == read.to_json()
    cells = dict(zip(COLUMNS, next(runs.packed(lines=False)).cells(), strict=True))
    assert (cells["output"], cells["choices"], cells["total_s"]) == (TEXTS[-1][0], 2, None)


def test_time_of_a_run_under_way_is_told_until_it_was_last_saved(database: Database) -> None:
    clock = [START + timedelta(seconds=1)]
    runs = RunRepository(database, process="gone", now=lambda: clock[0])
    for number, one in enumerate(seconds_of_two_choices(), 1):
        clock[0] = START + timedelta(seconds=number)
        runs.save([one])
    found = runs.find(one.id)
    assert found is not None
    assert found.snapshot.timings.total_s == 4.0
    assert runs.page().rows[0].total_s is None
    assert RunRepository(database).interrupt(["gone"]) == 1
    left = runs.find(one.id)
    assert left is not None
    assert (left.snapshot.status, texts(left.snapshot), left.ended_at) == ("interrupted", TEXTS[-1], clock[0])
    assert left.snapshot.timings.total_s == 4.0
    assert left.snapshot.timings.tokens_per_s == pytest.approx((one.pieces - 1) / 3.7)
    assert pieces(database) == 0


def test_run_that_another_process_took_for_left_behind_ends_with_its_whole_text(database: Database) -> None:
    runs = RunRepository(database, process="slow")
    going = seconds_of_two_choices()
    runs.save([going[0]])
    runs.save([going[1]])
    assert RunRepository(database).interrupt(["slow"]) == 1
    runs.save([going[2]])
    runs.save([replace(going[3], status="finished")])
    found = runs.find(going[0].id)
    assert found is not None
    assert (found.snapshot.status, texts(found.snapshot)) == ("finished", TEXTS[-1])
    assert [row.id for row in runs.page(RunFilter(text="one")).rows] == [going[0].id]


def test_second_that_could_not_be_saved_comes_with_the_next_and_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = RunRepository(database)
    going = seconds_of_two_choices()
    runs.save([going[0]])
    write = database.write

    @contextmanager
    def undone() -> Iterator[Connection]:
        with write() as connection:
            yield connection
            raise StorageUnavailable("The disk is full.", "Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(database, "write", undone)
        for one in going[1:3]:
            with pytest.raises(StorageUnavailable):
                runs.save([one])
    runs.save([going[3]])
    found = runs.find(going[0].id)
    assert found is not None
    assert (texts(found.snapshot), pieces(database)) == (TEXTS[3], 1)
