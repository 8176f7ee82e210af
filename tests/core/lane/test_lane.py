"""Runs and traces as lanes: what is drawn, what it says, and what is only inferred."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.connection import DEFAULT_PATHS, Connection
from core.hub.hub import Hub
from core.lane.lane import Lane, Segment, lane, router_lane, span
from core.local_router.server import LocalRouter
from core.run import RunError
from tests.core.lane.lane_runs import run, trace
from tests.core.local_router.fakes import FakeTime
from tests.core.router_resources.test_trace import traced


def kinds(drawn: Lane) -> list[str]:
    return [segment.kind for segment in drawn.segments]


def only(drawn: Lane, kind: str) -> Segment:
    (segment,) = [segment for segment in drawn.segments if segment.kind == kind]
    return segment


RETRIED = trace(
    ("cache", 0.5, {"result": "miss", "changed": ["temperature"]}),
    ("draw", 1, {"drawn": "a", "models": [{"model": "a", "share": 0.25}, {"model": "b", "share": 0.75}]}),
    ("attempt", 1, {"target": "a", "number": 1, "status": 429, "duration_ms": 9}),
    ("back_off", 10, {"wait_ms": 990, "reason": "back-off"}),
    ("attempt", 1000, {"target": "a", "number": 2, "status": 503, "duration_ms": 100}),
    ("fallback", 1100, {"after": 503, "target": "b"}),
    ("attempt", 1100, {"target": "b", "number": 3, "status": 200, "duration_ms": 900}),
    ("first_token", 1200),
    ("end", 2000, {"state": "finished", "status": 200}),
)


def test_trace_becomes_segments_in_order_and_in_the_clients_time() -> None:
    drawn = lane(run(first=1.204, total=2.006, trace=RETRIED))
    assert kinds(drawn) == ["cache", "draw", "attempt", "back_off", "attempt", "fallback", "attempt", "first_token", "streaming", "end"]
    first, _, last = [segment for segment in drawn.segments if segment.kind == "attempt"]
    assert first.start_ms == pytest.approx(1 + 2), "the router read it between 0 and 4 ms after it was sent: 2 ms"
    assert (first.label, first.outcome) == ("429 a", "bad")
    assert last.end_ms == pytest.approx(1202), "an attempt is drawn up to its first text"
    assert [only(drawn, "streaming").start_ms, only(drawn, "streaming").end_ms] == pytest.approx([1204, 2006])
    assert all(segment.observed for segment in drawn.segments)
    assert "to within 2 ms" in drawn.basis


def test_headline_says_what_mattered() -> None:
    headline = lane(run(first=1.2, total=2, trace=RETRIED)).headline
    assert headline == (
        "cache miss — temperature changed since the last cached request · drew a · 3 attempts on 2 models: 429, 503, 200"
        " · waited 990 ms between them"
    )


def test_sentences_say_everything_that_is_drawn() -> None:
    said = "\n".join(lane(run(first=1.204, total=2.006, trace=RETRIED)).sentences)
    for part in (
        "temperature changed since the last cached request",
        "The load balancer drew a out of 2 models, whose share is 25 %.",
        "Attempt 1 asked a: failed with 429 after 9 ms.",
        "Waited 990 ms before the next try.",
        "After 503 the router went on to b.",
        "Attempt 3 asked b: answered with 200, over after 900 ms.",
        "from 1.20 s to 2.01 s: Text came for 802 ms.",
        "The answer ended.",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"result": "hit", "age_ms": 12_340}, "cache hit, 12.34 s old"),
        ({"result": "hit", "age_ms": 125_000}, "cache hit, 2 min 5 s old"),
        ({"result": "hit"}, "cache hit"),
        ({"result": "hit", "shared": True}, "cache hit — another request was getting the same answer"),
        ({"result": "miss"}, "cache miss"),
        ({"result": "miss", "first": True}, "cache miss — no similar request came before"),
        ({"result": "miss", "unkept": True}, "cache miss — the same request came before, but its answer was not kept"),
        ({"result": "miss", "reshaped": True}, "cache miss — the same fields gave another prompt than before"),
        ({"result": "miss", "expired": True, "age_ms": 60_000}, "cache miss — the stored answer had expired, 1 min old"),
        ({"result": "miss", "changed": ["a"]}, "cache miss — a changed since the last cached request"),
        ({"result": "miss", "changed": ["a", "b", "c"]}, "cache miss — a, b and c changed since the last cached request"),
        ({"result": "miss", "changed": []}, "cache miss"),
    ],
    ids=str,
)
def test_cache_says_hit_with_age_or_miss_with_its_reason(event: dict[str, Any], words: str) -> None:
    assert lane(run(trace=trace(("cache", 0, event), ("end", 1)))).headline == words


def test_shared_flight_shows_the_wait_for_the_other_requests_answer() -> None:
    told = trace(("cache", 0.1, {"result": "hit", "shared": True}), ("first_token", 700), ("end", 990))
    waiting = only(lane(run(first=0.702, total=1, trace=told)), "waiting")
    assert waiting.detail == "Waited 701 ms for the answer that another request was getting."
    assert not waiting.observed


def test_failed_run_ends_in_its_error() -> None:
    told = trace(
        ("attempt", 1, {"target": "a", "number": 1, "status": 503, "duration_ms": 5}), ("end", 6, {"state": "failed", "status": 503})
    )
    drawn = lane(run("failed", total=0.01, trace=told, error=RunError("router_rejected", "The router is overloaded (503).", status=503)))
    end = only(drawn, "end")
    assert (end.label, end.outcome) == ("failed 503", "bad")
    assert end.detail == "The run failed. The router is overloaded (503)."


def test_stopped_run_shows_an_attempt_that_was_given_up() -> None:
    told = trace(("attempt", 1, {"target": "a", "number": 1, "status": None, "duration_ms": 400}), ("end", 402, {"state": "cancelled"}))
    drawn = lane(run("stopped", total=0.4, trace=told))
    assert "given up after 400 ms" in only(drawn, "attempt").detail
    assert (only(drawn, "end").label, only(drawn, "attempt").end_ms) == ("stopped", 400)


def test_running_run_has_no_end_yet() -> None:
    assert kinds(lane(run("streaming", first=0.2, total=0.5))) == ["waiting", "first_token", "streaming"]
    assert kinds(lane(run("waiting", total=0.5))) == ["waiting"]


@pytest.mark.parametrize(("status", "expected"), [("queued", ["queue"]), ("stopped", ["queue", "end"])])
def test_run_that_never_left_only_waited_for_its_place(status: Any, expected: list[str]) -> None:
    drawn = lane(run(status, queued=None, total=3))
    assert kinds(drawn) == expected
    assert drawn.segments[0].detail == "Waited 3.00 s for a place among the running calls."


def test_wait_for_a_place_stands_first() -> None:
    drawn = lane(run(queued=0.5, first=0.8, total=1))
    assert (drawn.segments[0].kind, drawn.segments[0].end_ms) == ("queue", 500)


def test_answer_that_came_whole_has_no_stream() -> None:
    told = trace(("attempt", 1, {"target": "a", "number": 1, "status": 200, "duration_ms": 90}), ("first_token", 30), ("end", 92))
    drawn = lane(run(first=None, total=0.1, trace=told))
    assert [kind for kind in kinds(drawn) if kind != "waiting"] == ["attempt", "end"]
    assert only(drawn, "attempt").end_ms - only(drawn, "attempt").start_ms == pytest.approx(90)


def test_step_that_was_noted_when_it_was_over_ends_where_it_was_noted() -> None:
    told = trace(("retrieval", 50, {"duration_ms": 48}), ("attempt", 51, {"target": "a", "status": 200}), ("first_token", 80), ("end", 100))
    retrieval = only(lane(run(first=0.08, total=0.1, trace=told)), "retrieval")
    assert [retrieval.start_ms, retrieval.end_ms] == pytest.approx([2, 50], abs=0.1)


def test_searches_that_ran_at_once_stand_in_the_order_they_began() -> None:
    told = trace(
        ("retrieval", 60, {"duration_ms": 20}), ("retrieval", 60, {"duration_ms": 55}), ("attempt", 61), ("first_token", 80), ("end", 100)
    )
    found = [segment for segment in lane(run(first=0.08, total=0.1, trace=told)).segments if segment.kind == "retrieval"]
    assert [round(segment.start_ms) for segment in found] == [5, 40]


def test_model_that_tells_of_its_thinking_ends_the_attempts_segment() -> None:
    told = trace(
        ("attempt", 1, {"target": "a", "status": 200, "duration_ms": 98}),
        ("thinking", 5, {"budget_tokens": 9}),
        ("first_token", 80),
        ("end", 100),
    )
    drawn = lane(run(first=0.08, total=0.1, trace=told))
    assert only(drawn, "attempt").end_ms == only(drawn, "other").start_ms
    assert only(drawn, "other").detail == "Thinking (budget_tokens 9)."


def test_step_whose_ends_read_alike_is_at_a_moment() -> None:
    assert Segment("attempt", 1150.1, 1152.0, "", "").when == "at 1.15 s"
    assert Segment("attempt", 1150.1, 1162.0, "", "").when == "from 1.15 s to 1.16 s"


def test_unknown_kinds_are_shown_by_their_names_and_never_fail() -> None:
    told = trace(("rate_limit", 1, {"left": 3, "deep": {"x": {}}, "list": [1, 2]}), ("end", 5))
    other = only(lane(run(total=0.01, trace=told)), "other")
    assert (other.label, other.detail) == ("rate limit", "The router noted “rate_limit” (left 3, list: 2).")


def test_twenty_attempts_are_all_there() -> None:
    events = [("attempt", 10 * n, {"target": "a", "number": n + 1, "status": 429, "duration_ms": 5}) for n in range(20)]
    drawn = lane(run("failed", total=0.2, trace=trace(*events, ("end", 196, {"state": "failed", "status": 429}))))
    assert kinds(drawn).count("attempt") == 20
    assert drawn.headline == "20 attempts: 20 × 429"


# A router that tells no trace


def test_remote_run_is_only_what_was_seen_from_here_and_says_so() -> None:
    drawn = lane(run(first=0.3, total=1, model="a"))
    assert kinds(drawn) == ["waiting", "first_token", "streaming", "end"]
    assert not drawn.inferred
    assert "tells no trace" in drawn.basis
    assert "What the router did meanwhile is not known" in drawn.segments[0].detail


def test_trace_that_did_not_come_is_not_said_to_be_none() -> None:
    assert lane(run(first=0.3, headers={"x-router-request-id": "req_1"})).basis.startswith("The router's trace did not come:")


def test_remote_attempts_that_a_header_counts_are_inferred() -> None:
    drawn = lane(run(first=0.3, total=1, headers={"x-router-attempts": "3"}))
    attempts = [segment for segment in drawn.segments if segment.kind == "attempt"]
    assert [segment.observed for segment in attempts] == [False] * 3
    assert [attempts[0].start_ms, attempts[-1].end_ms] == pytest.approx([0, 300])
    assert drawn.headline == "3 attempts"


@pytest.mark.parametrize("place", ["top", "orq"])
def test_remote_fallback_is_inferred_from_the_model_that_answered(place: str) -> None:
    routing = {"fallbacks": [{"model": "openai/gpt-4o"}]}
    body = {"model": "a", "prompt": "p", **(routing if place == "top" else {"orq": routing})}
    drawn = lane(run(first=0.3, total=1, body=body, model="gpt-4o-2024-11-20"))
    assert [segment.observed for segment in drawn.segments if segment.kind == "attempt"] == [False, False]
    assert drawn.headline == "probably fell back to openai/gpt-4o · 2 attempts or more"


def test_remote_draw_and_cache_hit_are_inferred() -> None:
    body = {"load_balancer": {"type": "weight_based", "models": [{"model": "a"}, {"model": "b"}]}}
    drawn = lane(run(first=0.3, total=1, body=body, model="b", headers={"x-router-cache": "hit"}))
    assert kinds(drawn) == ["cache", "draw", "waiting", "first_token", "streaming", "end"]
    assert [segment.observed for segment in drawn.segments] == [False, False, True, True, True, True]


def test_model_name_that_is_no_targets_infers_nothing() -> None:
    assert lane(run(first=0.3, model="something-else", body={"model": "a", "fallbacks": "x", "load_balancer": 7})).inferred is False


@pytest.mark.parametrize(
    ("ms", "words"),
    [(0, "0 ms"), (0.44, "0.4 ms"), (9.94, "9.9 ms"), (9.96, "10 ms"), (92.4, "92 ms"), (999.6, "1.00 s"), (1240, "1.24 s"),
     (59_994, "59.99 s"), (59_996, "1 min"), (125_000, "2 min 5 s")],
)  # fmt: skip
def test_durations_read_well(ms: float, words: str) -> None:
    assert span(ms) == words


# Whatever a trace holds

junk = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2000) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(["type", "at_ms", "duration_ms", "wait_ms", "status", "target", "number", "models", "drawn", "result", "changed"])
event_kinds = ["attempt", "back_off", "fallback", "draw", "cache", "retrieval", "first_token", "end", "x"]
events = st.fixed_dictionaries(
    {"type": st.sampled_from(event_kinds), "at_ms": st.floats(-10, 5000)},
    optional={"duration_ms": st.floats(0, 5000) | junk, "wait_ms": st.floats(0, 5000), "status": st.integers(0, 700), "target": st.text()},
)
statuses = st.sampled_from(["waiting", "streaming", "finished", "stopped", "failed", "interrupted"])


@settings(deadline=None, max_examples=100)
@given(
    told=st.lists(events | st.dictionaries(names, junk, max_size=4) | junk, max_size=12),
    status=statuses,
    times=st.tuples(st.floats(0, 2), st.none() | st.floats(0, 2), st.floats(0, 2)),
)
def test_any_trace_gives_a_lane_within_the_runs_time(told: list[Any], status: Any, times: tuple[float, float | None, float]) -> None:
    queued, first, total = times
    first = None if first is None or status == "waiting" else queued + first
    total = (queued if first is None else first) + total
    drawn = lane(run(status, queued=queued, first=first, total=total, trace={"events": told}))
    assert drawn.segments
    for segment in drawn.segments:
        assert 0 <= segment.start_ms <= segment.end_ms <= drawn.total_ms + 1e-6
        assert segment.label
        assert segment.detail
    assert all(before.start_ms <= after.start_ms + 1e-6 for before, after in pairwise(drawn.segments))
    assert len(drawn.sentences) == len(drawn.segments)


# The real router


@pytest.fixture(scope="module")
def fast() -> Iterator[LocalRouter]:
    """A router whose back-offs take no time."""
    with LocalRouter(pace=0, clock=FakeTime().clock).running() as running:
        yield running


async def test_lane_of_a_real_run_with_retries_and_a_fallback(fast: LocalRouter) -> None:
    hub = Hub()
    await hub.open()
    body = {
        "model": "rehearsal/429",
        "prompt": "A function definition",
        "retry": {"count": 2},
        "fallbacks": [{"model": "local/pydoc"}],
        "stream": True,
        "max_tokens": 20,
    }
    connection = Connection("Local router", "local", fast.base_url, DEFAULT_PATHS["local"], fast.api_key)
    drawn = lane(await traced(hub, hub.start(body, connection)))
    await hub.close()
    found = [kind for kind in kinds(drawn) if kind != "waiting"]
    assert found == [*["attempt", "back_off"] * 2, "attempt", "fallback", "attempt", "first_token", "streaming", "end"]
    assert drawn.headline.startswith("4 attempts on 2 models: 3 × 429, 200 · waited")


def test_lane_of_a_trace_alone_is_in_the_routers_time() -> None:
    drawn = router_lane(RETRIED)
    assert drawn.total_ms == 2000
    assert kinds(drawn)[-3:] == ["first_token", "streaming", "end"]
    assert only(drawn, "streaming").start_ms == 1200
