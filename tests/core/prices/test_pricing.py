"""Costs are exact, and unknown where anything they stand on is unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract.response import CompletionTokensDetails, PromptTokensDetails, Usage
from core.prices.pricing import FIRST_PRICES, Price, PriceList, cost, dollars

PRICE = Price("p/m", Decimal("1.50"), Decimal("2.00"), source="somewhere", as_of=date(2026, 1, 2))


def test_cost_is_tokens_times_price_per_million():
    assert cost(PRICE, Usage(1_000, 500, 1_500)) == Decimal("0.0025")


def test_cached_and_reasoning_tokens_are_parts_of_their_totals_with_prices_of_their_own():
    usage = Usage(1_000, 500, 1_500, PromptTokensDetails(cached_tokens=400), CompletionTokensDetails(reasoning_tokens=100))
    assert cost(PRICE, usage) == Decimal("0.0025")
    apart = replace(PRICE, cached=Decimal("0.15"), reasoning=Decimal(4))
    assert cost(apart, usage) == (600 * Decimal("1.5") + 400 * Decimal("0.15") + 400 * 2 + 100 * 4) / 1_000_000


@pytest.mark.parametrize("usage", [None, Usage(), Usage(10), Usage(None, 10, 10)])
def test_cost_is_unknown_where_a_count_is(usage):
    assert cost(PRICE, usage) is None


def test_cost_of_a_model_without_a_price_is_unknown_and_not_nothing():
    assert PriceList().cost("openai/gpt-9", Usage(1, 1, 2)) is None
    assert PriceList().cost(None, Usage(1, 1, 2)) is None
    assert PriceList().cost("local/pydoc", Usage(1, 1, 2)) == 0


def test_exact_id_wins_over_patterns_and_a_longer_pattern_over_a_shorter_one():
    free, half, own = (replace(PRICE, model=model) for model in ("p/*", "p/m-*", "p/m-1"))
    prices = PriceList([free, half, own])
    assert [prices.find(model) for model in ("p/m-1", "p/m-2", "p/x", "q/x")] == [own, half, free, None]


def test_most_counts_the_dearer_of_output_and_reasoning_and_no_cached_tokens():
    prices = PriceList([replace(PRICE, cached=Decimal("0.1"), reasoning=Decimal(9))])
    assert prices.most("p/m", 1_000, 1_000) == Decimal("0.0105")
    assert prices.most("p/m", None, 1) is prices.most("q", 1, 1) is None


@given(st.tuples(*[st.integers(0, 10**9)] * 4), st.tuples(*[st.decimals(0, 1000, places=4)] * 4))
def test_cost_never_exceeds_most(counts, prices):
    prompt, completion, cached, reasoning = counts
    price = Price("m", prices[0], prices[1], min(prices[2], prices[0]), prices[3])
    usage = Usage(prompt, completion, None, PromptTokensDetails(cached_tokens=cached), CompletionTokensDetails(reasoning_tokens=reasoning))
    assert 0 <= cost(price, usage) <= PriceList([price]).most("m", prompt, completion)


@pytest.mark.parametrize("price", [*FIRST_PRICES, replace(PRICE, cached=Decimal("0.075"))], ids=lambda price: price.model)
def test_price_comes_back_from_json_exactly(price):
    assert Price.from_dict(price.to_dict()) == price


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"model": "m", "input": "1"}, "both an input and an output"),
        ({"model": " ", "input": "1", "output": "1"}, "needs a model's id"),
        ({"model": "m", "input": "-1", "output": "1"}, "from 0 to 1,000,000"),
        ({"model": "m", "input": "NaN", "output": "1"}, "from 0 to 1,000,000"),
        ({"model": "m", "input": "1", "output": "1e30"}, "from 0 to 1,000,000"),
        ({"model": "m", "input": "1", "output": "1", "as_of": "yesterday"}, "must look like 2026-03-31, got 'yesterday'"),
        ({"model": "m", "input": "cheap", "output": "1"}, "must be a number, got 'cheap'"),
    ],
)
def test_price_that_is_none_is_refused_with_a_sentence(row, says):
    with pytest.raises(ValueError, match=says):
        Price.from_dict(row)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "cost unknown"),
        (Decimal(0), "$0"),
        (Decimal("0.0000004"), "under $0.000001"),
        (Decimal("0.00042"), "$0.00042"),
        (Decimal("0.000423987"), "$0.000424"),
        (Decimal("0.25"), "$0.25"),
        (Decimal("1.2749"), "$1.27"),
        (Decimal("12345.5"), "$12345.50"),
    ],
)
def test_amounts_are_said_as_people_read_them(amount, text):
    assert dollars(amount) == text


def test_every_first_price_says_where_it_comes_from():
    assert all(price.source and (price.as_of or "*" in price.model) for price in FIRST_PRICES)
