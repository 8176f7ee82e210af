"""What the fields of ``orq.knowledge_bases`` do, on a small base of seven notes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from core.local_router.server import LocalRouter
from tests.core.local_router.effects.conftest import NOTES, Asker, Seen

shows = pytest.mark.shows

WATER = "river water"
"""Found by its words in the notes of otter, beaver and heron."""


class Search:
    """Asks with one base, by words unless told otherwise, and tells by name what went before the prompt."""

    def __init__(self, ask: Asker, names: dict[str, str]) -> None:
        self.ask = ask
        self.names = names
        self.seen: Seen | None = None

    def __call__(self, prompt: str = WATER, **fields: Any) -> list[str]:
        item = {"knowledge_id": "notes", "search_type": "keyword_search"} | fields
        self.seen = self.ask(prompt=prompt, echo=True, max_tokens=4, orq={"knowledge_bases": [item]})
        return [self.names[chunk["id"]] for chunk in self.chunks()] if self.seen.status == 200 else []

    def event(self) -> dict[str, Any]:
        assert self.seen is not None
        return self.seen.event("retrieval")

    def chunks(self) -> list[dict[str, Any]]:
        return list(self.event()["chunks"])

    def left_out(self) -> dict[str, str]:
        return {self.names[row["id"]]: row["reason"] for row in self.event()["left_out"]}


@pytest.fixture
def search(ask: Asker, notes: dict[str, str]) -> Search:
    return Search(ask, notes)


@shows("orq.knowledge_bases[].knowledge_id")
def test_chunks_go_before_the_prompt_under_a_heading(search: Search):
    assert sorted(search()) == ["beaver", "heron", "otter"]
    text = search.seen.text
    assert text.startswith("Knowledge:\n\n[1] notes\nThe ")
    before, _, after = text.partition("\n\nPrompt:\n\n")
    assert all(NOTES[f"{name}.txt"][0] in before for name in ("otter", "beaver", "heron"))
    assert after.startswith(WATER)
    assert "orq" not in search.seen.trace


@shows("orq.knowledge_bases[].knowledge_id")
def test_base_that_is_not_there_is_a_404_that_names_the_field(ask: Asker, notes: dict[str, str]):
    seen = ask(orq={"knowledge_bases": [{"knowledge_id": "notes"}, {"knowledge_id": "nowhere"}]})
    assert (seen.status, seen.targets()) == (404, [])


def test_prompt_without_a_match_stays_as_it_is_and_the_trace_says_so(search: Search):
    assert search(prompt="zebra") == []
    assert search.seen.text.startswith("zebra")
    assert (search.event()["chunks"], search.event()["left_out"]) == ([], [])


@shows("orq.knowledge_bases[].query")
def test_query_is_searched_for_instead_of_the_prompt(search: Search):
    assert search(prompt="river", query="worms") == ["mole"]
    assert "\n\nPrompt:\n\nriver" in search.seen.text


@shows("orq.knowledge_bases[].top_k")
def test_top_k_is_how_many_chunks_come_and_null_is_the_bases_own(search: Search, ask: Asker):
    assert len(search(top_k=2)) == 2
    assert len(search(top_k=None)) == 3
    strict = ask(prompt="otter", orq={"knowledge_bases": [{"knowledge_id": "strict", "top_k": None}]})
    assert len(strict.event("retrieval")["chunks"]) == 1
    assert strict.event("retrieval")["search_type"] == "keyword_search"


@shows("orq.knowledge_bases[].threshold")
def test_chunks_below_the_threshold_are_left_out_and_told(search: Search):
    search()
    scores = {search.names[chunk["id"]]: chunk["score"] for chunk in search.chunks()}
    best = max(scores, key=lambda name: scores[name])
    assert best in search(threshold=scores[best] - 1e-6)
    assert search.left_out() == {name: "threshold" for name in scores if scores[name] < scores[best] - 1e-6}
    assert search(threshold=1) == []


@shows("orq.knowledge_bases[].search_type")
@pytest.mark.parametrize(
    ("search_type", "made_of"),
    [("keyword_search", ["keyword"]), ("vector_search", ["vector"]), ("hybrid_search", ["hybrid", "keyword", "vector"])],
)
def test_search_type_decides_how_chunks_are_found(search: Search, search_type, made_of):
    assert search(prompt="who eats worms", search_type=search_type, search_options={"include_scores": True})[0] == "mole"
    assert sorted(search.chunks()[0]["scores"].keys() - {"search_score"}) == made_of
    assert search.event()["search_type"] == search_type


@shows("orq.knowledge_bases[].filter_by")
@pytest.mark.parametrize(
    ("filter_by", "found"),
    [
        ({"kind": {"eq": "mammal"}}, ["beaver", "otter"]),
        ({"kind": {"eq": "mammal"}, "year": {"gte": 2020}}, ["beaver"]),
        ({"and": [{"year": {"gt": 2019}}, {"year": {"lt": 2023}}]}, ["heron"]),
        ({"or": [{"year": {"lte": 2019}}, {"kind": {"in": ["bird"]}}]}, ["heron", "otter"]),
        ({"kind": {"nin": ["bird"]}, "year": {"ne": 2023}}, ["otter"]),
    ],
    ids=str,
)
def test_only_chunks_that_pass_the_filter_are_found(search: Search, filter_by, found):
    assert sorted(search(filter_by=filter_by)) == found
    assert search.event()["filtered"] is True


@shows("orq.knowledge_bases[].filter_by")
def test_exists_is_understood_though_the_contract_dropped_it(patient_router: LocalRouter, notes: dict[str, str]):
    item = {"knowledge_id": "notes", "search_type": "keyword_search", "filter_by": {"kind": {"exists": False}}}
    body = {"model": "local/pydoc", "prompt": "stones", "max_tokens": 2, "echo": True, "orq": {"knowledge_bases": [item]}}
    text = httpx.post(f"{patient_router.base_url}/v2/router/completions", json=body).json()["choices"][0]["text"]
    assert "newt" in text
    assert "adder" not in text


@shows(
    "orq.knowledge_bases[].search_options.include_scores",
    "orq.knowledge_bases[].search_options.include_metadata",
    "orq.knowledge_bases[].search_options.include_vectors",
)
@pytest.mark.parametrize(
    ("option", "name"), [("include_scores", "scores"), ("include_metadata", "metadata"), ("include_vectors", "vector")]
)
def test_search_options_decide_what_the_trace_tells_of_each_chunk(search: Search, option, name):
    search(search_options={option: True})
    assert [set(chunk) for chunk in search.chunks()] == [{"id", "score", name}] * 3
    search(search_options={option: False})
    assert [set(chunk) for chunk in search.chunks()] == [{"id", "score"}] * 3


def test_metadata_in_the_trace_is_the_chunks_own(search: Search):
    assert search(prompt="worms", search_options={"include_metadata": True}) == ["mole"]
    told = search.chunks()[0]["metadata"]
    assert (told["year"], told["kind"], told["document"]) == (2022, "mammal", "mole.txt")


@shows("orq.knowledge_bases[].rerank_config.model")
def test_reranking_orders_the_chunks_by_the_querys_words_in_them(search: Search):
    query = "otter river holt"
    assert search(query=query, rerank_config={"model": "local/overlap"})[0] == "otter"
    scores = [chunk["score"] for chunk in search.chunks()]
    assert (scores[0], scores == sorted(scores, reverse=True)) == (1.0, True)
    assert search.event()["rerank"] == {"model": "local/overlap", "threshold": 0.0, "top_k": 10}


@shows("orq.knowledge_bases[].rerank_config.threshold")
def test_reranked_chunk_must_exceed_the_threshold(search: Search):
    search(query="otter river holt", rerank_config={"model": "local/overlap"})
    score = {search.names[chunk["id"]]: chunk["score"] for chunk in search.chunks()}["beaver"]
    assert 0 < score < 1
    assert search(query="otter river holt", rerank_config={"model": "local/overlap", "threshold": 1}) == []
    assert "beaver" in search(query="otter river holt", rerank_config={"model": "local/overlap", "threshold": score - 0.01})
    assert "beaver" not in search(query="otter river holt", rerank_config={"model": "local/overlap", "threshold": score + 0.01})
    assert search.left_out()["beaver"] == "rerank_threshold"


@shows("orq.knowledge_bases[].rerank_config.top_k")
def test_top_k_of_reranking_is_how_many_are_kept(search: Search):
    assert search(query="otter river holt", rerank_config={"model": "local/overlap", "top_k": 1}) == ["otter"]
    assert set(search.left_out().values()) == {"rerank_top_k"}


@shows("orq.knowledge_bases[].agentic_rag_config.model")
def test_rewritten_queries_are_searched_too(search: Search):
    search(query="river", top_k=2, agentic_rag_config={"model": "local/pydoc"})
    assert search.event()["agentic"]["model"] == "local/pydoc"
    assert 2 <= search.event()["agentic"]["queries"] <= 4


@shows("orq.knowledge_bases[].agentic_rag_config.model", "orq.knowledge_bases[].rerank_config.model")
@pytest.mark.parametrize("model", ["local/none", "nowhere/model"])
@pytest.mark.parametrize("config", ["agentic_rag_config", "rerank_config"])
def test_model_that_is_not_there_is_a_404(search: Search, config, model):
    search(**{config: {"model": model}})
    assert (search.seen.status, search.seen.targets()) == (404, [])


def test_model_that_fails_to_rewrite_leaves_the_query_as_it_is(search: Search):
    assert len(search(agentic_rag_config={"model": "rehearsal/503"})) == 3
    assert search.event()["agentic"] == {"model": "rehearsal/503", "queries": 1, "failed": 503}


def test_bases_take_turns_and_share_no_chunk(ask: Asker, notes: dict[str, str]):
    by_words = {"search_type": "keyword_search"}
    bases = [{"knowledge_id": "notes", **by_words}, {"knowledge_id": "strict"}, {"knowledge_id": "notes", **by_words}]
    seen = ask(prompt="otter river", echo=True, max_tokens=2, orq={"knowledge_bases": bases})
    assert "[2] strict\nThe river otter" in seen.text
    first, _, again = seen.events("retrieval")
    assert {row["id"] for row in again["left_out"] if row["reason"] == "duplicate"} == {row["id"] for row in first["chunks"]}
    assert again["chunks"] == []


def test_cache_sees_what_was_found(ask: Asker, notes: dict[str, str], patient_router: LocalRouter):
    def cached(query: str) -> str:
        base = {"knowledge_id": "notes", "search_type": "keyword_search", "query": query}
        return str(ask(prompt="p", cache={"type": "exact_match"}, orq={"knowledge_bases": [base]}).trace["cache"])

    assert [cached("worms"), cached("worms"), cached("willow")] == ["miss", "hit", "miss"]
    assert cached("mole worms") == "hit", "another query that finds the same makes the same prompt"
