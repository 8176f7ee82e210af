"""The most a request can cost, said only where it is known."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.prices.preflight import models, most_cost
from core.prices.pricing import Price, PriceList

PRICES = PriceList([Price("cheap", Decimal(1), Decimal(2)), Price("dear", Decimal(10), Decimal(20))])
ASKED = {"model": "cheap", "prompt": "é" * 500, "max_tokens": 100}


def test_prompt_counts_its_bytes_and_every_choice_its_tokens():
    assert most_cost(ASKED, PRICES) == Decimal("0.0012")
    assert most_cost(ASKED | {"n": 3}, PRICES) == Decimal("0.0016")


@pytest.mark.parametrize(
    "change",
    [
        {"fallbacks": [{"model": "dear"}]},
        {"orq": {"fallbacks": [{"model": "dear"}]}},
        {"model": "nobody knows", "load_balancer": {"type": "weight_based", "models": [{"model": "cheap"}, {"model": "dear"}]}},
    ],
)
def test_dearest_model_that_may_answer_counts(change):
    assert most_cost(ASKED | change, PRICES) == Decimal("0.012")


@pytest.mark.parametrize(
    "change",
    [
        {"model": "unknown"},
        {"fallbacks": [{"model": "unknown"}]},
        {"prompt": None},
        {"max_tokens": "many"},
        {"orq": {"knowledge_bases": [{"knowledge_id": "k"}]}},
        {"orq": {"prompt": {"id": "p", "version": "latest"}}},
    ],
)
def test_what_cannot_be_known_is_unknown(change):
    assert most_cost(ASKED | change, PRICES) is None


def test_half_edited_routing_is_looked_at_without_failing():
    assert list(models({"model": 7, "fallbacks": [None, {"model": ""}], "load_balancer": {"models": None}, "orq": []})) == []
