from __future__ import annotations

import random
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.local_router.models.ngram import LearnedText
from core.local_router.models.suffix_index import DEPTH, SuffixIndex, sort_suffixes

texts = st.lists(st.integers(0, 4), min_size=1, max_size=60)


def brute_force(tokens: list[int], context: list[int]) -> Counter[int]:
    length = len(context)
    return Counter(tokens[start + length] for start in range(len(tokens) - length) if tokens[start : start + length] == context)


def counts(index: SuffixIndex, context: list[int]) -> Counter[int]:
    match = index.match(context, DEPTH - 1)
    if match[1] < len(context):
        return Counter()
    tokens, numbers = index.followers(match, len(context))
    return Counter(dict(zip(tokens.tolist(), numbers.tolist(), strict=True)))


@settings(deadline=None)
@given(texts)
def test_suffixes_are_sorted_by_their_first_tokens_then_by_place(tokens):
    order = sort_suffixes(np.array(tokens, dtype=np.int32))
    assert order.tolist() == sorted(range(len(tokens)), key=lambda start: (tokens[start : start + DEPTH], start))


@settings(deadline=None)
@given(texts, st.lists(st.integers(0, 5), max_size=DEPTH - 1))
def test_counts_are_those_of_counting(tokens, context):
    assert counts(SuffixIndex(tokens), context) == brute_force(tokens, context)


@settings(deadline=None)
@given(texts, st.data())
def test_counts_of_contexts_that_occur_are_those_of_counting(tokens, data):
    start = data.draw(st.integers(0, len(tokens)))
    context = tokens[start : start + data.draw(st.integers(0, DEPTH - 1))]
    assert counts(SuffixIndex(tokens), context) == brute_force(tokens, context)


def test_counts_in_the_whole_reference_are_those_of_counting(learned: LearnedText):
    draw = random.Random(5)
    for length in (1, 2, 3, 5, 7):
        start = draw.randrange(len(learned.tokens) - 10)
        context = learned.tokens[start : start + length]
        assert counts(learned.index, context) == brute_force(learned.tokens, context)


@settings(deadline=None)
@given(texts, texts)
def test_shorter_contexts_of_a_match_are_counted_too(tokens, text):
    index = SuffixIndex(tokens)
    match = index.match(text, DEPTH - 1)
    for length in range(match[1] + 1):
        expected = brute_force(tokens, text[len(text) - length :])
        assert index.total(match, length) == expected.total()
        assert {token: index.count(match, length, token) for token in expected} == expected
        assert index.count(match, length, 5) == 0
        assert index.back_off(match, length) == len(expected) / (expected.total() + len(expected))
        assert Counter(index.occurrence(match, length, number) for number in range(expected.total())) == expected


@settings(deadline=None)
@given(texts, texts)
def test_no_longer_end_of_the_text_occurs_with_anything_behind_it(tokens, text):
    length = SuffixIndex(tokens).match(text, DEPTH - 1)[1]
    assert length in (DEPTH - 1, len(text)) or not brute_force(tokens, text[len(text) - length - 1 :])


def test_extending_finds_as_much_as_starting_anew(learned: LearnedText):
    tokens = learned.tokens[5_000:5_040]
    match = learned.index.match([], DEPTH - 1)
    for place, token in enumerate(tokens):
        match = learned.index.extend(match, token, DEPTH - 1)
        fresh = learned.index.match(tokens[: place + 1], DEPTH - 1)
        assert match[1] == fresh[1]
        assert learned.index.total(match, match[1]) == learned.index.total(fresh, fresh[1])
