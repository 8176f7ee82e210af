"""Weights beside draws and runs, and the interval against a reference."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from core.run import RunSnapshot
from core.shares_seen import DRAWS, shares_seen, wilson
from tests.core.lane.lane_runs import run, trace

BALANCED: dict[str, Any] = {
    "prompt": "p",
    "load_balancer": {"type": "weight_based", "models": [{"model": "a", "weight": 0.25}, {"model": "b", "weight": 0.75}]},
}


def drawn(model: str, body: dict[str, Any] = BALANCED) -> RunSnapshot:
    return run(body=body, model=model, trace=trace(("draw", 0, {"drawn": model})))


def runs(a: int, b: int) -> list[RunSnapshot]:
    return [drawn("a")] * a + [drawn("b")] * b


@settings(deadline=None, max_examples=60)
@given(total=st.integers(1, 500), part=st.floats(0, 1))
def test_interval_is_wilsons(total: int, part: float) -> None:
    count = round(part * total)
    reference = binomtest(count, total).proportion_ci(0.95, method="wilson")
    assert wilson(count, total) == pytest.approx((reference.low, reference.high), abs=1e-9)


def test_a_thousand_seeded_draws_lie_near_the_weights_and_repeat() -> None:
    found = shares_seen(BALANCED, [])
    assert found is not None
    assert sum(row.drawn for row in found.rows) == pytest.approx(1)
    for row in found.rows:
        low, high = wilson(round(row.drawn * DRAWS), DRAWS)
        assert low - 0.03 < row.configured < high + 0.03
    assert found == shares_seen(BALANCED, [])


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (runs(0, 0), "No run of this draft was drawn yet."),
        (runs(1, 2), "Too few runs to tell (n = 3)."),
        (runs(10, 30), "Seen shares agree with the weights (n = 40)."),
        (runs(30, 10), "a gets more than its weight, b gets less than its weight (n = 40)."),
    ],
    ids=["none", "few", "agree", "differ"],
)
def test_verdict_is_one_plain_sentence(seen: list[RunSnapshot], verdict: str) -> None:
    found = shares_seen(BALANCED, seen)
    assert found is not None
    assert found.verdict == verdict


def counted(body: dict[str, Any], *seen: RunSnapshot) -> int:
    found = shares_seen(body, seen)
    assert found is not None
    return found.runs


def test_runs_of_other_weights_or_models_do_not_count() -> None:
    other = {**BALANCED, "load_balancer": {"type": "weight_based", "models": [{"model": "a"}, {"model": "b"}]}}
    assert counted(BALANCED, drawn("a", other), run(body={"model": "a"}), run(body={"load_balancer": "broken"})) == 0


def test_weights_that_mean_the_same_count_wherever_they_stand() -> None:
    models = [{"model": "a", "weight": 0.1}, {"model": "b", "weight": 0.3}]
    twin = {"prompt": "p", "orq": {"load_balancer": {"type": "weight_based", "models": models}}}
    assert counted(BALANCED, drawn("a", twin)) == 1


def test_answer_from_the_cache_was_not_drawn() -> None:
    assert counted(BALANCED, run(body=BALANCED, trace=trace(("cache", 0, {"result": "hit"})))) == 0


def test_without_a_trace_the_model_that_answered_counts_unless_it_is_a_fallback() -> None:
    assert counted(BALANCED, run(body=BALANCED, model="b")) == 1
    assert counted(BALANCED, run(body=BALANCED, model="z")) == 0
    assert counted(BALANCED, run(body={**BALANCED, "fallbacks": [{"model": "b"}]}, model="b")) == 0


def test_model_listed_twice_has_both_weights() -> None:
    body = {"load_balancer": {"models": [{"model": "a"}, {"model": "b"}, {"model": "a"}]}}
    found = shares_seen(body, [])
    assert found is not None
    assert [(row.model, pytest.approx(row.configured)) for row in found.rows] == [("a", 2 / 3), ("b", 1 / 3)]


@pytest.mark.parametrize(
    "balancer",
    [None, 7, {}, {"models": None}, {"models": []}, {"models": [{}]}, {"models": [{"model": "a", "weight": "x"}]},
     {"models": [{"model": "a", "weight": 0}]}, {"models": [{"model": "a", "weight": -1}, {"model": "b"}]}, {"models": [{"model": 3}]}],
    ids=str,
)  # fmt: skip
def test_half_edited_balancer_has_no_shares(balancer: Any) -> None:
    assert shares_seen({"model": "a", "load_balancer": balancer}, []) is None
