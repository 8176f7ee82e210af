from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from core.local_router.models.ngram import LearnedText, NgramModel
from core.local_router.models.sampling import Sampler, SamplingParameters, nucleus, random_source

DRAWS = 4_000


def expected(probabilities: np.ndarray, temperature: float = 1.0, top_p: float = 1.0) -> np.ndarray:
    """What sampling does, written down in the slowest way."""
    weights = probabilities ** (1 / temperature)
    weights /= weights.sum()
    order = sorted(range(len(weights)), key=lambda token: (-weights[token], token))
    kept, mass = [], 0.0
    for token in order:
        kept.append(token)
        mass += weights[token]
        if mass >= top_p:
            break
    result = np.zeros_like(weights)
    result[kept] = weights[kept]
    return result / result.sum()


def drawn(model: NgramModel, prompt: str, parameters: SamplingParameters, draws: int = DRAWS) -> Counter[int]:
    match = model.start(model.tokenizer.encode(prompt))
    sampler = Sampler(model, parameters)
    return Counter(sampler.draw(match) for _ in range(draws))


@pytest.mark.parametrize(
    "settings",
    [{}, {"temperature": 0.5}, {"temperature": 1.7}, {"top_p": 0.4}, {"temperature": 0.7, "top_p": 0.8}, {"temperature": 2, "top_p": 0.05}],
    ids=str,
)
def test_tokens_are_drawn_as_often_as_temperature_and_top_p_say(learned: LearnedText, settings):
    model = NgramModel(learned)
    counts = drawn(model, "A function", SamplingParameters(seed=11, **settings))
    wanted = expected(model.probabilities(model.start(learned.tokenizer.encode("A function"))), **settings)
    assert all(wanted[token] > 0 for token in counts)
    for token in np.argsort(-wanted)[:20].tolist():
        deviation = (wanted[token] * (1 - wanted[token]) / DRAWS) ** 0.5
        assert counts[token] / DRAWS == pytest.approx(wanted[token], abs=4.5 * deviation + 1e-9)


def test_temperature_zero_takes_the_likeliest_always(learned: LearnedText):
    model = NgramModel(learned)
    counts = drawn(model, "A function", SamplingParameters(temperature=0), draws=200)
    assert list(counts) == [int(model.probabilities(model.start(learned.tokenizer.encode("A function"))).argmax())]


def test_temperature_zero_takes_the_smallest_id_of_equals():
    text = LearnedText(["x y", "x z", "x w"])
    model = NgramModel(text)
    likeliest = {text.tokenizer.encode(word)[0] for word in (" y", " z", " w")}
    assert set(drawn(model, "x", SamplingParameters(temperature=0), draws=200)) == {min(likeliest)}


@pytest.mark.parametrize("temperature", [1e-3, 1e-9, 5e-324])
def test_tiny_temperature_is_greedy_and_no_division_fails(learned: LearnedText, temperature):
    model = NgramModel(learned)
    counts = drawn(model, "A function definition", SamplingParameters(temperature=temperature, seed=1), draws=200)
    assert list(counts) == list(drawn(model, "A function definition", SamplingParameters(temperature=0), draws=200))


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0, [2]), (0.4, [2]), (0.5, [2]), (0.51, [2, 0]), (0.75, [2, 0]), (0.8, [2, 0, 1]), (0.999, [2, 0, 1, 3])]
)
def test_nucleus_is_the_fewest_likeliest_tokens_that_hold_top_p(top_p, kept):
    assert nucleus(np.array([0.25, 0.125, 0.5, 0.125]), top_p).tolist() == kept


def test_nucleus_takes_weights_that_do_not_sum_to_one():
    assert nucleus(np.array([50.0, 30.0, 20.0]), 0.6).tolist() == [0, 1]


def follow(model: NgramModel, prompt: str, length: int, parameters: SamplingParameters) -> list[int]:
    match, sampler, tokens = model.start(model.tokenizer.encode(prompt)), Sampler(model, parameters), []
    for _ in range(length):
        token = sampler.draw(match)
        tokens.append(token)
        match = model.advance(match, token)
    return tokens


@pytest.mark.parametrize("name", ["frequency_penalty", "presence_penalty"])
def test_penalties_make_more_different_tokens_and_negative_ones_fewer(learned: LearnedText, name):
    model = NgramModel(learned, 1)
    different = {
        value: len(set(follow(model, "", 300, SamplingParameters(seed=5, **({name: value} if value else {"temperature": 1.0000001})))))
        for value in (-1.5, 0.0, 2.0)
    }
    assert different[-1.5] < different[0.0] < different[2.0]


def test_penalties_are_openais_formula():
    text = LearnedText(["a b c a b d"])
    model = NgramModel(text, 1)
    match = model.start([])
    probabilities = model.probabilities(match)
    parameters = SamplingParameters(temperature=0, frequency_penalty=0.3, presence_penalty=0.2)
    sampler, seen = Sampler(model, parameters), Counter[int]()
    for _ in range(30):
        scores = [np.log(p) - seen[t] * 0.3 - (seen[t] > 0) * 0.2 for t, p in enumerate(probabilities)]
        token = sampler.draw(match)
        assert scores[token] == pytest.approx(max(scores))
        seen[token] += 1


def test_extreme_negative_penalty_over_many_tokens_stays_finite(learned: LearnedText):
    tokens = follow(NgramModel(learned, 1), "", 800, SamplingParameters(seed=1, frequency_penalty=-2, presence_penalty=-2))
    assert len(set(tokens[400:])) == 1


def test_same_seed_gives_the_same_tokens_and_another_seed_others(learned: LearnedText):
    model = NgramModel(learned)
    runs = [follow(model, "The", 60, SamplingParameters(seed=seed)) for seed in (42, 42, 43)]
    assert runs[0] == runs[1] != runs[2]


def test_no_seed_gives_other_tokens_each_time(learned: LearnedText):
    model = NgramModel(learned)
    assert follow(model, "The", 60, SamplingParameters()) != follow(model, "The", 60, SamplingParameters())


def test_random_numbers_of_a_seed_are_the_documented_ones():
    # SHA-256("42:0")[:8] into Python's Mersenne Twister: on every machine.
    assert [random_source(42, 0).random(), random_source(42, 1).random()] == [0.7818675844147679, 0.7910716438463041]
