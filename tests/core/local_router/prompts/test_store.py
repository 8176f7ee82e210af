"""The library of stored prompts."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from core.contract.placeholders import placeholders
from core.local_router.prompts.records import Content, UnknownPrompt, text_of
from core.local_router.prompts.starters import STARTERS
from core.local_router.prompts.store import LONGEST_KEPT, MOST_KEPT, PromptStore


def content(text: str, name: str = "Mine") -> Content:
    return Content(name, {"messages": [{"role": "user", "content": text}]})


@pytest.fixture
def store() -> PromptStore:
    return PromptStore(None, itertools.count(1_000.0).__next__)


def test_new_library_has_the_starters_in_their_order(store: PromptStore):
    found, more = store.page(100)
    assert ([prompt.id for prompt in found], more) == ([starter.id for starter in STARTERS], False)


@pytest.mark.parametrize("starter", STARTERS, ids=lambda starter: starter.id)
def test_starter_says_what_it_is_for_and_has_placeholders(starter):
    assert placeholders(starter.text)
    assert starter.name
    assert starter.description.endswith(".")


def test_every_save_is_a_version_and_the_newest_is_used(store: PromptStore):
    made = store.create(content("one"))
    saved = store.save(made.id, lambda old: replace(old, prompt=content("two").prompt))
    assert (saved.latest.number, saved.latest.text, saved.created) == (2, "two", made.created)
    assert saved.latest.saved > made.latest.saved
    assert [(version.number, version.text) for version in store.versions(made.id)] == [(2, "two"), (1, "one")]


def test_save_that_changes_nothing_makes_no_version(store: PromptStore):
    made = store.create(content("one"))
    assert store.save(made.id, lambda old: old).latest.number == 1


def test_newest_prompt_comes_first_and_pages_meet(store: PromptStore):
    made = store.create(content("one"))
    first, more = store.page(3)
    assert (first[0].id, more) == (made.id, True)
    second, _ = store.page(3, after=first[-1].id)
    assert store.page(3, before=second[0].id) == (first, False)
    assert not {prompt.id for prompt in first} & {prompt.id for prompt in second}


def test_deleted_prompt_is_gone_with_its_versions_and_stays_away(tmp_path: Path):
    store = PromptStore(tmp_path / "prompts.db")
    store.delete(STARTERS[0].id)
    store.close()
    again = PromptStore(tmp_path / "prompts.db")
    assert STARTERS[0].id not in [prompt.id for prompt in again.page(100)[0]]
    for asked in (again.latest, again.versions, again.delete):
        with pytest.raises(UnknownPrompt, match=STARTERS[0].id):
            asked(STARTERS[0].id)


def test_prompt_is_there_after_a_restart(tmp_path: Path):
    store = PromptStore(tmp_path / "deep" / "prompts.db")
    made = store.create(Content("Ü", {"messages": [{"role": "user", "content": "ü{{a}}"}], "model": "m/n"}, "why", {"language": "German"}))
    store.close()
    assert PromptStore(tmp_path / "deep" / "prompts.db").latest(made.id) == made


def test_file_of_a_newer_version_is_left_alone(tmp_path: Path):
    store = PromptStore(tmp_path / "prompts.db")
    with store._file.transaction() as rows:
        rows.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(RuntimeError, match="newer version"):
        store.page(1)


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([{"role": "user", "content": "a"}], "a"),
        ([{"role": "system", "content": "s"}, {"role": "user", "content": "u"}], "s\n\nu"),
        ([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}], "a\nb"),
        ([{"role": "assistant", "content": None}, {"role": "user", "content": "u"}], "u"),
        ([], ""),
    ],
)
def test_text_is_what_the_messages_say(messages, text):
    assert text_of({"messages": messages}) == text


class TestKnown:
    def test_prompt_is_known_once_it_was_looked_up_and_until_it_is_saved_or_deleted(self, store: PromptStore):
        made = store.create(content("one"))
        assert store.known(made.id) is None
        assert store.latest(made.id) is store.known(made.id)
        store.save(made.id, lambda old: replace(old, prompt=content("two").prompt))
        assert store.known(made.id) is None
        assert store.latest(made.id).latest.text == "two"
        store.delete(made.id)
        assert store.known(made.id) is None

    def test_what_another_process_changes_is_known_no_more(self, tmp_path: Path):
        here, there = PromptStore(tmp_path / "prompts.db"), PromptStore(tmp_path / "prompts.db")
        made = here.create(content("one"))
        here.latest(made.id)
        for text in ("two", "three"):  # with no pause: times of files are coarser than writes
            there.save(made.id, lambda old, text=text: replace(old, prompt=content(text).prompt))
            assert here.known(made.id) is None
            assert here.latest(made.id).latest.text == text
            assert here.known(made.id).latest.text == text
        there.delete(made.id)
        assert here.known(made.id) is None
        with pytest.raises(UnknownPrompt):
            here.latest(made.id)

    def test_nobody_waits_while_the_file_is_in_use(self, store: PromptStore):
        made = store.create(content("one"))
        store.latest(made.id)
        changing, go_on = threading.Event(), threading.Event()

        def change(old: Content) -> Content:
            changing.set()
            assert go_on.wait(10)
            return old

        saving = threading.Thread(target=store.save, args=(made.id, change))
        saving.start()
        assert changing.wait(10)
        assert store.known(made.id) is None
        go_on.set()
        saving.join(10)
        assert store.known(made.id) is not None

    def test_memory_is_bounded_in_number_and_in_length(self, store: PromptStore):
        made = [store.create(content(str(number))) for number in range(MOST_KEPT + 1)]
        for prompt in made:
            store.latest(prompt.id)
        assert [prompt.id for prompt in made if store.known(prompt.id) is None] == [made[0].id]
        long = store.create(content("x" * LONGEST_KEPT))
        store.latest(long.id)
        assert store.known(long.id) is None
