"""The store: bases, documents, chunks, searches, and what stays when the file is opened again."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import pytest

from core.contract.filters import parse_filter
from core.local_router.knowledge.store import FILE_NAME, SEARCH_TYPES, BaseSettings, KnowledgeStore, Match, SearchType, UnknownBase

REFERENCE = "python-reference"
NOTES = b"Rotate the keys every month.\n\nNever send a key by mail."


def search(store: KnowledgeStore, base: str, query: str, **options: Any) -> list[Match]:
    given: dict[str, Any] = {"search_type": "hybrid_search", "top_k": 5, "threshold": 0.0} | options
    return store.search(base, query, **given)


class TestBuiltInBase:
    def test_it_is_there_from_the_start_with_every_topic(self, reference: KnowledgeStore) -> None:
        (base,) = reference.bases()
        assert (base.id, base.key, base.built_in) == (REFERENCE, REFERENCE, True)
        assert {document.name for document in reference.documents(REFERENCE)} == set(topics)
        assert base.documents == len(topics)
        assert base.chunks == len(reference.chunks(REFERENCE, limit=10_000)) > 400

    def test_its_chunks_say_topic_position_characters_and_whether_there_is_code(self, reference: KnowledgeStore) -> None:
        chunks = reference.chunks(REFERENCE, limit=10_000)
        assert all(set(chunk.metadata) == {"topic", "position", "characters", "has_code"} for chunk in chunks)
        assert all(chunk.metadata["characters"] == len(chunk.text) for chunk in chunks)
        with_code = [chunk for chunk in chunks if chunk.metadata["has_code"]]
        assert 0.1 < len(with_code) / len(chunks) < 0.6
        assert all(chunk.metadata["has_code"] for chunk in chunks if "\n   >>> " in chunk.text)

    def test_no_two_of_its_chunks_have_the_same_text(self, reference: KnowledgeStore) -> None:
        texts = [chunk.text for chunk in reference.chunks(REFERENCE, limit=10_000)]
        assert len(texts) == len(set(texts))

    def test_its_ids_are_the_same_everywhere(self, reference: KnowledgeStore, tmp_path: Path) -> None:
        other = KnowledgeStore(tmp_path)
        ids = [chunk.id for chunk in other.chunks(REFERENCE, limit=10_000)]
        assert ids == [chunk.id for chunk in reference.chunks(REFERENCE, limit=10_000)]
        other.close()

    def test_it_cannot_be_changed(self, reference: KnowledgeStore) -> None:
        chunk = reference.chunks(REFERENCE, limit=1)[0]
        for change in (
            lambda: reference.delete(REFERENCE),
            lambda: reference.update(REFERENCE, description="mine"),
            lambda: reference.add_document(REFERENCE, "a.txt", b"text"),
            lambda: reference.delete_document(REFERENCE, chunk.document_id),
        ):
            with pytest.raises(ValueError, match="python-reference is built in and cannot be changed; make one of your own"):
                change()

    def test_it_is_made_anew_when_the_reference_is_another(self, tmp_path: Path) -> None:
        store = KnowledgeStore(tmp_path)
        expected = [chunk.text for chunk in store.chunks(REFERENCE)]
        store.close()
        with sqlite3.connect(tmp_path / FILE_NAME) as connection:
            connection.execute("UPDATE bases SET built_from = 'another Python'")
            connection.execute("UPDATE chunks SET text = 'outdated'")
        connection.close()
        store = KnowledgeStore(tmp_path)
        assert [chunk.text for chunk in store.chunks(REFERENCE)] == expected
        assert len(store.bases()) == 1
        store.close()


class TestBases:
    def test_a_base_is_found_by_id_and_by_key(self, store: KnowledgeStore) -> None:
        base = store.create("handbook", "Ours", BaseSettings(top_k=7, threshold=0.25, rerank={"model": "local/overlap"}))
        assert base.id.startswith("kb_")
        assert store.base(base.id) == store.base("handbook") == base
        assert store.bases()[1:] == [base]
        assert (base.settings.top_k, base.settings.rerank) == (7, {"model": "local/overlap"})

    @pytest.mark.parametrize("key", ["", " ", "a b", "-a", "a--b", "ä", "x" * 61, "a/b", "a\n"])
    def test_what_is_no_key_is_refused(self, store: KnowledgeStore, key: str) -> None:
        with pytest.raises(ValueError, match="A key is 1 to 60 letters and digits"):
            store.create(key)

    def test_a_key_is_used_once(self, store: KnowledgeStore) -> None:
        store.create("twice")
        for key in ("twice", REFERENCE):
            with pytest.raises(ValueError, match=f"the key {key} exists already; choose another"):
                store.create(key)

    @pytest.mark.parametrize(
        ("settings", "sentence"),
        [
            (BaseSettings(top_k=0), "top_k must be a whole number between 1 and 100"),
            (BaseSettings(threshold=1.5), "threshold must be a number between 0 and 1"),
            (BaseSettings(search_type="fuzzy"), "search_type must be one of vector_search"),  # type: ignore[arg-type]
            (BaseSettings(embedding_model="nothing"), "embedding_model must be local/tfidf-svd, or name/model"),
        ],
    )
    def test_settings_out_of_range_are_refused(self, store: KnowledgeStore, settings: BaseSettings, sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence):
            store.create("bad", settings=settings)
        assert len(store.bases()) == 1

    def test_description_and_settings_change_one_by_one(self, store: KnowledgeStore) -> None:
        base = store.create("change", "before")
        assert store.update(base.id, description="after").settings == base.settings
        changed = store.update("change", settings=BaseSettings(top_k=3))
        assert (changed.description, changed.settings.top_k) == ("after", 3)

    @pytest.mark.parametrize("name", ["nothing", "", "a\0b", "\ud800"])
    def test_an_unknown_base_is_told(self, store: KnowledgeStore, name: str) -> None:
        for ask in (lambda: store.base(name), lambda: store.delete(name), lambda: search(store, name, "x"), lambda: store.documents(name)):
            with pytest.raises(UnknownBase, match="There is no knowledge base"):
                ask()

    def test_a_deleted_base_is_gone_with_all_in_it_and_its_key_is_free(self, tmp_path: Path) -> None:
        store = KnowledgeStore(tmp_path)
        store.bases()

        def rows() -> dict[str, int]:
            with sqlite3.connect(tmp_path / FILE_NAME) as connection:
                tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
                counts = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
            connection.close()
            return counts | {"sqlite_sequence": 0}

        before = rows()
        store.create("brief")
        store.add_document("brief", "a.txt", NOTES, {"year": 2024})
        assert search(store, "brief", "keys")
        assert rows() != before
        store.delete("brief")
        assert rows() == before
        store.create("brief")
        assert search(store, "brief", "keys") == []
        store.close()


class TestDocuments:
    def test_a_documents_chunks_carry_its_metadata_and_their_own(self, store: KnowledgeStore) -> None:
        store.create("notes")
        given = {"year": 2024, "tags": ["a"], "none": None, "o'k\".x": True}
        document = store.add_document("notes", "keys.txt", NOTES, given)
        (chunk,) = store.chunks("notes")
        assert chunk.metadata == given | {"document": "keys.txt", "position": 0, "characters": len(chunk.text)}
        assert (document.name, document.characters, document.chunks, document.metadata) == ("keys.txt", len(NOTES), 1, given)
        assert store.documents("notes") == [document]
        assert (store.base("notes").documents, store.base("notes").chunks) == (1, 1)

    def test_a_file_that_cannot_be_read_leaves_nothing(self, store: KnowledgeStore) -> None:
        store.create("notes")
        with pytest.raises(ValueError, match=r"a\.docx is of a kind that cannot be read"):
            store.add_document("notes", "a.docx", b"x")
        assert store.documents("notes") == []

    @pytest.mark.parametrize(
        ("metadata", "sentence"),
        [
            ({"position": 3}, "Metadata cannot set position"),
            ({1: "x"}, "must have texts as names"),
            ({"a": float("nan")}, "Metadata a is nan, which JSON cannot carry"),
            ({"a": [float("inf")]}, "must be what JSON can carry"),
            ({"a": b"x"}, "must be what JSON can carry"),
            ({"a": "\ud800"}, "half of a surrogate pair"),
            ({"\ud800": 1}, "half of a surrogate pair"),
            ({"a": "x" * 20_000}, "more than 16,000"),
        ],
    )
    def test_metadata_that_cannot_be_kept_is_refused(self, store: KnowledgeStore, metadata: Any, sentence: str) -> None:
        store.create("notes")
        with pytest.raises(ValueError, match=sentence):
            store.add_document("notes", "a.txt", NOTES, metadata)

    @pytest.mark.parametrize("name", ["", " ", "x" * 300 + ".txt", "a\n.txt"])
    def test_a_document_needs_a_name_that_can_be_shown(self, store: KnowledgeStore, name: str) -> None:
        store.create("notes")
        with pytest.raises(ValueError, match="A document's name is"):
            store.add_document("notes", name, NOTES)

    def test_a_deleted_document_is_no_longer_found(self, store: KnowledgeStore) -> None:
        store.create("notes")
        store.add_document("notes", "stays.txt", b"Bananas are yellow.", {"n": 1})
        gone = store.add_document("notes", "goes.txt", NOTES, {"n": 2})
        store.delete_document("notes", gone.id)
        for kind in SEARCH_TYPES:
            assert search(store, "notes", "keys mail", search_type=kind) == []
            assert len(search(store, "notes", "bananas", search_type=kind, filter=parse_filter({"n": {"ne": 2}}))) == 1
        with pytest.raises(ValueError, match="has no document"):
            store.delete_document("notes", gone.id)

    def test_chunks_come_in_pages(self, reference: KnowledgeStore) -> None:
        whole = reference.chunks(REFERENCE, limit=50)
        first = reference.chunks(REFERENCE, limit=20)
        rest = reference.chunks(REFERENCE, after=first[-1].id, limit=30)
        assert first + rest == whole
        document = whole[0].document_id
        assert reference.chunks(REFERENCE, document) == [chunk for chunk in whole if chunk.document_id == document]
        with pytest.raises(ValueError, match="has no chunk"):
            reference.chunks(REFERENCE, after="chunk_nothing")


class TestSearch:
    @pytest.mark.parametrize("kind", SEARCH_TYPES)
    def test_the_right_topic_comes_up(self, reference: KnowledgeStore, kind: SearchType) -> None:
        questions = {"with statement context manager": "with", "lambda expressions": "lambda", "breakpoints in the debugger": "debugger"}
        for question, topic in questions.items():
            found = [match.chunk.metadata["topic"] for match in search(reference, REFERENCE, question, search_type=kind)]
            assert topic in found, (question, found)

    @pytest.mark.parametrize("kind", SEARCH_TYPES)
    def test_scores_fall_from_at_most_one_and_top_k_and_threshold_hold(self, reference: KnowledgeStore, kind: SearchType) -> None:
        every = search(reference, REFERENCE, "assignment to an attribute", search_type=kind, top_k=100)
        scores = [match.score for match in every]
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score <= 1 for score in scores)
        assert [match.chunk.id for match in search(reference, REFERENCE, "assignment to an attribute", search_type=kind, top_k=3)] == [
            match.chunk.id for match in every[:3]
        ]
        limit = scores[4]
        kept = search(reference, REFERENCE, "assignment to an attribute", search_type=kind, top_k=100, threshold=limit)
        assert kept == [match for match in every if match.score >= limit]
        assert every[0].scores[kind.removesuffix("_search")] == every[0].score

    def test_a_hybrid_score_comes_with_those_it_was_made_of(self, reference: KnowledgeStore) -> None:
        for match in search(reference, REFERENCE, "import a module", top_k=20):
            words, meaning = (
                {
                    found.chunk.id: rank
                    for rank, found in enumerate(search(reference, REFERENCE, "import a module", search_type=kind, top_k=100), 1)
                }
                for kind in ("keyword_search", "vector_search")
            )
            ranks = [ranking[match.chunk.id] for ranking in (words, meaning) if match.chunk.id in ranking]
            assert match.score == pytest.approx(sum(1 / (60 + rank) for rank in ranks) / (2 / 61))
            assert set(match.scores) - {"hybrid"} == {
                kind for kind, ranking in (("keyword", words), ("vector", meaning)) if match.chunk.id in ranking
            }

    @pytest.mark.parametrize("kind", SEARCH_TYPES)
    def test_only_what_passes_the_filter_is_found_and_top_k_counts_those(self, reference: KnowledgeStore, kind: SearchType) -> None:
        condition = parse_filter({"and": [{"has_code": {"eq": True}}, {"characters": {"gt": 900}}]})
        found = search(reference, REFERENCE, "the value of an expression", search_type=kind, top_k=10, filter=condition)
        assert len(found) == 10
        assert all(match.chunk.metadata["has_code"] and match.chunk.metadata["characters"] > 900 for match in found)
        nothing = parse_filter({"topic": {"eq": "none such"}})
        assert search(reference, REFERENCE, "value", search_type=kind, filter=nothing) == []

    @pytest.mark.parametrize("kind", SEARCH_TYPES)
    def test_a_chunk_that_is_off_is_not_found_until_it_is_on_again(self, store: KnowledgeStore, kind: SearchType) -> None:
        store.create("notes")
        store.add_document("notes", "a.txt", NOTES)
        (match,) = search(store, "notes", "keys", search_type=kind)
        store.set_enabled("notes", match.chunk.id, False)
        assert search(store, "notes", "keys", search_type=kind) == []
        assert search(store, "notes", "keys", search_type=kind, filter=parse_filter({"position": {"eq": 0}})) == []
        assert [chunk.enabled for chunk in store.chunks("notes")] == [False]
        store.set_enabled("notes", match.chunk.id, True)
        assert len(search(store, "notes", "keys", search_type=kind)) == 1

    @pytest.mark.parametrize("kind", SEARCH_TYPES)
    def test_vectors_come_when_they_are_asked_for(self, reference: KnowledgeStore, kind: SearchType) -> None:
        assert all(match.vector is None for match in search(reference, REFERENCE, "loop", search_type=kind))
        found = search(reference, REFERENCE, "loop", search_type=kind, include_vectors=True)
        assert all(json.dumps(match.vector) and sum(x * x for x in match.vector or []) == pytest.approx(1, abs=1e-3) for match in found)

    @pytest.mark.parametrize("kind", SEARCH_TYPES)
    @pytest.mark.parametrize("query", ["", "  \n", '"', "🎉", "\0", "\ud800"])
    def test_a_query_without_words_finds_nothing(self, reference: KnowledgeStore, kind: SearchType, query: str) -> None:
        assert search(reference, REFERENCE, query, search_type=kind) == []

    @pytest.mark.parametrize("options", [{"top_k": 0}, {"top_k": 101}, {"threshold": -0.1}, {"threshold": 2}, {"search_type": "x"}])
    def test_options_out_of_range_are_refused(self, reference: KnowledgeStore, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="must be"):
            search(reference, REFERENCE, "x", **options)


def test_opening_the_file_again_finds_everything_as_it_was(tmp_path: Path) -> None:
    store = KnowledgeStore(tmp_path)
    base = store.create("notes", "Ours", BaseSettings(top_k=9))
    store.add_document("notes", "a.txt", NOTES, {"year": 2024})
    store.set_enabled("notes", store.chunks("notes")[0].id, False)
    store.add_document("notes", "b.txt", b"Keys are kept in the vault.", {"year": 2025})
    before = (store.bases(), store.documents("notes"), store.chunks("notes"), search(store, "notes", "keys"))
    store.close()
    store = KnowledgeStore(tmp_path)
    assert (store.bases(), store.documents("notes"), store.chunks("notes"), search(store, "notes", "keys")) == before
    assert [match.chunk.metadata["year"] for match in before[3]] == [2025]
    assert store.base(base.id).settings.top_k == 9
    store.close()


def test_making_a_store_touches_no_file(tmp_path: Path) -> None:
    KnowledgeStore(tmp_path / "later")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RuntimeError, match="written by a newer version"):
        KnowledgeStore(tmp_path).bases()


def test_a_closed_store_says_so(store: KnowledgeStore) -> None:
    store.bases()
    store.close()
    with pytest.raises(RuntimeError, match="The knowledge store is closed"):
        store.bases()
