"""The library: the same on SQLite and on PostgreSQL. Every save is a version, and none is ever lost or changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InvalidPreset
from core.preset.changes import same
from core.preset.content import LARGEST_BYTES, Content, DraftContent
from core.preset.preset import LONGEST_NAME, Origin, label
from core.storage.database import Database
from core.storage.preset_query import PresetFilter, PresetOrder
from core.storage.preset_repository import PresetRepository
from tests.core.preset.contents import CONTENTS, comparison, draft, new
from tests.core.storage.samples import START


class Watch:
    """A clock that goes on a second whenever it is looked at."""

    def __init__(self) -> None:
        self.time: datetime = START

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture
def library(database: Database) -> PresetRepository:
    return PresetRepository(database, now=Watch())


def names(library: PresetRepository, which: PresetFilter | None = None, order: PresetOrder | None = None) -> list[str]:
    return [one.label.name for one in library.page(which, order).presets]


def contents(library: PresetRepository, preset_id: str) -> dict[int, Content]:
    found = (library.version(preset_id, head.number) for head in library.versions(preset_id))
    return {version.head.number: version.content for version in found if version}


def test_preset_comes_back_as_it_was_saved(library: PresetRepository) -> None:
    content = draft(seed=None, stop=["nul \0", "half \ud83e", "🤖"], temperature=0.0)
    [kept] = library.add([new("  Greedy  extraction ", content, "Finds names.", ("b", "a", "a"), "team/ names/")])
    assert (kept.label, kept.version, kept.kind) == (label("Greedy extraction", "Finds names.", ("a", "b"), "team/names"), 1, "draft")
    assert (kept.models, kept.sets, kept.starred, kept.origin) == (("local/pydoc",), 3, False, None)
    found = library.version(kept.id, 1)
    assert found is not None
    assert found.content == content
    assert library.find(kept.id) == kept


def test_each_save_is_a_version_more_and_the_older_ones_stay(library: PresetRepository) -> None:
    [kept] = library.add([new(content=draft(temperature=0))])
    library.save(kept.id, draft(temperature=1), note="warmer")
    saved = library.save(kept.id, comparison(0, 1))
    assert (saved.version, saved.kind, saved.sets) == (3, "comparison", 2)
    assert contents(library, kept.id) == {1: draft(temperature=0), 2: draft(temperature=1), 3: comparison(0, 1)}
    assert [head.note for head in library.versions(kept.id)] == ["", "warmer", ""]


def test_restoring_makes_a_version_more_and_loses_none(library: PresetRepository) -> None:
    [kept] = library.add([new(content=draft(temperature=0))])
    library.save(kept.id, draft(temperature=1))
    restored = library.restore(kept.id, 1)
    assert restored.version == 3
    assert library.versions(kept.id)[0].restored == 1
    assert contents(library, kept.id) == {1: draft(temperature=0), 2: draft(temperature=1), 3: draft(temperature=0)}


def test_fork_knows_its_origin_and_lives_on_without_it(library: PresetRepository) -> None:
    [kept] = library.add([new("Old", draft(temperature=0), tags=("t",), folder="f")])
    library.save(kept.id, draft(temperature=1))
    fork = library.fork(kept.id, 1)
    assert (fork.origin, fork.version, fork.label) == (Origin(kept.id, 1), 1, label("Old (copy)", "", ("t",), "f"))
    library.save(fork.id, draft(temperature=2))
    assert contents(library, kept.id)[2] == draft(temperature=1)
    library.delete([kept.id])
    assert contents(library, fork.id) == {1: draft(temperature=0), 2: draft(temperature=2)}
    assert library.fork(fork.id, name="x" * LONGEST_NAME).origin == Origin(fork.id, 2)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data(), st.lists(CONTENTS, min_size=1, max_size=4))
def test_whatever_is_saved_restored_and_forked_every_version_stays_what_it_was(
    library: PresetRepository, data: st.DataObject, saves: list[Content]
) -> None:
    [kept] = library.add([new(content=saves[0])])
    expected = {1: saves[0]}
    for content in saves[1:]:
        expected[library.save(kept.id, content).version] = content
        number = data.draw(st.sampled_from(sorted(expected)))
        expected[library.restore(kept.id, number).version] = expected[number]
    assert contents(library, kept.id) == expected
    number = data.draw(st.sampled_from(sorted(expected)))
    assert contents(library, library.fork(kept.id, number).id) == {1: expected[number]}
    assert same(expected[1], contents(library, kept.id)[1])


def test_two_who_save_at_once_both_have_a_version(library: PresetRepository) -> None:
    [kept] = library.add([new()])
    with ThreadPoolExecutor(4) as threads:
        saved = [*threads.map(lambda seed: library.save(kept.id, draft(seed=seed)).version, range(8))]
    assert sorted(saved) == [*range(2, 10)]
    assert len(contents(library, kept.id)) == 9


def test_label_can_change_without_a_version(library: PresetRepository) -> None:
    [kept] = library.add([new("Old", tags=("gone",))])
    described = library.describe(kept.id, label("New", "Better.", ("t",), "f"))
    assert (described.label, described.version) == (label("New", "Better.", ("t",), "f"), 1)
    assert names(library, PresetFilter(text="better")) == ["New"]
    assert names(library, PresetFilter(text="old")) == []
    assert library.tags() == ("t",)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("GREEDY", ["Greedy é"]),
        ("e extr", ["Greedy é"]),
        ("greedy extraction", ["Greedy é"]),
        ('"greedy e"', ["Greedy é"]),
        ("the the greedy", ["Greedy é"]),
        ("eedy", ["Greedy é"]),
        ("finds", ["Greedy é"]),
        ("sorted lists", ["Greedy é"]),
        ("local/pydoc", ["100 %_", "Greedy é"]),
        ("100", ["100 %_"]),
        ("%_", ["100 %_", "Greedy é"]),
        ("it's", []),
        ("team names", ["Greedy é"]),
        ("nowhere", []),
    ],
)
def test_search_finds_parts_of_words_in_any_field(library: PresetRepository, asked: str, found: list[str]) -> None:
    library.add([new("Greedy é", draft(prompt="The sorted lists"), "Finds all.", ("extraction",), "team/names"), new("100 %_")])
    assert names(library, PresetFilter(text=asked)) == found
    assert library.page(PresetFilter(text=asked)).count == library.count(PresetFilter(text=asked)) == len(found)


def test_pages_of_a_search_go_on_and_know_how_many_there_are(library: PresetRepository) -> None:
    assert library.empty()
    library.add([new(f"okapi {number}") for number in range(5)])
    library.archive([library.add([new("okapi archived")])[0].id])
    which, after, seen = PresetFilter(text="okap"), None, []
    for _ in range(3):
        page = library.page(which, after=after, limit=2)
        seen += [one.label.name for one in page.presets]
        after = page.next
        assert page.count == 5
    assert (seen, after) == ([f"okapi {number}" for number in (4, 3, 2, 1, 0)], None)
    assert not library.empty()


def test_filters_narrow_together(library: PresetRepository) -> None:
    one, two, three = library.add(
        [new("one", tags=("a", "b"), folder="f/g"), new("two", comparison(0, 1), tags=("a",), folder="f"), new("three", folder="fg")]
    )
    library.star([two.id])
    library.archive([three.id])
    assert names(library) == ["two", "one"]
    assert names(library, PresetFilter(tags=("a", "b"))) == ["one"]
    assert names(library, PresetFilter(folder="f")) == ["two", "one"]
    assert names(library, PresetFilter(folder="f/g")) == ["one"]
    assert names(library, PresetFilter(folder="")) == []
    assert names(library, PresetFilter(kind="comparison")) == ["two"]
    assert names(library, PresetFilter(starred=True)) == ["two"]
    assert names(library, PresetFilter(archived=True)) == ["three"]
    assert names(library, PresetFilter(ids=(one.id,))) == ["one"]
    assert (library.count(), library.folders(), library.tags()) == (2, ("f", "f/g", "fg"), ("a", "b"))
    library.archive([three.id], False)
    assert names(library, PresetFilter(folder="fg")) == ["three"]


@pytest.mark.parametrize("column", ["saved_at", "created_at", "sort_name"])
@pytest.mark.parametrize("descending", [True, False])
def test_pages_have_every_preset_once_and_in_order(library: PresetRepository, column: str, descending: bool) -> None:
    library.add([new(name) for name in ("b", "A", "c", "Á", "b")])
    order, after, seen = PresetOrder(column, descending), None, []  # type: ignore[arg-type]
    for _ in range(3):
        page = library.page(order=order, after=after, limit=2)
        seen += [one.label.name for one in page.presets]
        after = page.next
    assert after is None
    expected = ["A", "Á", "b", "b", "c"] if column == "sort_name" else ["b", "A", "c", "Á", "b"]
    assert seen == (expected[::-1] if descending else expected)
    with pytest.raises(ValueError, match="another order"):
        library.page(order=PresetOrder(column, not descending), after=library.page(order=order, limit=2).next)  # type: ignore[arg-type]


def test_deletion_can_be_undone_until_it_is_purged(library: PresetRepository, database: Database) -> None:
    one, _ = library.add([new("one", tags=("t",)), new("two")])
    moment = library.delete([one.id])
    assert moment is not None
    assert (names(library), library.find(one.id), library.versions(one.id)) == (["two"], None, ())
    assert library.delete([one.id]) is None
    assert library.purge(moment) == 0
    assert library.undelete(moment) == 1
    assert names(library) == ["two", "one"]
    again = library.delete([one.id])
    assert again is not None
    assert again > moment
    assert PresetRepository(database, "somebody else").purge(again + timedelta(days=1)) == 0
    assert library.purge(again + timedelta(seconds=1)) == 1
    assert library.undelete(again) == 0
    assert (names(library), library.tags()) == (["two"], ())


def test_another_owner_sees_and_changes_nothing(library: PresetRepository, database: Database) -> None:
    [mine] = library.add([new("mine", tags=("secret",), folder="secret")])
    moment = library.delete([mine.id])
    assert moment is not None
    other = PresetRepository(database, "somebody else")
    assert other.undelete(moment) == 0
    library.undelete(moment)
    other.star([mine.id])
    other.archive([mine.id])
    assert other.delete([mine.id]) is None
    for change in (
        lambda: other.save(mine.id, draft()),
        lambda: other.restore(mine.id, 1),
        lambda: other.fork(mine.id),
        lambda: other.describe(mine.id, label("theirs")),
    ):
        with pytest.raises(KeyError):
            change()
    assert (other.find(mine.id), other.version(mine.id, 1), other.versions(mine.id), other.count()) == (None, None, (), 0)
    assert (other.page().presets, other.tags(), other.folders(), [*other.stream()]) == ((), (), (), [])
    assert other.twin(mine.label, draft()) is None
    assert library.find(mine.id) == mine


def test_stream_has_the_newest_content_of_each(library: PresetRepository) -> None:
    one, _ = library.add([new("one", draft(seed=1)), new("two", draft(seed=2))])
    library.save(one.id, draft(seed=3))
    assert [(preset.label.name, content) for preset, content in library.stream()] == [("one", draft(seed=3)), ("two", draft(seed=2))]


def test_twin_has_the_same_name_folder_and_content(library: PresetRepository) -> None:
    [kept] = library.add([new("one", draft(seed=1, n=2), folder="f")])
    assert library.twin(label("one", "other words", folder="f"), DraftContent({"n": 2, "seed": 1, **draft().body})) == kept
    assert library.twin(label("one", folder="f"), draft(seed=2, n=2)) is None
    assert library.twin(label("one"), draft(seed=1, n=2)) is None


def test_what_is_too_large_is_refused_and_nothing_is_kept(library: PresetRepository) -> None:
    large = draft(prompt="x" * (LARGEST_BYTES + 1))
    with pytest.raises(InvalidPreset, match="8 MB"):
        library.add([new("fits"), new("large", large)])
    assert library.count() == 0
    [kept] = library.add([new("fits", draft(prompt="\u202e<b>" * 250_000))])
    with pytest.raises(InvalidPreset):
        library.save(kept.id, large)
    assert library.find(kept.id) == kept


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": " \n "}, "needs a name"),
        ({"name": "n" * 201}, "name may have 200"),
        ({"name": "n", "description": "d" * 10_001}, "description may have 10,000"),
        ({"name": "n", "tags": ["t" * 61]}, "tag may have 60"),
        ({"name": "n", "tags": [f"t{n}" for n in range(51)]}, "50 tags"),
        ({"name": "n", "folder": "f" * 201}, "folder may have 200"),
    ],
)
def test_label_that_cannot_be_is_refused_in_words(fields: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidPreset, match=says):
        label(**fields)  # type: ignore[arg-type]
