"""A draft's routing, rehearsed."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidRequest
from core.rehearsal import rehearse


def kinds(body: dict[str, Any]) -> list[str]:
    return [segment.kind for segment in rehearse(body).lane.segments]


def test_first_model_fails_twice_with_429_and_is_slow_then() -> None:
    played = rehearse({"model": "openai/gpt-4o", "retry": {"count": 3}})
    assert [segment.label for segment in played.lane.segments if segment.kind == "attempt"] == [
        "429 openai/gpt-4o",
        "429 openai/gpt-4o",
        "200 openai/gpt-4o",
    ]
    assert (played.status, played.model, played.attempts) == (200, "openai/gpt-4o", 3)
    slow = [segment for segment in played.lane.segments if segment.kind == "attempt"][-1]
    assert slow.end_ms - slow.start_ms == pytest.approx(8_000)


def test_slow_model_runs_past_call_timeout_and_the_fallback_answers() -> None:
    played = rehearse({"model": "a", "retry": {"count": 2}, "timeout": {"call_timeout": 3_000}, "fallbacks": [{"model": "b"}]})
    assert (played.status, played.model) == (200, "b")
    assert "2 × 429, 504, 200" in played.lane.headline


def test_without_retry_or_fallback_the_first_429_is_the_end() -> None:
    played = rehearse({"model": "a"})
    assert (played.status, played.attempts) == (429, 1)
    assert played.lane.segments[-1].label == "failed 429"


def test_twins_in_orq_count_and_everything_but_the_routing_is_left_out() -> None:
    body = {"prompt": 7, "temperature": "hot", "cache": {"type": "exact_match"}, "orq": {"retry": {"count": 2}, "inputs": {"a": 1}}}
    played = rehearse(body)
    assert played.attempts == 3
    assert "cache" not in kinds(body)


def test_load_balancer_draws_one_of_its_models_which_all_misbehave() -> None:
    balancer = {"type": "weight_based", "models": [{"model": "x"}, {"model": "y"}]}
    played = rehearse({"load_balancer": balancer, "fallbacks": [{"model": "z"}]})
    assert played.lane.segments[0].kind == "draw"
    assert [model for model, script in played.twins if "429" in script] == ["x", "y"]


def test_same_seed_gives_the_same_rehearsal() -> None:
    body = {"model": "a", "retry": {"count": 5}, "timeout": {"call_timeout": 100}}
    assert rehearse(body, seed=3) == rehearse(body, seed=3)


def test_minutes_are_rehearsed_in_no_time() -> None:
    body = {"model": "a", "retry": {"count": 5, "on_codes": [429, 504]}, "timeout": {"call_timeout": 300_000}}
    began = time.monotonic()
    played = rehearse(body)
    assert played.lane.total_ms > 600_000
    assert time.monotonic() - began < 60


def test_routing_that_is_not_valid_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match=r"retry\.count"):
        rehearse({"model": "a", "retry": {"count": 9}})


@settings(deadline=None, max_examples=40)
@given(
    retry=st.none() | st.fixed_dictionaries({}, optional={"count": st.integers(1, 5), "on_codes": st.just([429, 504])}),
    fallbacks=st.lists(st.sampled_from(["a", "b", "c"]), max_size=5),
    timeout=st.none() | st.integers(1, 700_000),
    seed=st.integers(0, 9),
)
def test_no_rehearsal_exceeds_its_worst_case(retry: Any, fallbacks: list[str], timeout: int | None, seed: int) -> None:
    body: dict[str, Any] = {"model": "a", "fallbacks": [{"model": name} for name in fallbacks]}
    body |= {} if retry is None else {"retry": retry}
    body |= {} if timeout is None else {"timeout": {"call_timeout": timeout}}
    played = rehearse(body, seed=seed)
    assert played.attempts <= played.worst.attempts
    assert played.worst.wall_s is None or played.lane.total_ms / 1000 <= played.worst.wall_s + 1e-3
