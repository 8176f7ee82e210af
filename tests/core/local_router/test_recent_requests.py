"""On a miss the trace says which field made the request another one, and never what stood in it."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from core.local_router.answer import Call
from core.local_router.api_error import ApiError
from core.local_router.cache import AnswerCache
from core.local_router.pipeline import Pipeline
from core.local_router.recent_requests import MOST_CALLERS, MOST_REQUESTS, RecentRequests
from core.local_router.trace import Trace
from tests.core.local_router.fakes import Bench, ScriptedModel

CACHE: dict[str, Any] = {"cache": {"type": "exact_match"}}


def told(bench: Bench) -> dict[str, Any]:
    """What the newest miss tells beside its key."""
    (event,) = bench.events("cache")
    assert event["result"] == "miss"
    return {name: value for name, value in event.items() if name not in ("type", "at_ms", "result", "key")}


async def second_miss(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    bench = Bench(a=ScriptedModel(["word"]), b=ScriptedModel(["word"]))
    await bench.say(**CACHE, **before)
    assert told(bench) == {"first": True}
    await bench.say(**CACHE, **now)
    return told(bench)


@pytest.mark.parametrize(
    ("before", "now", "changed"),
    [
        ({"temperature": 0.5}, {"temperature": 0.6}, ["temperature"]),
        ({}, {"temperature": 0.6}, ["temperature"]),
        ({"temperature": 1}, {"temperature": None}, ["temperature"]),
        ({}, {"prompt": "Say it again"}, ["prompt"]),
        ({}, {"model": "b"}, ["model"]),
        ({"retry": {"count": 1}}, {"retry": {"count": 2}}, ["retry.count"]),
        ({"timeout": {"call_timeout": 10}}, {"timeout": {"call_timeout": 20}}, ["timeout.call_timeout"]),
        ({}, {"max_tokens": 3, "seed": 1, "top_p": 0.5}, ["max_tokens", "seed", "top_p"]),
        ({"orq": {"knowledge_bases": []}}, {"orq": {}}, ["orq.knowledge_bases"]),
    ],
    ids=str,
)
async def test_miss_names_the_fields_that_differ(before, now, changed):
    assert await second_miss(before, now) == {"changed": changed}


@pytest.mark.parametrize(
    "now",
    [{"model": "b", "prompt": "else"}, {"max_tokens": 3, "seed": 1, "top_p": 0.5, "n": 1}],
    ids=["model and prompt", "four fields"],
)
async def test_request_with_little_in_common_is_the_first_of_its_kind(now):
    assert await second_miss({}, now) == {"first": True}


async def test_nearest_of_several_requests_is_the_one_compared_with():
    bench = Bench(a=ScriptedModel(["word"]))
    for body in ({"temperature": 0.1, "seed": 1}, {"temperature": 0.2, "seed": 2}, {"prompt": "else"}):
        await bench.say(**CACHE, **body)
    await bench.say(**CACHE, temperature=0.1, seed=2)
    assert told(bench) == {"changed": ["temperature"]}, "the later one wins where two are as near"


async def test_expired_answer_is_told_with_its_age():
    bench = Bench(a=ScriptedModel(["word"]))
    body = {"cache": {"type": "exact_match", "ttl": 10}}
    await bench.say(**body)
    bench.time.now_s += 12.5
    await bench.say(**body)
    assert told(bench) == {"expired": True, "age_ms": 12_500}


async def test_answer_too_old_for_this_requests_ttl_counts_as_expired():
    bench = Bench(a=ScriptedModel(["word"]))
    await bench.say(**CACHE)
    bench.time.now_s += 60
    await bench.say(cache={"type": "exact_match", "ttl": 30})
    assert told(bench) == {"expired": True, "age_ms": 60_000}


async def test_same_request_whose_answer_was_not_kept_says_so():
    bench = Bench(a=ScriptedModel([503], ["word"]))
    with pytest.raises(ApiError):
        await bench.say(**CACHE)
    await bench.say(**CACHE)
    assert told(bench) == {"unkept": True}


async def test_requests_of_another_caller_are_not_compared_with():
    bench = Bench(a=ScriptedModel(["word"]))
    await bench.say(**CACHE)
    await bench.say(**CACHE, caller="you", temperature=0.5)
    assert told(bench) == {"first": True}


class Templates:
    """A shaper that puts ``orq.inputs`` into the prompt, and a word that changes by itself."""

    def __init__(self) -> None:
        self.word = "one"

    async def shape(self, call: Call, trace: Trace) -> Call:
        inputs = call.body.get("orq", {}).get("inputs", {})
        prompt = call.body["prompt"].replace("{{name}}", str(inputs.get("name"))) + self.word
        return replace(call, body={**{name: value for name, value in call.body.items() if name != "orq"}, "prompt": prompt})


def shaped_bench(shaper: Templates) -> Bench:
    bench = Bench(a=ScriptedModel(["word"]))
    bench.pipeline = Pipeline(bench, bench.time.clock, random.Random(1), AnswerCache(bench.time.clock), (shaper,))
    return bench


async def test_field_as_it_was_sent_is_named_where_it_shaped_the_prompt():
    bench = shaped_bench(Templates())
    await bench.say(**CACHE, prompt="Hi {{name}}", orq={"inputs": {"name": "Ada"}})
    await bench.say(**CACHE, prompt="Hi {{name}}", orq={"inputs": {"name": "Bob"}})
    assert told(bench) == {"changed": ["orq.inputs"]}


async def test_prompt_that_became_another_by_itself_is_told_as_such():
    shaper = Templates()
    bench = shaped_bench(shaper)
    await bench.say(**CACHE, prompt="Hi")
    shaper.word = "two"
    await bench.say(**CACHE, prompt="Hi")
    assert told(bench) == {"reshaped": True}


async def test_nothing_of_what_was_sent_is_told():
    bench = Bench(a=ScriptedModel(["word"]))
    for canary in ("CANARY-1", "CANARY-2"):
        await bench.say(**CACHE, prompt=canary, stop=[canary], orq={"inputs": {canary: canary}})
        assert "CANARY" not in json.dumps(bench.traces[-1].view())


def test_no_more_requests_and_callers_are_remembered_than_there_is_room_for():
    recent = RecentRequests()
    for number in range(MOST_REQUESTS + 1):
        recent.compare("me", f"k{number}", {"model": "a", "prompt": number}, number)
    assert recent.compare("me", "k1", {"model": "a", "prompt": 1}, 1) == {"unkept": True}
    assert recent.compare("me", "k0", {"model": "a", "prompt": 0}, 0) == {"changed": ["prompt"]}
    for number in range(MOST_CALLERS):
        recent.compare(f"caller {number}", "k", {}, None)
    assert recent.compare("me", "k1", {"model": "a", "prompt": 1}, 1) == {"first": True}
