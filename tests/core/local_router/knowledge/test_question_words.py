"""A question is searched for what it is about."""

from __future__ import annotations

import pytest

from core.local_router.knowledge.question_words import without_question_words
from core.local_router.knowledge.store import KnowledgeStore


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("How does the for statement end?", ["the", "for", "statement", "end?"]),
        ("what is a generator function", ["is", "a", "generator", "function"]),
        ("how", ["how"]),
        ("what does this do", ["what", "does", "this", "do"]),
        ("somehow", ["somehow"]),
        ("🤖", ["🤖"]),
        ("", []),
    ],
)
def test_words_that_ask_are_left_out_unless_nothing_else_is_there(query, words):
    assert without_question_words(query).split() == words


def test_long_text_is_searched_as_it_is():
    text = "how " * 200
    assert without_question_words(text) == text


@pytest.mark.parametrize("search_type", ["keyword_search", "vector_search", "hybrid_search"])
def test_question_finds_what_its_subject_finds(search_type):
    store = KnowledgeStore(None)
    try:
        found = [
            [match.chunk.id for match in store.search("python-reference", query, search_type=search_type, top_k=3, threshold=0)]
            for query in ("how do I format a string", "format a string")
        ]
    finally:
        store.close()
    assert found[0] == found[1]
