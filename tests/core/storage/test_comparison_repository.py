"""Comparisons are stored, listed and found again, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from core.comparison.board import opened
from core.comparison.record import Comparison
from core.comparison.store import ComparisonStore
from core.draft_store import DraftStore
from core.storage.comparison_repository import ComparisonRepository
from core.storage.database import Database
from core.storage.draft_repository import DraftRepository
from tests.core.storage.samples import START


def comparison(number: int = 1, **fields: Any) -> Comparison:
    """A stored comparison of two slots, whose prompt and second model have its number in them."""
    bodies = [{"model": "local/pydoc", "prompt": f"prompt {number}"}, {"model": f"m{number}", "prompt": f"prompt {number}", "n": None}]
    moment = START + timedelta(minutes=number)
    made = Comparison(f"c{number}", opened(bodies, [f"r{number}a", f"r{number}b"]), moment, moment, stored=True, revision=1)
    return replace(made, **fields)


def test_comparison_comes_back_as_it_was_and_only_to_its_owner(database: Database) -> None:
    repository = ComparisonRepository(database)
    marked = comparison(name="nul \ufffd 🤖", starred=True, note="a note", tags=("one", "two"), parts={"votes": [{"of": "a\0"}], "new": 1})
    repository.save([comparison()])
    repository.save([marked])
    assert repository.find("c1") == marked
    assert ComparisonRepository(database, "somebody else").find("c1") is None
    assert ComparisonRepository(database, "somebody else").page() == ((), 0)


def test_list_has_the_newest_first_page_by_page_with_what_is_shown(database: Database) -> None:
    repository = ComparisonRepository(database)
    repository.save([comparison(number) for number in (2, 3, 1)])
    rows, count = repository.page(limit=2)
    rest, _ = repository.page(skip=2, limit=2)
    assert ([row.id for row in (*rows, *rest)], count) == (["c3", "c2", "c1"], 3)
    assert (rest[0].slots, rest[0].models, rest[0].runs) == (2, ("local/pydoc", "m1"), ("r1a", "r1b"))
    assert (rest[0].prompt_start, rest[0].created_at) == ("prompt 1", START + timedelta(minutes=1))


def test_search_wants_every_word_in_name_note_tag_model_slot_or_prompt_and_takes_percent_literally(database: Database) -> None:
    repository = ComparisonRepository(database)
    board = comparison(2).board.renamed(1, "Wärmer")
    repository.save([comparison(1, name="Cold_100%"), comparison(2, note="seen", tags=("T1",), board=board)])

    def found(text: str) -> list[str]:
        return [row.id for row in repository.page(text)[0]]

    assert (found("cold"), found("WÄRMER"), found("t1 m2"), found("prompt seen")) == (["c1"], ["c2"], ["c2"], ["c2"])
    assert (found("_100%"), found("0%0"), found("cold seen"), found("PYDOC")) == (["c1"], [], [], ["c2", "c1"])


def test_deleted_ones_leave_the_list_and_go_for_good_when_they_are_old_enough(database: Database) -> None:
    repository = ComparisonRepository(database)
    repository.save([comparison(1, deleted_at=START), comparison(2, deleted_at=START + timedelta(days=2)), comparison(3)])
    assert [row.id for row in repository.page()[0]] == ["c3"]
    assert repository.purge(START + timedelta(days=1)) == 1
    assert [repository.find(one) is not None for one in ("c1", "c2", "c3")] == [False, True, True]


def test_only_starred_ones_are_listed_where_that_is_asked(database: Database) -> None:
    repository = ComparisonRepository(database)
    repository.save([comparison(1, starred=True), comparison(2)])
    assert [row.id for row in repository.page(starred=True)[0]] == ["c1"]


async def test_store_brings_comparisons_and_drafts_back_after_a_restart(database: Database) -> None:
    def stores() -> tuple[DraftStore, ComparisonStore]:
        drafts = DraftStore(keeper=DraftRepository(database), saved_after_s=60)
        return drafts, ComparisonStore(ComparisonRepository(database), drafts, saved_after_s=60)

    drafts, store = stores()
    drafts.open()
    store.open()
    board = comparison().board
    unrun = replace(board, slots=tuple(replace(slot, runs=()) for slot in board.slots))
    store.begin("run", board)
    store.set_part("run", "votes", {"a": 1})
    store.begin("draft", unrun)
    await store.close()
    await drafts.close()
    _, later = stores()
    kept, draft = later.find("run"), later.find("draft")
    assert kept is not None
    assert (kept.board, kept.parts, kept.stored, kept.revision) == (board, {"votes": {"a": 1}}, True, 1)
    assert draft is not None
    assert (draft.board, draft.stored) == (unrun, False)
    assert [row.id for row in ComparisonRepository(database).page()[0]] == ["run"], "nobody looks for one that was never run"
