"""What was done to a prompt, in sentences: stored prompt, inputs, retrieval, personal data, thinking."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lane.lane import lane
from core.lane.prompt_work import prompt_work_headline, prompt_work_said
from core.lane.trace_events import Event
from tests.core.lane.lane_runs import run, trace

CHUNKS = [{"id": "c1", "score": 0.934}, {"id": "c2", "score": 0.5}]
LEFT_OUT = [{"id": "c3", "reason": "threshold"}, {"id": "c4", "reason": "threshold"}, {"id": "c5", "reason": "budget"}]


@pytest.mark.parametrize(
    ("kind", "data", "said", "headline"),
    [
        (
            "prompt",
            {"id": "greeting", "version": 3},
            "The stored prompt greeting, version 3, took the prompt's place.",
            "stored prompt greeting, version 3",
        ),
        ("inputs", {"filled": ["a"], "missing": [], "unused": []}, "Filled a.", ""),
        (
            "inputs",
            {"filled": ["a", "b"], "missing": ["c"], "unused": ["d"]},
            "Filled a and b. c had no value and stayed as written. d is not in the prompt.",
            "c had no value",
        ),
        (
            "retrieval",
            {"knowledge_id": "k1", "key": "notes", "chunks": CHUNKS, "left_out": LEFT_OUT, "tokens": 679, "search_type": "hybrid_search"},
            "Searched notes by hybrid search in 12 ms: 2 chunks (about 679 tokens) went before the prompt, scores 0.93 to 0.50;"
            " 3 left out (2 below the threshold, 1 no room in the prompt).",
            "2 chunks from notes",
        ),
        (
            "retrieval",
            {"knowledge_id": "k1", "chunks": [], "left_out": [], "search_type": "vector_search"},
            "Searched k1 by vector search in 12 ms: nothing went before the prompt.",
            "0 chunks from k1",
        ),
        (
            "retrieval",
            {"key": "notes", "search_type": "keyword_search", "failed": 503},
            "Searched notes by keyword search in 12 ms: the search failed (503).",
            "the search of notes failed",
        ),
        ("retrieval", {"found": 3}, "Retrieval in 12 ms (found 3).", ""),
        (
            "pii",
            {"result": "redacted", "entities": {"EMAIL_ADDRESS": 2, "IBAN_CODE": 1}},
            "Looked for personal data in 12 ms: 2 EMAIL_ADDRESS and 1 IBAN_CODE hidden from the model.",
            "2 EMAIL_ADDRESS and 1 IBAN_CODE hidden",
        ),
        ("pii", {"result": "redacted", "entities": {}}, "Looked for personal data in 12 ms: none found.", ""),
        (
            "pii",
            {"result": "passed_through", "reason": "the language xx is not known"},
            "Personal data could not be looked for; the prompt went on as it was (the language xx is not known).",
            "personal data was not looked for",
        ),
        (
            "thinking",
            {"mode": "enabled", "budget_tokens": 1024, "reasoning_tokens": 1000, "drafts": 32, "steered_tokens": 64},
            "Thought in 12 ms: 1,000 of at most 1,024 tokens in 32 hidden drafts; the best of them gave the answer its first 64 tokens.",
            "1,000 tokens of thinking",
        ),
        (
            "thinking",
            {"mode": "adaptive", "budget_tokens": 0, "reasoning_tokens": 0, "drafts": 0, "steered_tokens": 0, "entropy_bits": 0.1},
            "Did not think, with at most 0 tokens to spend. The next token's entropy of 0.10 bits set that limit.",
            "",
        ),
    ],
)
def test_work_on_the_prompt_is_said_in_sentences(kind: str, data: dict[str, Any], said: str, headline: str) -> None:
    timed = {"duration_ms": 12} if kind in ("retrieval", "pii", "thinking") else {}
    event = Event(kind, 0.0, {**data, **timed})
    assert prompt_work_said(event) == said
    assert prompt_work_headline(event) == headline


def test_work_on_the_prompt_stands_first_in_the_headline() -> None:
    told = trace(
        ("prompt", 0, {"id": "greeting", "version": 1}),
        ("retrieval", 1, {"key": "notes", "chunks": CHUNKS}),
        ("cache", 2, {"result": "miss", "first": True}),
        ("end", 3),
    )
    assert lane(run(trace=told)).headline == (
        "stored prompt greeting, version 1 · 2 chunks from notes · cache miss — no similar request came before"
    )


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ["id", "version", "filled", "missing", "unused", "key", "chunks", "left_out", "tokens", "search_type", "result", "entities"]
MORE_FIELDS = ["reasoning_tokens", "budget_tokens", "drafts", "steered_tokens", "entropy_bits", "reason", "duration_ms"]


@given(kind=st.sampled_from(["prompt", "inputs", "retrieval", "pii", "thinking", "x"]), data=st.data())
def test_whatever_an_event_holds_there_is_a_sentence(kind: str, data: st.DataObject) -> None:
    rows = st.lists(st.fixed_dictionaries({"score": junk, "reason": junk}), max_size=3)
    told = data.draw(st.dictionaries(st.sampled_from(FIELDS + MORE_FIELDS), junk | rows | st.just("redacted"), max_size=6))
    event = Event(kind, 0.0, told)
    assert prompt_work_said(event)
    assert prompt_work_headline(event) is not None
