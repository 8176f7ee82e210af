from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.local_router.models import context_tree
from core.local_router.models.context_tree import DEPTH, ContextTree, sort_suffixes
from core.local_router.models.ngram import LearnedText

texts = st.lists(st.integers(0, 4), min_size=1, max_size=60)


def brute_force(tokens: list[int], context: list[int]) -> Counter[int]:
    length = len(context)
    return Counter(tokens[start + length] for start in range(len(tokens) - length) if tokens[start : start + length] == context)


def counts(tree: ContextTree, context: list[int]) -> Counter[int]:
    chain = tree.contexts(context, DEPTH - 1)
    if len(chain) <= len(context):
        return Counter()
    found = chain[-1]
    return Counter(dict(zip(map(int, found.followers), map(int, found.counts), strict=True)))


@settings(deadline=None)
@given(texts)
def test_suffixes_are_sorted_by_their_first_tokens_then_by_place(tokens):
    order = sort_suffixes(np.array(tokens, dtype=np.int32))
    assert order.tolist() == sorted(range(len(tokens)), key=lambda start: (tokens[start : start + DEPTH], start))


@settings(deadline=None)
@given(texts, st.lists(st.integers(0, 5), max_size=DEPTH - 1))
def test_counts_are_those_of_counting(tokens, context):
    assert counts(ContextTree(tokens), context) == brute_force(tokens, context)


@settings(deadline=None)
@given(texts, st.data())
def test_counts_of_contexts_that_occur_are_those_of_counting(tokens, data):
    start = data.draw(st.integers(0, len(tokens)))
    context = tokens[start : start + data.draw(st.integers(0, DEPTH - 1))]
    assert counts(ContextTree(tokens), context) == brute_force(tokens, context)


def test_counts_in_the_whole_reference_are_those_of_counting(learned: LearnedText):
    draw = random.Random(5)
    for length in (1, 2, 3, 5, 7):
        start = draw.randrange(len(learned.tokens) - 10)
        context = learned.tokens[start : start + length]
        assert counts(learned.tree, context) == brute_force(learned.tokens, context)


def test_frequent_context_is_counted_as_a_rare_one_is(learned: LearnedText):
    [the] = learned.tokenizer.encode(" the")
    assert counts(learned.tree, [the]) == brute_force(learned.tokens, [the])
    assert counts(learned.tree, [the]).total() > context_tree.RARE


def test_extending_finds_the_same_contexts_as_starting_anew(learned: LearnedText):
    tokens = learned.tokens[5_000:5_040]
    chain = learned.tree.contexts([], DEPTH - 1)
    for place, token in enumerate(tokens):
        chain = learned.tree.extend(chain, token, DEPTH - 1)
        fresh = learned.tree.contexts(tokens[: place + 1], DEPTH - 1)
        assert [(c.depth, c.low, c.total) for c in chain] == [(c.depth, c.low, c.total) for c in fresh]


def test_occurrences_are_the_followers_as_often_as_counted():
    tokens = [1, 2, 1, 3, 1, 2, 1]
    tree = ContextTree(tokens)
    context = tree.contexts([1], 1)[-1]
    assert Counter(tree.occurrence(context, number) for number in range(context.total)) == brute_force(tokens, [1])


def test_forgetting_contexts_changes_no_count(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(context_tree, "KEPT_CONTEXTS", 3)
    tokens = [random.Random(1).randrange(4) for _ in range(200)]
    tree = ContextTree(tokens)
    for start in range(100):
        context = tokens[start : start + 3]
        assert counts(tree, context) == brute_force(tokens, context)
    assert sum(1 for _ in tree) < 20
