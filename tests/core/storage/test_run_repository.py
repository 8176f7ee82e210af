"""Runs as they are stored: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import StatementError

from core.metrics import Timings
from core.prices.pricing import Price
from core.prices.run_cost import RunCost
from core.run import ChoiceText, RunSnapshot
from core.storage import run_pages
from core.storage.attempt_repository import AttemptRepository
from core.storage.database import Database
from core.storage.run_query import SORT_COLUMNS, RunFilter, RunOrder, SortColumn
from core.storage.run_record import Attempt, RunRow, StoredRun
from core.storage.run_repository import RunRepository
from tests.core.storage.samples import START, body, everything, run


@pytest.fixture
def stored(database: Database) -> RunRepository:
    return RunRepository(database, process="here")


def ids(runs: RunRepository, **which: object) -> list[str]:
    return [row.id for row in runs.page(RunFilter(**which), RunOrder(descending=False)).rows]  # type: ignore[arg-type]


def kept(runs: RunRepository, run_id: str) -> StoredRun:
    found = runs.find(run_id)
    assert found is not None
    return found


def test_run_comes_back_as_it_was_to_the_last_character(stored: RunRepository) -> None:
    made = everything()
    stored.save([made])
    found = kept(stored, made.id).snapshot
    assert found == made
    assert found.usage is not None
    assert found.usage.raw == made.usage.raw  # type: ignore[union-attr]
    assert (found.sent, found.raw) == (made.sent, made.raw)


def test_unknown_id_is_none(stored: RunRepository) -> None:
    assert stored.find("nobody") is None


def test_runs_of_another_owner_are_not_there(stored: RunRepository, database: Database) -> None:
    other, mine = RunRepository(database, "somebody else"), run()
    stored.save([mine])
    other.save([replace(mine, slot="h")])
    other.tag([mine.id], "theirs")
    other.star([mine.id])
    assert other.delete(RunFilter()) is not None
    assert (kept(stored, mine.id).snapshot.slot, stored.count(), stored.tags()) == ("a", 1, ())
    assert not kept(stored, mine.id).starred


def test_saving_again_updates_the_run_and_leaves_what_people_put_on_it(stored: RunRepository) -> None:
    made = run(status="streaming", text="so far", raw="")
    stored.save([made])
    stored.star([made.id])
    stored.note(made.id, "a note\0")
    stored.tag([made.id], " good ")
    stored.tag([made.id], "good")
    stored.set_cost(made.id, Decimal("0.000000000123"), {"source": "a list"})
    done = replace(made, status="finished", choices={0: ChoiceText("so far and on", "stop")}, raw="all of it")
    stored.save([done])
    stored.save([replace(done, trace={"events": []})])
    found = kept(stored, made.id)
    assert found.snapshot == replace(done, trace={"events": []})
    assert (found.starred, found.note, found.tags) == (True, "a note\ufffd", ("good",))
    assert (found.cost_usd, found.cost_detail) == (Decimal("0.000000000123"), {"source": "a list"})
    assert found.ended_at == made.created_at + timedelta(seconds=1.5)
    stored.untag([made.id], "good")
    stored.set_cost(made.id, None, None)
    assert (kept(stored, made.id).tags, kept(stored, made.id).cost_usd) == ((), None)


def test_a_run_keeps_the_tags_it_was_started_with_until_somebody_takes_them_off(stored: RunRepository) -> None:
    made = run(status="streaming", tags=("sweep one",))
    stored.save([made])
    stored.tag([made.id], "good")
    done = replace(made, status="finished")
    stored.save([done])
    assert kept(stored, made.id).tags == ("good", "sweep one")
    stored.untag([made.id], "sweep one")
    stored.save([done])
    assert kept(stored, made.id).tags == ("good",)


def test_text_that_grows_is_saved_each_time_and_what_comes_beside_it_too(stored: RunRepository) -> None:
    going = run(status="streaming", text="one", pieces=1, model=None)
    stored.save([going])
    for number, words in enumerate(("one two", "one two three"), 2):
        going = replace(going, choices={0: ChoiceText(words, None)}, pieces=number)
        stored.save([going])
        found = kept(stored, going.id).snapshot
        assert (found.text, found.pieces, found.status) == (words, number, "streaming")
    stored.save([going := replace(going, model="m/late")])
    assert kept(stored, going.id).snapshot.model == "m/late"
    stored.save([replace(going, status="stopped")])
    assert (kept(stored, going.id).snapshot.status, kept(stored, going.id).snapshot.text) == ("stopped", "one two three")


def test_answer_as_received_is_stored_at_the_end_only(stored: RunRepository) -> None:
    made = run(status="streaming")
    stored.save([made])
    assert kept(stored, made.id).snapshot.raw == ""


def test_all_of_a_batch_is_stored_or_nothing(stored: RunRepository) -> None:
    with pytest.raises((StatementError, TypeError)):
        stored.save([run(), run(headers={"x": object()})])
    assert stored.count() == 0


def test_list_shows_each_run_with_what_it_came_to(stored: RunRepository) -> None:
    made = everything()
    stored.save([made])
    stored.tag([made.id], "b")
    stored.tag([made.id], "a")
    row = stored.page().rows[0]
    assert row.prompt_start == "nul \ufffd and 🤖 and e\u0301\n"
    assert (row.id, row.slot, row.status, row.error_kind) == (made.id, "b", "failed", "stream_broken")
    assert (row.model_asked, row.model_answered, row.finish_reason) == ("local/pydoc", "local/pydoc", "stop")
    assert (row.prompt_tokens, row.completion_tokens, row.total_tokens) == (7, 3, 10)
    assert (row.cached_tokens, row.reasoning_tokens, row.cost_usd) == (2, 1, None)
    assert (row.thread, row.identity, row.attempts, row.cache) == ("t-1", "i-1", 2, None)
    assert (row.first_token_s, row.total_s, row.created_at) == (0.1 + 0.2, 1.5, made.created_at)
    assert row.tags == ("a", "b")


def test_attempts_are_stored_with_their_run(stored: RunRepository, database: Database) -> None:
    made = everything()
    stored.save([made])
    stored.save([made])
    attempts = AttemptRepository(database)
    assert attempts.of(made.id) == (Attempt(1, "local/a", 503, 0.5, 12.25), Attempt(2, "local/pydoc", None, 1013.0, None))
    assert attempts.per_model() == {"local/a": (1, 0), "local/pydoc": (1, 0)}


FILTERS: list[tuple[dict[str, object], Callable[[RunSnapshot], RunSnapshot]]] = [
    ({"models": ("m/asked",)}, lambda r: run(asked=body(model="m/asked"))),
    ({"models": ("m/answered", "m/none")}, lambda r: replace(r, model="m/answered")),
    ({"statuses": ("failed", "stopped")}, lambda r: replace(r, status="stopped")),
    ({"finish_reasons": ("length",)}, lambda r: replace(r, choices={0: ChoiceText("", "stop"), 1: ChoiceText("", "length")})),
    ({"connections": ("Orq",)}, lambda r: replace(r, connection_name="Orq")),
    ({"slots": ("c",)}, lambda r: replace(r, slot="c")),
    ({"threads": ("t",)}, lambda r: run(asked=body(orq={"thread": {"id": "t"}}))),
    ({"identities": ("i",)}, lambda r: run(asked=body(orq={"identity": {"id": "i"}, "contact": {"id": "c"}}))),
    ({"created_from": START + timedelta(days=3)}, lambda r: replace(r, created_at=START + timedelta(days=3))),
    ({"created_before": START}, lambda r: replace(r, created_at=START - timedelta(microseconds=1))),
    ({"first_token_s_min": 2.0, "first_token_s_max": 3.0}, lambda r: replace(r, timings=Timings(0, 3.0, 4.0, None))),
    ({"total_s_min": 4.0, "total_s_max": 4.0}, lambda r: replace(r, timings=Timings(0, 3.0, 4.0, None))),
]


def test_import_keeps_the_order_of_the_file_and_each_run_its_own_contents(database: Database) -> None:
    runs = RunRepository(database)
    made = [replace(StoredRun.of(run(text=f"answer {number}")), tags=(f"tag {number}",)) for number in range(40)]
    runs.insert(made[10:20])
    assert runs.insert(made) == 30
    assert [(one.snapshot.text, one.tags) for one in runs.stream()] == [(one.snapshot.text, one.tags) for one in made]
    found = runs.page(RunFilter(text="answer"), RunOrder("created_at", descending=False), limit=100).rows
    assert [(row.id, row.tags) for row in found] == [(one.snapshot.id, one.tags) for one in made]


def test_import_takes_ids_that_no_database_could_hold_as_they_are(stored: RunRepository) -> None:
    made = [StoredRun.of(run(id="nul \0")), StoredRun.of(run(id="half \ud83d"))]
    assert [stored.insert(made), stored.insert(made)] == [2, 0]
    assert [one.snapshot.id for one in stored.stream()] == ["nul \ufffd", "half ?"]


@pytest.mark.parametrize(("which", "fitting"), FILTERS, ids=[next(iter(which)) for which, _ in FILTERS])
def test_filter_finds_the_runs_that_fit_and_no_other(
    stored: RunRepository, which: dict[str, object], fitting: Callable[[RunSnapshot], RunSnapshot]
) -> None:
    fits = fitting(run())
    stored.save([run(), fits, run(usage=None, timings=Timings(), choices={}, model=None)])
    assert ids(stored, **which) == [fits.id]
    assert stored.count(RunFilter(**which)) == 1  # type: ignore[arg-type]


def test_filters_by_mark_and_cost_join_with_and(stored: RunRepository) -> None:
    made = [run() for _ in range(4)]
    stored.save(made)
    first, second, third, _ = (one.id for one in made)
    stored.star([first, second])
    stored.tag([second, third], "x")
    stored.set_cost(first, Decimal("0.10"), None)
    stored.set_cost(third, Decimal("0.30"), None)
    assert ids(stored, starred=True) == [first, second]
    assert ids(stored, tags=("x", "y")) == [second, third]
    assert ids(stored, starred=True, tags=("x",)) == [second]
    assert ids(stored, starred=False, tags=("x",)) == [third]
    assert ids(stored, cost_usd_min=Decimal("0.2")) == [third]
    assert ids(stored, cost_usd_max=Decimal("0.1")) == [first]
    assert ids(stored, ids=(first, third)) == [first, third]


@pytest.mark.parametrize("column", SORT_COLUMNS)
@pytest.mark.parametrize("descending", [True, False], ids=["descending", "ascending"])
def test_pages_hold_every_run_once_in_order_and_those_without_a_value_last(
    stored: RunRepository, column: SortColumn, descending: bool
) -> None:
    values = ["b", None, "a", "b", None, "c", "a"]
    made = []
    for number, value in enumerate(values):
        amount = None if value is None else float(ord(value))
        asked = body(model=value, prompt=value or "", orq={"thread": {"id": value}, "identity": {"id": value}} if value else {})
        usage = None if amount is None else replace(run().usage, total_tokens=int(amount))  # type: ignore[type-var]
        made.append(
            run(
                asked=asked,
                model=value,
                usage=usage,
                timings=Timings(None, amount, amount, amount),
                choices={0: ChoiceText("", value)},
                slot=value or "d",
                connection_name=value or "d",
                status="failed" if value == "a" else "finished",
                created_at=START + timedelta(seconds=number // 2),
            )
        )
    stored.save(made)
    for one, value in zip(made, values, strict=True):
        stored.set_cost(one.id, None if value is None else Decimal(ord(value)) / 7, None)
        stored.star([one.id], value == "a")
        stored.note(one.id, (value or "") * 201)
        for tag in (value, "z") if value else ():
            stored.tag([one.id], tag)
    order, cursor, rows = RunOrder(column, descending), None, []
    for _ in itertools.count():
        page = stored.page(None, order, after=cursor, limit=2)
        rows += page.rows
        cursor = page.next
        if cursor is None:
            break
    assert sorted(row.id for row in rows) == sorted(one.id for one in made)

    def value_of(row: RunRow) -> Any:
        shown: dict[str, Any] = {"note_start": row.note or None, "tag_line": row.tags or None}
        return shown[column] if column in shown else getattr(row, column)

    shown = [value_of(row) for row in rows]
    valued = [value for value in shown if value is not None]
    assert valued == sorted(valued, reverse=descending)
    assert shown == [*valued, *[None] * (len(shown) - len(valued))]
    for value, group in itertools.groupby(rows, value_of):
        pks = [row.pk for row in group]
        assert pks == sorted(pks, reverse=descending), f"the order among {value!r}"


@pytest.mark.parametrize("few", [5, 1_000], ids=["many fit", "few fit"])
@pytest.mark.parametrize("descending", [True, False], ids=["descending", "ascending"])
def test_words_common_rare_and_in_between_fill_the_same_pages_by_whatever_way_they_are_found(
    stored: RunRepository, monkeypatch: pytest.MonkeyPatch, few: int, descending: bool
) -> None:
    monkeypatch.setattr(run_pages, "WINDOWS", (4, 12))
    monkeypatch.setattr(run_pages, "FEW", few)
    made = []
    for number in range(60):
        words = ["common", *(["middle"] if number % 4 == 0 else []), *(["rare"] if number in (3, 40, 58) else [])]
        made.append(run(text=" ".join(words), slot="ab"[number % 2], status="failed" if number % 3 else "finished"))
    stored.save(made)
    order = RunOrder("created_at", descending)
    for word, which in itertools.product(
        ("common", "middle", "rare", "common middle", "nowhere"),
        (RunFilter(), RunFilter(slots=("a",)), RunFilter(statuses=("failed",)), RunFilter(statuses=("finished",), slots=("b",))),
    ):
        found, cursor = [], None
        while True:
            page = stored.page(replace(which, text=word), order, after=cursor, limit=3)
            found += [row.id for row in page.rows]
            cursor = page.next
            if cursor is None:
                break
        fits = [
            one.id
            for one in made
            if set(word.split()) <= set(one.text.split())
            and (not which.slots or one.slot in which.slots)
            and (not which.statuses or one.status in which.statuses)
        ]
        assert found == (fits[::-1] if descending else fits), (word, which)


def test_new_runs_do_not_shift_the_pages_that_follow(stored: RunRepository) -> None:
    made = [run() for _ in range(4)]
    stored.save(made)
    first = stored.page(limit=2)
    stored.save([run()])
    second = stored.page(after=first.next, limit=2)
    assert [row.id for row in (*first.rows, *second.rows)] == [one.id for one in reversed(made)]


@pytest.mark.parametrize("cursor", ["nonsense", "bnVsbA==", "W10="])
def test_what_is_no_cursor_is_refused(stored: RunRepository, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        stored.page(after=cursor)


def test_cursor_of_another_order_is_refused(stored: RunRepository) -> None:
    stored.save([run(), run()])
    cursor = stored.page(limit=1).next
    with pytest.raises(ValueError, match="another order"):
        stored.page(None, RunOrder("slot"), after=cursor)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("lighthouse", True),
        ("LIGHTHOUSE keeper", True),
        ("keeper lighthouse", True),
        ('"lighthouse keeper"', True),
        ('"keeper lighthouse"', False),
        ("light", False),
        ("light*", True),
        ("cafe", True),
        ("CAFÉ", True),
        ("x-ray", True),
        ("xray", False),
        ("def foo_bar", True),
        ("3.14", True),
        ("prompt", True),
        ("second", True),
        ("漢字", True),
        ("absent", False),
        ('" OR 1=1 --', False),
        ("NEAR(lighthouse)", False),
        ("'", True),
        ("", True),
    ],
)
def test_search_finds_words_and_phrases_of_prompt_and_every_output(stored: RunRepository, query: str, found: bool) -> None:
    made = run(
        asked=body(prompt="A prompt: def foo_bar(): 3.14"),
        choices={0: ChoiceText("The lighthouse keeper's café, an X-ray\0 漢字", None), 1: ChoiceText("a second text", None)},
    )
    stored.save([made])
    assert ids(stored, text=query) == ([made.id] if found else [])


def test_search_finds_the_end_of_a_run_once_it_has_ended(stored: RunRepository) -> None:
    made = run(status="streaming", text="early")
    stored.save([made])
    done = replace(made, status="stopped", choices={0: ChoiceText("early and late", None)})
    stored.save([done])
    stored.save([replace(done, trace={})])
    assert ids(stored, text="late") == [made.id]


def test_text_too_long_for_the_index_is_stored_whole_and_found_by_its_beginning(stored: RunRepository) -> None:
    text = " ".join(f"w{number:x}ü{number}" for number in range(150_000))
    made = run(text=text)
    stored.save([made])
    assert kept(stored, made.id).snapshot.text == text
    assert ids(stored, text="w1ü1") == [made.id]


def test_deleted_runs_are_gone_until_that_deletion_is_undone(stored: RunRepository) -> None:
    made = [run(), run(), run(), run(status="streaming")]
    stored.save(made)
    first = stored.delete(RunFilter(ids=(made[0].id,)))
    second = stored.delete(RunFilter(ids=(made[1].id, made[3].id)))
    assert first is not None
    assert second is not None
    assert ids(stored) == [made[2].id, made[3].id], "what is under way is not deleted"
    assert ids(stored, deleted=True) == [made[0].id, made[1].id]
    assert stored.undelete(second) == 1
    assert ids(stored) == [made[1].id, made[2].id, made[3].id]
    assert stored.delete(RunFilter(ids=("nobody",))) is None
    assert stored.purge(first + timedelta(microseconds=1)) == 1
    assert stored.find(made[0].id) is None
    assert stored.undelete(first) == 0


def test_purged_words_are_forgotten(stored: RunRepository, database: Database) -> None:
    gone, stays = run(text="lighthouse gone"), run(text="lighthouse stays")
    stored.save([gone, stays])
    deleted = stored.delete(RunFilter(ids=(gone.id,)))
    assert deleted is not None
    stored.purge(deleted + timedelta(seconds=1))
    assert ids(stored, text="lighthouse") == [stays.id]
    if database.dialect == "sqlite":
        with database.read() as connection:
            rows = connection.exec_driver_sql("SELECT count(*) FROM run_words WHERE run_words MATCH 'lighthouse'").scalar()
        assert rows == 1


def test_retention_by_age_and_size_spares_stars_and_running_runs(database: Database) -> None:
    now = START + timedelta(days=10)
    stored = RunRepository(database, now=lambda: now)
    old = [run(created_at=START + timedelta(minutes=n)) for n in range(3)]
    running = run(created_at=START, status="streaming")
    new = [run(created_at=now - timedelta(minutes=n), text="x" * 50_000) for n in (1, 2, 3)]
    stored.save([*old, running, *new])
    stored.star([old[0].id])
    assert stored.retain() == 0
    assert stored.retain(max_age=timedelta(days=5)) == 2
    assert {row.id for row in stored.page().rows} == {old[0].id, running.id, *(one.id for one in new)}
    assert stored.retain(max_bytes=250_000) == 1
    assert {row.id for row in stored.page().rows} == {old[0].id, running.id, new[0].id, new[1].id}


def test_runs_left_behind_become_interrupted_with_their_text(database: Database) -> None:
    moment = START + timedelta(days=1)
    there = RunRepository(database, process="gone", now=lambda: moment)
    left, lives = run(status="streaming", text="half a sen", created_at=moment - timedelta(seconds=4)), run(status="waiting")
    there.save([left])
    RunRepository(database, process="alive").save([lives])
    here = RunRepository(database, process="here")
    assert here.running_processes() == {"gone", "alive"}
    assert here.interrupt(["gone"]) == 1
    found = kept(here, left.id)
    assert (found.snapshot.status, found.snapshot.text, found.ended_at) == ("interrupted", "half a sen", moment)
    assert found.snapshot.timings.total_s == 4.0
    assert kept(here, lives.id).snapshot.status == "waiting"
    assert ids(here, text="half") == [left.id]


def test_export_and_import_give_the_same_runs_back(stored: RunRepository, database: Database) -> None:
    made = [everything(), run(usage=None, timings=Timings(), error=None, choices={}), run()]
    stored.save(made)
    stored.tag([made[0].id], "x")
    stored.tag([made[0].id], "ü")
    stored.star([made[0].id])
    stored.note(made[0].id, "noted")
    stored.set_cost(made[0].id, Decimal("0.1"), {"input": "0.1"})
    stored.delete(RunFilter(ids=(made[1].id,)))
    exported = [*stored.stream(), *stored.stream(RunFilter(deleted=True))]
    lines = [json.dumps(one.to_json()) for one in exported]
    other = RunRepository(database, "importer")
    assert other.insert(StoredRun.from_json(json.loads(line)) for line in lines) == 3
    assert other.insert(StoredRun.from_json(json.loads(line)) for line in lines) == 0
    assert [*other.stream(), *other.stream(RunFilter(deleted=True))] == exported
    assert [row.id for row in other.page(RunFilter(text="router")).rows] == [made[2].id]
    assert len(AttemptRepository(database, "importer").of(made[0].id)) == 2


def test_imported_run_that_had_not_ended_is_interrupted(stored: RunRepository) -> None:
    stored.insert([StoredRun.of(run(id="unfinished", status="streaming"))])
    assert kept(stored, "unfinished").snapshot.status == "interrupted"


@pytest.mark.parametrize(
    "change", [{"format": "other"}, {"status": "dancing"}, {"created_at": "yesterday"}, {"sent": "{"}, {"choices": None}, {"tags": 1}]
)
def test_line_that_is_no_exported_run_is_refused_with_a_sentence(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="exported run"):
        StoredRun.from_json(StoredRun.of(run()).to_json() | change)


def test_values_to_choose_from_are_those_of_runs_that_are_there(stored: RunRepository) -> None:
    made = [run(model="b"), run(model="a"), run(model=None), run(model="gone")]
    stored.save(made)
    stored.delete(RunFilter(ids=(made[3].id,)))
    assert stored.values("model_answered") == ("a", "b")


def test_cost_of_an_ended_run_is_stored_with_it_and_stays(database: Database):
    runs, ended = RunRepository(database), run()
    reckoned = RunCost(Decimal("0.000042"), "at a price", Price("local/pydoc", Decimal(1), Decimal(2)))
    runs.save([ended], {ended.id: reckoned})
    runs.save([ended])
    found = runs.find(ended.id)
    assert (found.cost_usd, found.cost_detail) == (Decimal("0.000042"), reckoned.detail())


def test_statuses_are_told_for_many_at_once_deleted_runs_apart_and_only_to_their_owner(database: Database) -> None:
    repository = RunRepository(database)
    made = [run(status=status) for status in ("finished", "failed", "finished")]
    repository.save(made)
    repository.delete(RunFilter(ids=(made[2].id,)))
    ids = [*(one.id for one in made), "nowhere", *(f"none-{number}" for number in range(1_000))]
    assert repository.statuses(ids) == {made[0].id: "finished", made[1].id: "failed", made[2].id: "deleted"}
    assert RunRepository(database, "somebody else").statuses(ids) == {}
