from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from core.local_router.models.ngram import LearnedText, NgramModel

TINY = LearnedText(["a b a c a b", "b a"])


def expected(text: LearnedText, context: list[int]) -> np.ndarray:
    """Witten and Bell's formula, straight from the counts."""
    size = text.tokenizer.vocabulary_size
    shorter = expected(text, context[1:]) if context else np.full(size, 1 / size)
    length = len(context)
    places = [p for p in range(len(text.tokens) - length) if text.tokens[p : p + length] == context]
    if not places:
        return shorter
    counts = Counter(text.tokens[p + length] for p in places)
    total, kinds = sum(counts.values()), len(counts)
    return np.array([(counts[token] + kinds * shorter[token]) / (total + kinds) for token in range(size)])


@pytest.mark.parametrize("context", ["", "a", " b", "a b", " a b a", " zzz", "zzz a"])
def test_probabilities_are_witten_and_bells(context):
    model = NgramModel(TINY)
    ids = TINY.tokenizer.encode(context)
    assert model.probabilities(model.text.index.match(ids, 7)) == pytest.approx(expected(TINY, ids))


@pytest.mark.parametrize("order", [1, 2, 3, 8])
@pytest.mark.parametrize("prompt", ["", "A function definition", "the class of all", "Größe 漢字", "import"])
def test_probabilities_sum_to_one_and_none_is_zero(learned: LearnedText, order, prompt):
    model = NgramModel(learned, order)
    probabilities = model.probabilities(model.start(learned.tokenizer.encode(prompt)))
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities.min() > 0


@pytest.mark.parametrize("prompt", ["", "A function definition", "import", "Größe 漢字"])
def test_probability_of_one_token_is_the_one_among_all(learned: LearnedText, prompt):
    model = NgramModel(learned)
    match = model.start(learned.tokenizer.encode(prompt))
    probabilities = model.probabilities(match)
    tokens = [*range(0, len(probabilities), 97), int(probabilities.argmax())]
    assert [model.probability(match, token) for token in tokens] == pytest.approx(probabilities[tokens])


def test_drawing_follows_the_probabilities():
    model = NgramModel(TINY)
    match = model.start(TINY.tokenizer.encode("a"))
    draw = random.Random(3).random
    drawn = Counter(model.draw(match, draw) for _ in range(20_000))
    probabilities = model.probabilities(match)
    for token, probability in enumerate(probabilities):
        deviation = (probability * (1 - probability) / 20_000) ** 0.5
        assert drawn[token] / 20_000 == pytest.approx(probability, abs=4 * deviation)


def test_longer_contexts_predict_the_reference_better(learned: LearnedText):
    tokens = learned.tokens[20_000:20_400]

    def surprise(order: int) -> float:
        model = NgramModel(learned, order)
        match, total = model.start(tokens[:1]), 0.0
        for token in tokens[1:]:
            total -= np.log2(model.probabilities(match)[token])
            match = model.advance(match, token)
        return total / len(tokens)

    assert surprise(8) < surprise(3) < surprise(1)


def test_order_one_forgets_everything(learned: LearnedText):
    model = NgramModel(learned, 1)
    first, second = (model.probabilities(model.start(learned.tokenizer.encode(text))) for text in ("A class", "import"))
    assert np.array_equal(first, second)


def test_empty_prompt_is_the_beginning_of_a_text(learned: LearnedText):
    model = NgramModel(learned)
    beginnings = {learned.tokens[place + 1] for place, token in enumerate(learned.tokens[:-1]) if token == 0}
    assert int(model.probabilities(model.start([])).argmax()) in beginnings


def test_fingerprint_tells_orders_apart(learned: LearnedText):
    assert NgramModel(learned, 3).fingerprint != NgramModel(learned, 8).fingerprint


@pytest.mark.parametrize("order", [0, 9])
def test_order_out_of_range_is_refused(order):
    with pytest.raises(ValueError, match="1 to 8"):
        NgramModel(TINY, order)
