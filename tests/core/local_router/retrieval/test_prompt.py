from __future__ import annotations

from core.local_router.knowledge.records import Chunk, Match
from core.local_router.models.pydoc import CONTEXT_TOKENS
from core.local_router.retrieval.prompt import BUDGET_TOKENS, BYTES_A_TOKEN, budget, chosen, with_knowledge
from core.local_router.retrieval.search import Found, Outcome


def found(name: str, size: int = 40) -> Found:
    return Found(Match(Chunk(name, "kb", "doc", 0, "x" * size, {}, True), 0.5), 0.5)


def outcome(*chunks: Found) -> Outcome:
    return Outcome(chunks, ())


def test_prompt_without_chunks_stays_as_it_is():
    assert with_knowledge("the prompt", []) == "the prompt"


def test_chunks_are_numbered_through_and_the_prompt_comes_last():
    text = with_knowledge("the prompt", [("a", "one\n"), ("b", "two")])
    assert text == "Knowledge:\n\n[1] a\none\n\n[2] b\ntwo\n\nPrompt:\n\nthe prompt"


def test_best_of_each_base_goes_first():
    kept, _ = chosen([outcome(found("a1"), found("a2")), outcome(found("b1"))], 1_000)
    assert [(index, one.chunk.id) for index, one in kept] == [(0, "a1"), (1, "b1"), (0, "a2")]


def test_chunk_that_does_not_fit_is_told_and_makes_room_for_a_smaller_one():
    kept, left_out = chosen([outcome(found("a", 80), found("b", 4_000), found("c", 80))], 100)
    assert [one.chunk.id for _, one in kept] == ["a", "c"]
    assert [(left.found.chunk.id, left.reason) for left in left_out[0]] == [("b", "budget")]


def test_chunk_of_a_base_that_is_named_twice_goes_in_once():
    kept, left_out = chosen([outcome(found("a")), outcome(found("a"))], 1_000)
    assert len(kept) == 1
    assert [left.reason for left in left_out[1]] == ["duplicate"]


def test_budget_is_an_eighth_of_the_context_and_less_where_the_prompt_is_long():
    assert budget("short", 16) == BUDGET_TOKENS == CONTEXT_TOKENS // 8
    assert budget("x" * BYTES_A_TOKEN * (CONTEXT_TOKENS - 1_000), 16) == 1_000 - 16
    assert budget("x" * BYTES_A_TOKEN * CONTEXT_TOKENS, 16) == 0
