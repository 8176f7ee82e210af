from __future__ import annotations

import random
from collections import Counter
from math import exp, lgamma, log, log1p

import pytest

from core.local_router.load_balancer import draw, shares
from tests.core.local_router.fakes import Bench, ScriptedModel

DRAWS = 10_000


def binomial_interval(draws: int, share: float, confidence: float = 0.99) -> tuple[int, int]:
    """The exact two-sided interval of how often a model is drawn: each tail holds at most half of what is left out."""
    tail = (1 - confidence) / 2
    below, low = 0.0, 0
    for count in range(draws + 1):
        ways = lgamma(draws + 1) - lgamma(count + 1) - lgamma(draws - count + 1)
        below += exp(ways + count * log(share) + (draws - count) * log1p(-share))
        if below <= tail:
            low = count + 1
        if below >= 1 - tail:
            return low, count
    return low, draws


def test_weights_are_parts_of_their_sum():
    assert shares([0.4, 0.8]) == pytest.approx([1 / 3, 2 / 3])


@pytest.mark.parametrize("weights", [(0.4, 0.8), (0.5, 0.5), (0.001, 1), (0.2, 0.3, 0.9), (1,)])
def test_ten_thousand_draws_keep_the_shares_within_the_99_percent_binomial_interval(weights):
    models = [(f"m{index}", weight) for index, weight in enumerate(weights)]
    rng = random.Random(20260821)
    seen = Counter(draw(models, rng) for _ in range(DRAWS))
    for (model, _), share in zip(models, shares(weights), strict=True):
        if share == 1:
            assert seen[model] == DRAWS
            continue
        low, high = binomial_interval(DRAWS, share)
        assert low <= seen[model] <= high


async def test_drawn_model_answers_instead_of_the_requests_model_and_is_told():
    bench = Bench(a=ScriptedModel(["from a"]), b=ScriptedModel(["from b"]), c=ScriptedModel(["from c"]))
    balancer = {"type": "weight_based", "models": [{"model": "b", "weight": 0.4}, {"model": "c", "weight": 0.8}]}
    for _ in range(30):
        said = await bench.say(load_balancer=balancer)
        drawn = bench.headers["model"]
        assert said == f" from {drawn}"
        (event,) = bench.events("draw")
        assert event["drawn"] == drawn
        assert event["models"] == [{"model": "b", "share": 0.333333}, {"model": "c", "share": 0.666667}]
    assert not bench.models["a"].asked
    assert bench.models["b"].asked
    assert bench.models["c"].asked


async def test_missing_weight_is_a_half():
    bench = Bench(a=ScriptedModel(["x"]), b=ScriptedModel(["x"]))
    await bench.say(load_balancer={"type": "weight_based", "models": [{"model": "a"}, {"model": "b", "weight": 0.25}]})
    assert [row["share"] for row in bench.events("draw")[0]["models"]] == [0.666667, 0.333333]


async def test_retries_stay_with_the_model_that_was_drawn():
    bench = Bench(b=ScriptedModel([429], [429], ["b"]), c=ScriptedModel([429], [429], ["c"]))
    balancer = {"type": "weight_based", "models": [{"model": "b"}, {"model": "c"}]}
    await bench.say(load_balancer=balancer, retry={})
    assert sorted(len(bench.models[name].asked) for name in "bc") == [0, 3]
