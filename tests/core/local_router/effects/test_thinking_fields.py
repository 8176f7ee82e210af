"""What ``thinking`` does on a local model."""

from __future__ import annotations

import httpx
import pytest

from core.local_router.server import LocalRouter
from tests.core.local_router.effects.conftest import Asker, Seen
from tests.support.conditions import eventually

shows = pytest.mark.shows
ROOM = {"max_tokens": 1_200, "prompt": "The zebra"}
ENABLED = {"type": "enabled", "budget_tokens": 1_024}


def reasoned(seen: Seen) -> int:
    return seen.usage["completion_tokens_details"]["reasoning_tokens"]


@shows("thinking.type")
def test_disabled_and_null_think_nothing_and_enabled_changes_the_answer(ask: Asker):
    plain, disabled, enabled = ask(**ROOM), ask(**ROOM, thinking={"type": "disabled"}), ask(**ROOM, thinking=ENABLED)
    assert (plain.text, reasoned(plain), reasoned(disabled)) == (disabled.text, 0, 0)
    assert enabled.text != plain.text
    assert 1_000 < reasoned(enabled) <= 1_024
    assert not disabled.events("thinking")


@shows("thinking.type")
def test_adaptive_thinks_by_the_entropy_of_the_next_token(ask: Asker):
    lost, torn = (ask(**ROOM | {"prompt": prompt}, thinking={"type": "adaptive"}) for prompt in ("The zebra", "A function definition"))
    assert lost.event("thinking")["entropy_bits"] > torn.event("thinking")["entropy_bits"]
    assert reasoned(lost) > reasoned(torn) > 0


@shows("thinking.budget_tokens")
def test_budget_is_the_most_that_is_spent_and_counts_as_completion(ask: Asker):
    for budget in (1_024, 1_100):
        seen = ask(**ROOM, thinking={"type": "enabled", "budget_tokens": budget})
        event = seen.event("thinking")
        assert event["budget_tokens"] == budget
        assert budget - 8 < event["reasoning_tokens"] == reasoned(seen) <= budget
        assert seen.usage["completion_tokens"] <= 1_200
        assert seen.usage["total_tokens"] == seen.usage["prompt_tokens"] + seen.usage["completion_tokens"]


@shows("thinking.thinking_level")
def test_level_is_the_share_of_the_budget_that_is_spent(ask: Asker):
    spent = [reasoned(ask(**ROOM, thinking=ENABLED | {"thinking_level": level})) for level in ("minimal", "low", "medium", "high")]
    assert spent == [128, 256, 512, 1_024]


@shows("thinking.type")
def test_trace_tells_what_was_thought_before_the_first_token(ask: Asker):
    seen = ask(**ROOM, n=2, thinking=ENABLED)
    first, second = seen.events("thinking")
    assert (first["choice"], second["choice"]) == (0, 1)
    assert reasoned(seen) == first["reasoning_tokens"] + second["reasoning_tokens"] > 1_024
    assert first["best_mean_log_probability"] > first["mean_log_probability"]
    assert first["at_ms"] + first["duration_ms"] <= seen.event("first_token")["at_ms"]
    assert not any(isinstance(value, str) and "zebra" in value for value in first.values())


def test_rehearsal_thinks_as_the_model_that_speaks_for_it(ask: Asker):
    seen = ask(**ROOM, model="rehearsal/ok", thinking=ENABLED)
    assert seen.text == ask(**ROOM, thinking=ENABLED).text
    assert reasoned(seen) == 1_024


def test_answer_from_the_cache_tells_what_its_thinking_took(ask: Asker):
    fields = {**ROOM, "cache": {"type": "exact_match"}, "thinking": ENABLED}
    fresh, stored = ask(**fields), ask(**fields)
    assert stored.headers["x-router-cache"] == "hit"
    assert (stored.text, stored.usage) == (fresh.text, fresh.usage)


def test_client_that_leaves_ends_the_thinking(patient_router: LocalRouter):
    body = {"model": "local/pydoc", "prompt": "The zebra", "max_tokens": 100_000, "n": 16}
    thinking = {"type": "enabled", "budget_tokens": 90_000}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{patient_router.base_url}/v2/router/completions", json=body | {"thinking": thinking}, timeout=0.2)
    health = f"{patient_router.base_url}/healthz"
    eventually(lambda: httpx.get(health).json()["under_way"] == 0, within_s=2)
