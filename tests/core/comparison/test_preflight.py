"""What a press of Run comes to, before it is made."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.comparison.budget import Budget
from core.comparison.preflight import makespan, preflight
from core.errors import StorageUnavailable
from core.prices.pricing import Price, PriceList

PRICES = PriceList([Price("cheap", Decimal(1), Decimal(2), cached=Decimal("0.5")), Price("dear", Decimal(10), Decimal(20))])
PROMPT = "p" * 400


def body(model: str = "cheap", **fields: object) -> dict[str, object]:
    return {"model": model, "prompt": PROMPT, "max_tokens": 100, **fields}


def test_costs_range_from_answers_that_end_at_once_to_all_of_max_tokens_with_the_dearest_model():
    found = preflight([body(), body("dear")], 3, PRICES, [1.0, 2.0], at_once=2)
    assert (found.calls, found.tokens) == (6, 600)
    assert found.least_usd == 3 * (Decimal("0.5") * 100 + 10 * 100) / 1_000_000
    assert found.most_usd == 3 * (Decimal(1) * 400 + 2 * 100 + 10 * 400 + 20 * 100) / 1_000_000
    balanced = preflight([body(fallbacks=[{"model": "dear"}])], 1, PRICES, [None], at_once=1)
    assert balanced.least_usd == Decimal("0.5") * 100 / 1_000_000
    assert balanced.most_usd == (Decimal(10) * 400 + 20 * 100) / 1_000_000


@pytest.mark.parametrize("odd", [body("unheard of"), body(prompt=[1, 2]), body(orq={"knowledge_bases": [{"knowledge_id": "k"}]})])
def test_cost_of_all_is_unknown_where_one_is_and_unknown_is_above_any_budget(odd: dict[str, object]):
    found = preflight([body(), odd], 1, PRICES, [1.0, 1.0], at_once=2)
    assert (found.least_usd, found.most_usd, found.unpriced) == (None, None, (1,))
    assert (found.above(None), found.above(Decimal(1_000))) == (False, True)
    assert not preflight([body()], 1, PRICES, [1.0], at_once=1).above(Decimal(1))


def test_time_is_unknown_for_models_that_were_never_called():
    found = preflight([body(), body("dear")], 2, PRICES, [1.0, None], at_once=8)
    assert (found.seconds, found.untimed) == (None, (1,))


@pytest.mark.parametrize(("at_once", "seconds"), [(1, 12.0), (2, 7.0), (4, 4.0), (100, 3.0)])
def test_calls_start_in_order_as_soon_as_a_place_is_free(at_once: int, seconds: float):
    assert makespan([1.0, 3.0, 1.0, 3.0, 1.0, 3.0], at_once) == seconds


class Kept:
    """Preferences in memory, which can be out of order."""

    def __init__(self, value: object = None) -> None:
        self.value, self.broken = value, False

    def find(self, name: str) -> object:
        if self.broken:
            raise StorageUnavailable("The disk is full.")
        return self.value

    def save(self, name: str, value: object) -> None:
        self.find(name)
        self.value = value


def test_budget_is_exact_kept_and_taken_away_again():
    kept = Kept()
    Budget(kept).set(Decimal("0.10"))
    assert Budget(kept).usd == Decimal("0.10")
    Budget(kept).set(None)
    assert Budget(kept).usd is None
    with pytest.raises(ValueError, match="amount"):
        Budget(kept).set(Decimal(-1))


@pytest.mark.parametrize("odd", [None, "", "NaN", "-1", "1e9", 5, {"usd": 1}])
def test_what_is_no_budget_is_none(odd: object):
    assert Budget(Kept(odd)).usd is None


def test_budget_that_cannot_be_read_is_read_later():
    kept = Kept("2")
    kept.broken = True
    budget = Budget(kept)
    assert budget.usd is None
    kept.broken = False
    assert budget.usd == 2
