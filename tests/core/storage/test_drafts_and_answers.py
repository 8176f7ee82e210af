"""Drafts and cached answers: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.draft_store import DraftStore
from core.errors import StorageUnavailable
from core.storage.answer_repository import AnswerRepository
from core.storage.database import Database
from core.storage.draft_repository import DraftRepository
from tests.core.storage.samples import START

DRAFT: dict[str, Any] = {"body": {"prompt": "nul \0 🤖", "seed": None}, "extra": "{", "shelf": {"retry": {"count": 2}}}


@dataclass
class Watch:
    """A clock that goes on a second whenever it is looked at."""

    time: datetime = START

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


def test_draft_comes_back_as_it_was_and_only_to_its_owner(database: Database) -> None:
    drafts = DraftRepository(database)
    drafts.save({"d": {"body": {}}})
    drafts.save({"d": DRAFT})
    assert drafts.find("d") == DRAFT
    assert DraftRepository(database, "somebody else").find("d") is None


def test_drafts_not_saved_for_longest_go(database: Database) -> None:
    drafts = DraftRepository(database, limit=2, now=Watch())
    for name in ("old", "kept", "new"):
        drafts.save({name: {"body": {"prompt": name}}})
    assert [drafts.find(name) is not None for name in ("old", "kept", "new")] == [False, True, True]


async def test_draft_store_brings_drafts_back_after_a_restart(database: Database) -> None:
    before = DraftStore(keeper=DraftRepository(database), saved_after_s=60)
    before.open()
    before.save("d", {"body": {"prompt": "typ"}})
    before.save("d", DRAFT)
    await before.close()
    assert DraftStore(keeper=DraftRepository(database)).load("d") == DRAFT


async def test_draft_that_left_the_memory_is_found_while_it_waits_to_be_saved(database: Database) -> None:
    store = DraftStore(limit=1, keeper=DraftRepository(database), saved_after_s=60)
    store.open()
    store.save("first", DRAFT)
    store.save("second", {})
    assert store.load("first") == DRAFT
    await store.close()
    assert store.load("first") == DRAFT


def test_draft_store_without_its_database_has_what_is_in_memory() -> None:
    class Gone:
        def save(self, changed: object) -> None:
            raise StorageUnavailable("The disk is full.")

        def find(self, draft_id: str) -> dict[str, Any] | None:
            raise StorageUnavailable("The disk is full.")

    store = DraftStore(keeper=Gone())
    store.save("d", DRAFT)
    assert (store.load("d"), store.load("other")) == (DRAFT, None)


def test_answer_is_found_until_it_expires(database: Database) -> None:
    answers, later = AnswerRepository(database), START + timedelta(minutes=1)
    answers.save("k", b"old", stored_at=START, expires_at=later)
    answers.save("k", b"an answer\0", stored_at=START, expires_at=later)
    assert answers.find("k", START) == (b"an answer\0", START)
    assert answers.find("k", later) is None
    assert AnswerRepository(database, "somebody else").find("k", START) is None


def test_oldest_answers_go_when_there_is_no_room(database: Database) -> None:
    answers, never = AnswerRepository(database, capacity_bytes=25), START + timedelta(days=1)
    for number in range(3):
        answers.save(f"k{number}", b"x" * 10, stored_at=START + timedelta(seconds=number), expires_at=never)
    answers.save("large", b"x" * 26, stored_at=START + timedelta(seconds=9), expires_at=never)
    assert [answers.find(key, START) is not None for key in ("k0", "k1", "k2", "large")] == [False, True, True, False]
