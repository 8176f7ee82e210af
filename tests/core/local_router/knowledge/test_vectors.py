"""Embeddings: fitted to the base or a server's, kept up to date, and compared by cosine."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.local_router.knowledge import latent, vectors
from core.local_router.knowledge.latent import LatentModel
from core.local_router.knowledge.store import BaseSettings, KnowledgeStore, Match
from tests.support.conditions import eventually

SERVER_MODEL = "box/embed"


class Server:
    """Embeds by counting letters; remembers what it was sent."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[str]]] = []
        self.fault: Exception | None = None

    def __call__(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        self.calls.append((model, list(texts)))
        if self.fault is not None:
            raise self.fault
        return [[float(text.count(letter)) for letter in "abcxyz"] for text in texts]


def by_meaning(store: KnowledgeStore, base: str, query: str, top_k: int = 5) -> list[Match]:
    return store.search(base, query, search_type="vector_search", top_k=top_k, threshold=0, include_vectors=True)


class TestLatentModel:
    @pytest.mark.parametrize(
        "texts", [["one"], ["one", "one"], ["a b c"] * 30, ["!"], ["", ""], ["a", "b"], [f"w{n} same" for n in range(40)]]
    )
    def test_small_and_odd_bases_are_fitted(self, texts: list[str]) -> None:
        matrix = LatentModel.fit(texts).embed([*texts, "unknown", ""])
        assert matrix.dtype == np.float32
        assert np.isfinite(matrix).all()
        lengths = np.linalg.norm(matrix, axis=1)
        assert all(length == pytest.approx(1, abs=1e-5) or length == 0 for length in lengths)
        assert lengths[-2:].tolist() == [0, 0]

    def test_words_used_in_the_same_places_come_to_lie_together(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(latent, "DIMENSIONS", 2)
        cars = [f"the {word} has wheels and an engine on the road" for word in ("car", "automobile", "truck")] * 10
        fruit = [f"the {word} is a sweet fruit in a garden tree" for word in ("apple", "pear", "plum")] * 10
        car, automobile, pear = LatentModel.fit(cars + fruit).embed(["car", "automobile", "pear"])
        assert car @ automobile > 0.5 > abs(car @ pear) + 0.3

    def test_a_fit_is_the_same_each_time(self) -> None:
        texts = [f"word{number % 7} word{number % 11} word{number}" for number in range(50)]
        first, second = (LatentModel.fit(texts).embed(texts) for _ in range(2))
        assert np.array_equal(first, second)


def test_a_chunks_own_text_finds_it_with_a_score_of_one(reference: KnowledgeStore) -> None:
    chunk = reference.chunks("python-reference")[40]
    match = by_meaning(reference, "python-reference", chunk.text)[0]
    assert match.chunk == chunk
    assert match.score == pytest.approx(1, abs=1e-4)
    assert match.score <= 1


def test_scores_are_cosines(reference: KnowledgeStore) -> None:
    matches = by_meaning(reference, "python-reference", "catching an exception", top_k=20)
    own = by_meaning(reference, "python-reference", matches[0].chunk.text, top_k=100)
    vectors_of = {match.chunk.id: np.array(match.vector) for match in own}
    for match in own:
        assert match.score == pytest.approx(float(vectors_of[matches[0].chunk.id] @ vectors_of[match.chunk.id]), abs=1e-4)


def test_a_query_without_a_known_word_finds_nothing(reference: KnowledgeStore) -> None:
    assert by_meaning(reference, "python-reference", "qwzxv") == []


def test_one_chunk_is_a_base(store: KnowledgeStore) -> None:
    store.create("one")
    store.add_document("one", "a.txt", b"Bananas are yellow.")
    (match,) = by_meaning(store, "one", "yellow")
    assert match.scores == {"vector": pytest.approx(1)}


def test_what_is_added_is_found_and_what_is_deleted_is_not(store: KnowledgeStore) -> None:
    store.create("fruit")
    first = store.add_document("fruit", "a.txt", b"Bananas are yellow.")
    assert by_meaning(store, "fruit", "bananas")
    store.add_document("fruit", "b.txt", b"Cherries are red.")
    assert by_meaning(store, "fruit", "cherries")[0].chunk.metadata["document"] == "b.txt"
    store.delete_document("fruit", first.id)
    assert by_meaning(store, "fruit", "bananas") == []
    assert by_meaning(store, "fruit", "cherries")


def test_a_large_base_folds_new_chunks_in_and_is_fitted_anew_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "REFIT_AT_ONCE", 3)
    fits: list[str] = []
    fit = LatentModel.fit
    go_on = threading.Event()

    def watched(texts: Sequence[str]) -> LatentModel:
        fits.append(threading.current_thread().name)
        if len(fits) > 1:
            assert go_on.wait(10)
        return fit(texts)

    monkeypatch.setattr(LatentModel, "fit", watched)
    store = KnowledgeStore(None)
    store.create("grow")
    for number in range(8):
        store.add_document("grow", f"{number}.txt", f"alpha beta gamma delta{number}".encode())
    by_meaning(store, "grow", "alpha")
    assert len(fits) == 1
    added = store.add_document("grow", "new.txt", b"alpha beta epsilon")
    assert "new.txt" in [match.chunk.metadata["document"] for match in by_meaning(store, "grow", "alpha", 20)]
    assert len(fits) == 1
    for number in range(3):
        store.add_document("grow", f"more{number}.txt", b"alpha epsilon")
    assert by_meaning(store, "grow", "epsilon") == []  # not a word of the first fit; the search did not wait for the second
    eventually(lambda: len(fits) == 2)
    go_on.set()
    assert eventually(lambda: by_meaning(store, "grow", "epsilon"))
    assert fits[1] == "knowledge-fit"
    store.delete_document("grow", added.id)
    assert "new.txt" not in [match.chunk.metadata["document"] for match in by_meaning(store, "grow", "alpha", 20)]
    store.close()


def test_a_large_base_whose_documents_are_replaced_one_for_one_is_fitted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "REFIT_AT_ONCE", 3)
    store = KnowledgeStore(None)
    store.create("turn")
    kept = [store.add_document("turn", f"{number}.txt", f"alpha beta gamma delta{number}".encode()) for number in range(8)]
    by_meaning(store, "turn", "alpha")
    store.delete_document("turn", kept[0].id)
    store.add_document("turn", "new.txt", b"alpha epsilon")
    assert by_meaning(store, "turn", "epsilon") == []  # two changes are a quarter of eight, and no more
    store.delete_document("turn", kept[1].id)
    store.add_document("turn", "newer.txt", b"alpha epsilon")
    found = eventually(lambda: by_meaning(store, "turn", "epsilon"))
    assert {match.chunk.metadata["document"] for match in found[:2]} == {"new.txt", "newer.txt"}
    store.close()


class TestServerEmbedding:
    def test_chunks_are_embedded_when_they_are_added_and_their_vectors_kept(self, tmp_path: Path) -> None:
        server = Server()
        store = KnowledgeStore(tmp_path, embedders=server)
        store.create("far", settings=BaseSettings(embedding_model=SERVER_MODEL))
        store.add_document("far", "a.txt", b"aaa b")
        store.add_document("far", "x.txt", b"xxx y")
        assert server.calls == [(SERVER_MODEL, ["aaa b"]), (SERVER_MODEL, ["xxx y"])]
        store.close()

        server.calls.clear()
        store = KnowledgeStore(tmp_path, embedders=server)
        match = by_meaning(store, "far", "aab")[0]
        assert server.calls == [(SERVER_MODEL, ["aab"])]
        assert match.chunk.text == "aaa b"
        assert match.score == pytest.approx((3 * 2 + 1) / (10**0.5 * 5**0.5))
        assert match.vector == pytest.approx([3 / 10**0.5, 1 / 10**0.5, 0, 0, 0, 0])
        store.close()

    def test_a_changed_model_embeds_what_is_there_at_the_next_search(self, store: KnowledgeStore) -> None:
        server = Server()
        store._embed = server
        base = store.create("change")
        store.add_document("change", "a.txt", b"aaa b")
        assert server.calls == []
        store.update(base.id, settings=BaseSettings(embedding_model=SERVER_MODEL))
        assert by_meaning(store, "change", "a")[0].score == pytest.approx(3 / 10**0.5)
        assert server.calls == [(SERVER_MODEL, ["aaa b"]), (SERVER_MODEL, ["a"])]

    def test_a_failing_server_leaves_no_half_added_document_and_its_sentence_is_passed_on(self, store: KnowledgeStore) -> None:
        server = Server()
        store._embed = server
        store.create("far", settings=BaseSettings(embedding_model=SERVER_MODEL))
        server.fault = ConnectionError("box did not answer; start it.")
        with pytest.raises(ConnectionError, match="box did not answer; start it"):
            store.add_document("far", "a.txt", b"aaa b")
        assert store.documents("far") == []
        assert store.base("far").chunks == 0

    def test_without_a_server_the_sentence_says_what_to_do(self, store: KnowledgeStore) -> None:
        store.create("far", settings=BaseSettings(embedding_model=SERVER_MODEL))
        with pytest.raises(ValueError, match="box/embed cannot embed: no server is configured; add it"):
            store.add_document("far", "a.txt", b"aaa b")

    def test_an_answer_that_does_not_fit_is_refused(self, store: KnowledgeStore) -> None:
        store._embed = lambda model, texts: [[1.0], [1.0, 2.0]]
        store.create("far", settings=BaseSettings(embedding_model=SERVER_MODEL))
        with pytest.raises(ValueError, match="box/embed answered with 2 vectors for 1 texts"):
            store.add_document("far", "a.txt", b"aaa b")
