"""Comparisons in memory: drafts until they are run or marked, edited by several sessions, saved behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.comparison.board import Board, opened
from core.comparison.record import Comparison, parse_document
from core.comparison.store import ComparisonStore, EditedElsewhere
from core.draft_store import DraftStore
from core.errors import StorageProblem, StorageUnavailable
from tests.support.conditions import eventually


class Kept:
    """A keeper in memory, which can be out of order."""

    def __init__(self) -> None:
        self.comparisons: dict[str, Comparison] = {}
        self.broken = False

    def save(self, comparisons: Sequence[Comparison]) -> None:
        self._check()
        self.comparisons |= {one.id: one for one in comparisons}

    def find(self, comparison_id: str) -> Comparison | None:
        self._check()
        return self.comparisons.get(comparison_id)

    def _check(self) -> None:
        if self.broken:
            raise StorageUnavailable("The disk is full.")


def board(*runs: str, prompt: str = "p") -> Board:
    made = opened([{"model": "m", "prompt": prompt}] * 2, ["", ""])
    return replace(made, slots=tuple(replace(slot, runs=runs) for slot in made.slots))


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def store(kept: Kept) -> ComparisonStore:
    return ComparisonStore(kept, DraftStore(), saved_after_s=0)


def test_comparison_is_a_draft_until_it_is_run_and_stays_stored_when_its_runs_are_gone(store: ComparisonStore, kept: Kept) -> None:
    assert not store.begin("c", board()).stored
    assert store.edit("c", board("r"), seen=1).stored
    emptied = store.edit("c", board(), seen=2)
    assert (emptied.stored, emptied.revision) == (True, 3)
    store.flush()
    assert kept.comparisons["c"] == emptied


@pytest.mark.parametrize(
    "mark", [lambda s: s.rename("c", " a  name "), lambda s: s.star("c", True), lambda s: s.set_part("c", "votes", [])]
)
def test_naming_or_marking_makes_a_draft_a_stored_comparison(store: ComparisonStore, mark) -> None:  # type: ignore[no-untyped-def]
    store.begin("c", board())
    mark(store)
    now = store.current("c")
    assert now is not None
    assert now.stored
    assert now.name in ("", "a name")


def test_edit_of_an_old_state_is_told_unless_it_says_the_same(store: ComparisonStore) -> None:
    store.begin("c", board("r"))
    theirs = store.edit("c", board("r", prompt="theirs"), seen=1)
    with pytest.raises(EditedElsewhere) as told:
        store.edit("c", board("r", prompt="mine"), seen=1)
    assert told.value.now == theirs
    assert store.edit("c", board("r", prompt="theirs"), seen=1) == theirs


def test_which_settings_are_open_is_kept_and_is_no_edit(store: ComparisonStore) -> None:
    begun = store.begin("c", board("r"))
    store.edit("c", board("r", prompt="theirs"), seen=1)
    opened_settings = store.edit("c", replace(board("r", prompt="theirs"), edited=1), seen=0)
    assert (opened_settings.board.edited, opened_settings.revision) == (1, 2)
    assert begun.revision == 1


def test_parts_are_changed_beside_the_board_and_beside_each_other(store: ComparisonStore) -> None:
    store.begin("c", board("r"))
    store.set_part("c", "votes", [1])
    store.set_part("c", "sweep", {"cells": 2})
    store.edit("c", board("r", prompt="new"), seen=1)
    store.set_part("c", "votes", None)
    assert (store.part("c", "votes"), store.part("c", "sweep")) == (None, {"cells": 2})
    with pytest.raises(KeyError):
        store.set_part("nowhere", "votes", [1])


def test_deleted_comparison_comes_back_by_undo_or_by_an_edit(store: ComparisonStore, kept: Kept) -> None:
    store.begin("c", board("r"))
    store.delete(["c"])
    assert kept.comparisons["c"].deleted_at is not None
    store.undelete(["c"])
    assert kept.comparisons["c"].deleted_at is None
    store.delete(["c", "nowhere"])
    store.edit("c", board("r2"), seen=1)
    store.flush()
    assert kept.comparisons["c"].deleted_at is None


async def test_while_storage_fails_everything_is_in_memory_and_is_saved_when_it_works_again(kept: Kept) -> None:
    store = ComparisonStore(kept, DraftStore(), limit=1, saved_after_s=60)
    store.open()
    kept.broken = True
    for name in ("one", "two", "three"):
        store.begin(name, board("r", prompt=name))
    assert [found.board.prompt for name in ("one", "two", "three") if (found := store.find(name))] == ["one", "two", "three"]
    with pytest.raises(StorageProblem):
        store.delete(["one"])
    kept.broken = False
    await store.close()
    assert sorted(kept.comparisons) == ["one", "three", "two"]


async def test_comparisons_that_are_saved_leave_the_memory_and_come_back_with_their_revision(kept: Kept) -> None:
    store = ComparisonStore(kept, DraftStore(), limit=1, saved_after_s=0)
    store.open()
    store.begin("one", board("r"))
    store.edit("one", board("r", "r2"), seen=1)
    await store.close()
    store.begin("two", board())
    store.begin("three", board())
    assert store.current("one") is None
    assert store.edit("one", board("r3"), seen=2).revision == 3


async def test_what_another_process_saved_is_found(store: ComparisonStore, kept: Kept) -> None:
    store.open()
    store.begin("c", board("r"))
    await store.close()
    kept.comparisons["c"] = replace(kept.comparisons["c"], name="theirs", board=board("r", "r2"), revision=7)
    found = store.find("c")
    assert found is not None
    assert (found.name, found.revision) == ("theirs", 7)


def test_board_as_drafts_once_kept_it_is_found(kept: Kept) -> None:
    drafts = DraftStore()
    drafts.save("old", board("r").to_dict())
    drafts.save("playground", {"body": {}, "extra": ""})
    store = ComparisonStore(kept, drafts)
    found = store.find("old")
    assert found is not None
    assert found.board == board("r")
    assert store.find("playground") is None


@pytest.mark.parametrize(
    "document", [{}, {"board": 1}, {"board": {"slots": []}}, {"board": {"slots": [{}]}}, {"slots": [{"draft": {"body": 1}}]}]
)
def test_document_without_a_board_is_refused(document) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"board|slot"):
        parse_document(document)


def test_document_of_a_later_program_is_read_as_far_as_it_is_known() -> None:
    later = {"version": 2, "revision": 3, "board": {**board("r").to_dict(), "grid": True}, "sweep": {"cells": []}, "unheard_of": 1}
    found = parse_document(later)
    assert (found.board, found.revision, found.parts) == (board("r"), 3, {"sweep": {"cells": []}, "unheard_of": 1})


async def test_reading_that_took_longer_than_an_edit_and_its_saving_does_not_bring_the_old_state_back(kept: Kept) -> None:
    store = ComparisonStore(kept, DraftStore(), saved_after_s=0)
    store.open()
    store.begin("c", board("r"))
    eventually(lambda: store.health.waiting == 0)

    def find_slowly(comparison_id: str) -> Comparison | None:
        before = kept.comparisons[comparison_id]
        store.edit("c", board("r", prompt="theirs"), seen=1)
        eventually(lambda: store.health.waiting == 0)
        return before

    kept.find = find_slowly  # type: ignore[method-assign]
    found = store.find("c")
    assert found is not None
    assert found.revision == 2
    with pytest.raises(EditedElsewhere):
        store.edit("c", board("r", prompt="mine"), seen=1)
    await store.close()
