from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from core.local_router.retrieval.overlap import overlap_scores

COUNTS = {"otter": 2, "otters": 2, "river": 40, "night": 10}


def frequencies(words: Sequence[str]) -> list[int]:
    return [COUNTS.get(word, 0) for word in words]


def scores(query: str, *texts: str) -> list[float]:
    return overlap_scores(query, texts, frequencies, 100)


def test_all_of_the_querys_words_score_one_and_none_scores_zero():
    assert scores("otter river", "The river otter.", "A meadow.") == [1.0, 0.0]


def test_rare_word_weighs_more_than_a_frequent_one():
    rare, frequent = scores("otter river", "An otter.", "A river.")
    assert 1 > rare > frequent > 0


def test_word_that_the_base_does_not_know_weighs_nothing():
    assert scores("otter zebra", "An otter.") == [1.0]
    assert scores("zebra", "A zebra.") == [0.0]


def test_plural_and_case_are_no_other_word():
    assert scores("OTTERS", "one otter") == [1.0]


@given(st.text(), st.lists(st.text(), max_size=5))
def test_every_score_lies_between_zero_and_one(query: str, texts: list[str]):
    assert all(0 <= score <= 1 + 1e-9 for score in overlap_scores(query, texts, lambda words: [1] * len(words), 3))
