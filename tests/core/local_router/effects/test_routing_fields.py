"""What the routing fields do, at the top level and in ``orq``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from core.local_router.retry import BACK_OFF_S, JITTER
from tests.core.local_router.effects.conftest import Asker

shows = pytest.mark.shows
Place = Callable[..., dict[str, Any]]


@pytest.fixture(params=["top", "orq"])
def at(request: pytest.FixtureRequest) -> Place:
    """Puts routing fields where the contract takes them."""
    return lambda **fields: fields if request.param == "top" else {"orq": fields}


@shows("fallbacks[].model", "orq.fallbacks[].model")
def test_fallbacks_answer_in_order_when_the_model_fails(ask: Asker, at: Place):
    seen = ask(model="rehearsal/503", **at(fallbacks=[{"model": "rehearsal/500"}, {"model": "local/pydoc-3"}]))
    assert seen.targets() == [("rehearsal/503", 503), ("rehearsal/500", 500), ("local/pydoc-3", 200)]
    assert seen.headers["x-router-model"] == "local/pydoc-3"


@shows("fallback_on_codes[]", "orq.fallback_on_codes[]")
def test_only_the_codes_named_go_on_to_a_fallback(ask: Asker, at: Place):
    fallbacks = [{"model": "local/pydoc"}]
    assert ask(model="rehearsal/503", **at(fallbacks=fallbacks, fallback_on_codes=[500])).status == 503
    assert ask(model="rehearsal/500", **at(fallbacks=fallbacks, fallback_on_codes=[500])).status == 200


@shows("retry.count", "orq.retry.count")
def test_count_is_how_many_retries_follow_the_first_try(ask: Asker, at: Place):
    seen = ask(model="rehearsal/429", **at(retry={"count": 2}))
    assert seen.targets() == [("rehearsal/429", 429)] * 3
    waits = [event["wait_ms"] / 1000 for event in seen.events("back_off")]
    assert all(abs(wait - base) <= base * JITTER for wait, base in zip(waits, BACK_OFF_S, strict=False))
    assert len(waits) == 2


@shows("retry.on_codes[]", "orq.retry.on_codes[]")
def test_only_the_codes_named_are_retried(ask: Asker, at: Place):
    assert len(ask(model="rehearsal/503", **at(retry={"count": 1, "on_codes": [503]})).targets()) == 2
    assert len(ask(model="rehearsal/503", **at(retry={"count": 1, "on_codes": [429]})).targets()) == 1


@shows("cache.type", "orq.cache.type")
def test_same_request_is_answered_from_the_cache(ask: Asker, at: Place):
    chance = {"model": "local/pydoc-1", "seed": None, "temperature": 2}  # says the same twice about never
    first, second = (ask(**chance, **at(cache={"type": "exact_match"})) for _ in range(2))
    assert (first.trace["cache"], second.trace["cache"]) == ("miss", "hit")
    assert (second.text, second.trace["attempts"]) == (first.text, 0)
    assert ask(**chance).text != first.text


@shows("cache.ttl", "orq.cache.ttl")
def test_answer_older_than_the_ttl_is_not_used(ask: Asker, at: Place, aged: Callable[[float], None]):
    asked = at(cache={"type": "exact_match", "ttl": 60})
    ask(**asked)
    aged(59)
    assert ask(**asked).trace["cache"] == "hit"
    aged(2)
    assert ask(**asked).trace["cache"] == "miss"


@shows(
    "load_balancer.type",
    "load_balancer.models[].model",
    "load_balancer.models[].weight",
    "orq.load_balancer.type",
    "orq.load_balancer.models[].model",
    "orq.load_balancer.models[].weight",
)
def test_load_balancer_draws_by_weight_instead_of_the_requests_model(ask: Asker, at: Place):
    models = [{"model": "local/pydoc-3", "weight": 0.9}, {"model": "local/pydoc-1", "weight": 0.1}]
    seen = [ask(max_tokens=1, **at(load_balancer={"type": "weight_based", "models": models})) for _ in range(25)]
    drawn = Counter(one.event("draw")["drawn"] for one in seen)
    assert drawn["local/pydoc-3"] >= 15  # of 25 at 90 %: below that once in 6 million
    assert sum(drawn.values()) == 25
    assert seen[0].event("draw")["models"] == [{"model": "local/pydoc-3", "share": 0.9}, {"model": "local/pydoc-1", "share": 0.1}]
    assert all(one.headers["x-router-model"] == one.event("draw")["drawn"] for one in seen)


@shows("timeout.call_timeout", "orq.timeout.call_timeout")
def test_attempt_past_the_time_limit_is_a_504(ask: Asker, at: Place):
    seen = ask(model="rehearsal/slow-60000ms", **at(timeout={"call_timeout": 30}))
    assert (seen.status, seen.targets()) == (504, [("rehearsal/slow-60000ms", 504)])


def test_field_at_the_top_wins_over_its_twin(ask: Asker):
    seen = ask(model="rehearsal/429", retry={"count": 1}, orq={"retry": {"count": 4}})
    assert seen.trace["attempts"] == 2
