from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from core.local_router.answer import AnswerCut
from core.local_router.api_error import ApiError
from core.local_router.cache import cache_key, counted
from core.local_router.plan import settled
from tests.core.local_router.fakes import Bench, ScriptedModel, heard

CACHE: dict[str, Any] = {"cache": {"type": "exact_match"}}
BODY = {"model": "a", "prompt": "Say it", "temperature": 1, **CACHE}


def key(**changes: Any) -> str:
    return cache_key(counted(settled(BODY | changes)), "me")


def counting() -> ScriptedModel:
    """Says something else each time."""
    return ScriptedModel(["first time"], ["second time"], ["third time"])


@pytest.mark.parametrize("place", ["top", "orq"])
async def test_same_request_is_answered_again_without_the_model(place):
    bench = Bench(a=counting())
    body = CACHE if place == "top" else {"orq": CACHE}
    said, cached = [], []
    for _ in range(2):
        said.append(await bench.say(**body))
        cached.append((bench.headers["cache"], bench.headers["attempts"], bench.headers["model"]))
    assert said == [" first time"] * 2
    assert cached == [("miss", "1", "a"), ("hit", "0", "a")]


async def test_without_cache_nothing_is_stored_or_looked_up():
    bench = Bench(a=counting())
    assert [await bench.say(), await bench.say(**CACHE), await bench.say()] == [" first time", " second time", " third time"]
    assert bench.headers["cache"] == "bypass"


@pytest.mark.parametrize("first", [True, False])
async def test_hit_replays_as_a_stream_or_whole_whatever_was_stored(first):
    bench = Bench(a=counting())
    assert await bench.say(**CACHE, stream=first) == await bench.say(**CACHE, stream=not first)
    assert bench.headers["cache"] == "hit"


@pytest.mark.parametrize(("ttl", "age_s", "hit"), [(10, 9.9, True), (10, 10, False), (None, 3599, True), (None, 3600, False)])
async def test_answer_is_kept_for_ttl_seconds_an_hour_by_default(ttl, age_s, hit):
    bench = Bench(a=counting())
    body = {"cache": {"type": "exact_match"} | ({"ttl": ttl} if ttl else {})}
    await bench.say(**body)
    bench.time.now_s += age_s
    await bench.say(**body)
    assert (bench.headers["cache"] == "hit") is hit


async def test_request_with_a_shorter_ttl_takes_no_older_answer():
    bench = Bench(a=counting())
    await bench.say(**CACHE)
    bench.time.now_s += 60
    assert await bench.say(cache={"type": "exact_match", "ttl": 30}) == " second time"


async def test_answer_stored_for_a_short_time_is_not_used_longer_by_a_more_patient_request():
    bench = Bench(a=counting())
    await bench.say(cache={"type": "exact_match", "ttl": 30})
    bench.time.now_s += 60
    assert await bench.say(**CACHE) == " second time"


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "say it"},
        {"prompt": "Say it "},
        {"model": "b"},
        {"temperature": 1.5},
        {"seed": 1},
        {"n": 2},
        {"stop": "."},
        {"echo": True},
        {"max_tokens": 5},
        {"top_p": None},
        {"fallbacks": [{"model": "b"}]},
        {"load_balancer": {"type": "weight_based", "models": [{"model": "b"}]}},
        {"retry": {}},
        {"timeout": {"call_timeout": 5}},
        {"orq": {"knowledge_bases": [{"knowledge_id": "k"}]}},
    ],
    ids=str,
)
def test_field_that_can_change_the_answer_changes_the_key(change):
    assert key(**change) != key()


@pytest.mark.parametrize(
    "change",
    [
        {"stream": True},
        {"name": "n"},
        {"user": "u"},
        {"cache": {"type": "exact_match", "ttl": 5}},
        {"temperature": 1.0},
        {"orq": {"identity": {"id": "i"}, "contact": {"id": "c"}, "thread": {"id": "t"}, "name": "n"}},
    ],
    ids=str,
)
def test_field_that_cannot_change_the_answer_leaves_the_key_alone(change):
    assert key(**change) == key()


def test_key_does_not_depend_on_order_or_on_which_twin_was_used():
    assert cache_key(counted(settled(dict(reversed(BODY.items())))), "me") == key()
    assert key(retry={"count": 2}) == key(orq={"retry": {"count": 2.0}})


async def test_each_caller_has_answers_of_its_own():
    bench = Bench(a=counting())
    assert await bench.say(**CACHE) != await bench.say(**CACHE, caller="you")


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("broken", [[503], ["one", ApiError(502)], ["one", AnswerCut()]], ids=["refused", "error", "cut"])
async def test_errors_and_cut_answers_are_never_stored(broken, streamed):
    bench = Bench(a=ScriptedModel(broken, ["whole"]))
    with pytest.raises((ApiError, AnswerCut)):
        await bench.say(**CACHE, stream=streamed)
    assert await bench.say(**CACHE, stream=streamed) == " whole"
    assert bench.headers["cache"] == "miss"


async def test_stream_that_its_client_left_is_not_stored_and_its_model_stops():
    bench = Bench(a=counting())
    answer = await bench.begin(**CACHE, stream=True)
    await anext(aiter(answer.batches))
    await answer.batches.aclose()
    assert bench.models["a"].closed == 1
    assert await bench.say(**CACHE) == " second time"


async def test_two_identical_requests_at_once_make_one_model_call():
    may_end = asyncio.Event()
    bench = Bench(a=ScriptedModel(["one", may_end.wait, "two"], ["again"]))
    asking = [asyncio.create_task(bench.say(**CACHE, stream=streamed)) for streamed in (True, False, True)]
    await asyncio.sleep(0)
    may_end.set()
    assert await asyncio.gather(*asking) == [" one two"] * 3
    assert len(bench.models["a"].asked) == 1
    assert [trace.cache for trace in bench.traces] == ["miss", "hit", "hit"]
    assert [trace.attempts for trace in bench.traces] == [1, 0, 0]


async def test_request_that_joins_a_stream_gets_all_of_it_also_when_the_first_one_leaves():
    may_end = asyncio.Event()
    bench = Bench(a=ScriptedModel(["one two", may_end.wait, "three"]))
    first, second = await bench.begin(**CACHE, stream=True), await bench.begin(**CACHE, stream=True)
    await anext(aiter(first.batches))
    waiting = asyncio.create_task(heard(first))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    may_end.set()
    assert await heard(second) == (" one two three", None)
    assert bench.models["a"].closed == 1


async def test_cached_stream_that_nobody_reads_does_not_run_ahead():
    went_on = asyncio.Event()

    async def mark() -> None:
        went_on.set()

    bench = Bench(a=ScriptedModel(["one", mark, "two"]))
    answer = await bench.begin(**CACHE, stream=True)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not went_on.is_set()
    assert await heard(answer) == (" one two", None)


async def test_waiting_client_that_leaves_a_back_off_ends_it():
    waiting = asyncio.Event()
    bench = Bench(a=ScriptedModel([429]))

    async def forever(_seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    bench.time.sleep = forever
    asking = asyncio.create_task(bench.say(**CACHE, retry={}))
    await waiting.wait()
    asking.cancel()
    await asyncio.wait([asking])
    assert asyncio.all_tasks() == {asyncio.current_task()}
    bench.models["a"] = ScriptedModel(["now"])
    assert await bench.say(**CACHE, retry={}) == " now"


@pytest.mark.parametrize(
    "fields", [{}, {"stream": True}, CACHE, CACHE | {"stream": True}, {"retry": {}, "timeout": {"call_timeout": 5_000}}], ids=str
)
async def test_finished_request_leaves_nothing_to_the_garbage_collector(fields):
    bench = Bench(a=ScriptedModel(["one two"]))
    await bench.say(**fields)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for number in range(20):
            await bench.say(**fields, prompt=str(number))
        gc.collect()
        assert [type(garbage) for garbage in gc.garbage if _of_the_router(garbage)] == []
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def _of_the_router(garbage: object) -> bool:
    """Told apart from what other threads of this process leave meanwhile: a router that learns, a browser that is driven."""
    code = getattr(garbage, "f_code", None) or getattr(garbage, "cr_code", None) or getattr(garbage, "ag_code", None)
    where = type(garbage).__module__ if code is None else code.co_filename.replace("/", ".")
    return "core.local_router" in where


async def test_failure_goes_to_all_that_asked_at_once_and_the_next_one_tries_anew():
    bench = Bench(a=ScriptedModel([503], ["better"]))
    results = await asyncio.gather(bench.say(**CACHE), bench.say(**CACHE), return_exceptions=True)
    assert [error.status for error in results] == [503, 503]
    assert await bench.say(**CACHE) == " better"


async def test_stream_that_broke_is_joined_by_nobody_while_its_reader_lingers():
    bench = Bench(a=ScriptedModel(["one", ApiError(502)], ["better"]))
    lingering = await bench.begin(**CACHE, stream=True)
    reading = aiter(lingering.batches)
    await anext(reading)
    with pytest.raises(ApiError):
        await anext(reading)
    assert await bench.say(**CACHE) == " better"
    await lingering.batches.aclose()


async def test_answers_used_longest_ago_leave_when_the_bytes_are_used_up():
    bench = Bench(a=ScriptedModel(["word " * 100]), capacity_bytes=35_000)
    for prompt in ("1", "2", "1", "3"):
        await bench.say(**CACHE, prompt=prompt)
    hits = []
    for prompt in ("1", "3", "2"):
        await bench.say(**CACHE, prompt=prompt)
        hits.append(bench.headers["cache"])
    assert hits == ["hit", "hit", "miss"]


async def test_answer_larger_than_the_whole_store_is_not_kept():
    bench = Bench(a=ScriptedModel(["word " * 1_000], ["small"]), capacity_bytes=20_000)
    await bench.say(**CACHE)
    assert await bench.say(**CACHE) == " small"
