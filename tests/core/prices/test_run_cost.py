"""The cost of a run: of the model that answered, from the usage that was reported, or unknown."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.contract.response import Usage
from core.prices.pricing import Price, PriceList
from core.prices.run_cost import run_cost
from tests.core.storage import samples

PRICES = PriceList(
    [
        Price("local/*", Decimal(0), Decimal(0), source="runs on this machine"),
        Price("openai/gpt-3.5-turbo-instruct", Decimal("1.5"), Decimal(2), source="a page"),
        Price("azure/big", Decimal(10), Decimal(30)),
    ]
)


def run(**fields):
    """4 tokens in, 5 out."""
    return samples.run(headers={}, **fields)


def test_cost_is_that_of_the_model_that_answered_and_not_of_the_one_asked():
    asked = samples.body(model="openai/gpt-3.5-turbo-instruct")
    found = run_cost(run(asked=asked, model="azure/big"), PRICES)
    assert found.usd == Decimal("0.00019")
    assert found.detail()["price"]["model"] == "azure/big"


def test_fallback_without_a_price_is_unknown_although_the_asked_model_has_one():
    found = run_cost(run(asked=samples.body(model="azure/big"), model="azure/small"), PRICES)
    assert (found.usd, found.reason, found.detail()) == (None, "no price is known for azure/small", None)


@pytest.mark.parametrize("answered", [None, "azure/big-2026-01-01", "big"])
def test_model_that_answered_under_a_longer_or_shorter_name_has_the_price_of_the_one_asked(answered):
    assert run_cost(run(asked=samples.body(model="azure/big"), model=answered), PRICES).usd == Decimal("0.00019")


def test_openais_own_server_names_its_models_without_provider():
    asked = samples.body(model="gpt-3.5-turbo-instruct")
    seen = run(asked=asked, model="gpt-3.5-turbo-instruct:20230824-v2", base_url="https://api.openai.com")
    assert run_cost(seen, PRICES).usd == Decimal("0.000016")
    assert run_cost(replace(seen, base_url="http://127.0.0.1:8080"), PRICES).usd is None


def test_local_model_costs_nothing_and_says_why():
    found = run_cost(run(), PRICES)
    assert (found.usd, "runs on this machine" in found.reason) == (0, True)


def test_answer_from_the_routers_cache_costs_nothing():
    hit = replace(run(asked=samples.body(model="azure/big"), model="azure/big"), headers={"x-router-cache": "hit"})
    assert (run_cost(hit, PRICES).usd, run_cost(hit, PRICES).reason) == (0, "answered from the router's cache")


def test_run_without_usage_has_an_unknown_cost():
    assert run_cost(run(usage=None), PRICES).reason == "no usage was reported"
    assert run_cost(run(usage=None, status="streaming"), PRICES).reason == "the run is under way"


@pytest.mark.parametrize("tokens", [10**15, -5])
def test_usage_that_cannot_be_true_has_no_cost(tokens):
    usage = Usage(tokens, 0, tokens)
    assert run_cost(run(model="azure/big", usage=usage), PRICES).usd is None
