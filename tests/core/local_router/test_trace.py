from __future__ import annotations

import asyncio
import json

import pytest

from core.local_router.api_error import ApiError
from core.local_router.trace import MOST_LABEL_BYTES, MOST_TRACES, Traces
from tests.core.local_router.fakes import Bench, FakeTime, ScriptedModel, heard

BODY = {"model": "a", "prompt": "p"}


def kinds(bench: Bench) -> list[str]:
    return [event["type"] for event in bench.traces[-1].events]


async def test_trace_tells_every_step_in_order_with_its_time():
    bench = Bench(a=ScriptedModel([429]), b=ScriptedModel(["word"]))
    asked = {
        "cache": {"type": "exact_match"},
        "load_balancer": {"type": "weight_based", "models": [{"model": "a"}]},
        "retry": {"count": 1},
        "fallbacks": [{"model": "b"}],
    }
    await bench.say(**asked)
    assert kinds(bench) == ["cache", "draw", "attempt", "back_off", "attempt", "fallback", "attempt", "first_token", "end"]
    waited_ms = bench.events("back_off")[0]["wait_ms"]
    assert waited_ms == pytest.approx(bench.time.slept[0] * 1000, abs=0.001)
    assert [event["at_ms"] for event in bench.events("attempt")] == pytest.approx([0, waited_ms, waited_ms], abs=0.01)
    assert bench.events("end")[0] | {"at_ms": 0} == {"type": "end", "at_ms": 0, "state": "finished", "status": 200}


async def test_attempt_tells_target_number_status_and_duration():
    bench = Bench(a=ScriptedModel([503]))

    async def two_seconds() -> None:
        bench.time.now_s += 2

    bench.models["b"] = ScriptedModel(["slow", two_seconds, "word"])
    answer = await bench.begin(fallbacks=[{"model": "b"}], stream=True)
    failed, under_way = bench.events("attempt")
    assert (failed["target"], failed["number"], failed["status"]) == ("a", 1, 503)
    assert (under_way["target"], under_way["number"], under_way["status"], under_way["duration_ms"]) == ("b", 2, None, None)
    await heard(answer)
    assert (under_way["status"], under_way["duration_ms"]) == (200, 2_000)


async def test_cache_hit_tells_its_age_and_the_same_key_as_the_miss():
    bench = Bench(a=ScriptedModel(["word"]))
    await bench.say(cache={"type": "exact_match"})
    (miss,) = bench.events("cache")
    bench.time.now_s += 5
    await bench.say(cache={"type": "exact_match"})
    (hit,) = bench.events("cache")
    assert (miss["result"], hit["result"], hit["age_ms"]) == ("miss", "hit", 5_000)
    assert miss["key"] == hit["key"]
    assert kinds(bench) == ["cache", "first_token", "end"]


async def test_failure_and_its_status_end_the_trace():
    bench = Bench(a=ScriptedModel([503], ["one", ApiError(502)]))
    with pytest.raises(ApiError):
        await bench.say()
    assert (bench.traces[-1].state, bench.traces[-1].status) == ("failed", 503)
    await heard(await bench.begin(stream=True))
    assert (bench.traces[-1].state, bench.traces[-1].status) == ("failed", 502)


async def test_client_that_leaves_ends_the_trace_and_the_attempt():
    asked = asyncio.Event()

    async def forever() -> None:
        asked.set()
        await asyncio.Event().wait()

    bench = Bench(a=ScriptedModel([forever]))
    asking = asyncio.create_task(bench.begin(stream=True))
    await asked.wait()
    asking.cancel()
    await asyncio.wait([asking])
    assert (bench.traces[-1].state, bench.traces[-1].status) == ("cancelled", None)
    assert bench.events("attempt")[0]["duration_ms"] is not None
    bench.models["a"] = ScriptedModel(["one two"])
    answer = await bench.begin(stream=True)
    await answer.batches.aclose()
    assert (bench.traces[-1].state, bench.models["a"].closed) == ("cancelled", 1)


async def test_trace_never_holds_what_was_said():
    bench = Bench(a=ScriptedModel(["ANSWER-canary"]))
    await bench.say(prompt="PROMPT-canary", stop=["STOP-canary"], cache={"type": "exact_match"}, caller="KEY-canary")
    assert "canary" not in json.dumps(bench.traces[-1].view())


@pytest.mark.parametrize(
    ("body", "labels"),
    [
        ({"name": "n", "user": "u"}, {"name": "n", "user": "u"}),
        ({"orq": {"thread": {"id": "t", "tags": ["x"]}}}, {"thread": {"id": "t", "tags": ["x"]}}),
        ({"orq": {"identity": {"id": "i", "email": "a@b.example"}}}, {"identity": {"id": "i", "email": "a@b.example"}}),
        ({"orq": {"contact": {"id": "c"}}}, {"identity": {"id": "c"}}),
        ({"orq": {"identity": {"id": "i"}, "contact": {"id": "c", "tags": ["x"]}}}, {"identity": {"id": "i"}}),
    ],
)
def test_labels_are_kept_and_identity_wins_over_contact(body, labels):
    assert Traces(FakeTime().clock).begin("r", "me", BODY | body).labels == labels


def test_traces_of_the_newest_thousand_requests_are_kept():
    traces = Traces(FakeTime().clock)
    for number in range(MOST_TRACES + 1):
        traces.begin(f"r{number}", "me", BODY)
    with pytest.raises(ApiError, match="404"):
        traces.find("r0", "me")
    assert traces.find("r1", "me").id == "r1"


def test_large_labels_make_the_oldest_traces_go_early():
    traces = Traces(FakeTime().clock)
    for number in range(3):
        traces.begin(f"r{number}", "me", BODY | {"name": "x" * (MOST_LABEL_BYTES // 2)})
    with pytest.raises(ApiError):
        traces.find("r1", "me")
    assert traces.find("r2", "me")


def test_trace_is_shown_to_who_made_the_request_only():
    traces = Traces(FakeTime().clock)
    traces.begin("r", "me", BODY)
    with pytest.raises(ApiError, match="404"):
        traces.find("r", "you")
