from __future__ import annotations

import asyncio

import pytest

from core.local_router.api_error import ApiError
from tests.core.local_router.fakes import Bench, ScriptedModel, heard

SHORT = {"timeout": {"call_timeout": 20}}


async def forever() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("place", ["top", "orq"])
@pytest.mark.parametrize("streamed", [True, False])
async def test_attempt_past_the_limit_is_a_504_and_its_model_stops(place, streamed):
    bench = Bench(a=ScriptedModel([forever]))
    with pytest.raises(ApiError) as raised:
        await bench.say(**(SHORT if place == "top" else {"orq": SHORT}), stream=streamed)
    assert (raised.value.status, raised.value.code) == (504, "provider_timeout")
    assert "20 ms" in raised.value.message
    assert bench.models["a"].closed == 1


async def test_limit_is_each_attempts_own_and_retries_and_fallbacks_follow():
    bench = Bench(a=ScriptedModel([forever]), b=ScriptedModel([forever], ["b"]))
    assert await bench.say(**SHORT, retry={"count": 1, "on_codes": [504]}, fallbacks=[{"model": "b"}]) == " b"
    assert [event["status"] for event in bench.events("attempt")] == [504, 504, 504, 200]


async def test_stream_past_the_limit_ends_in_an_error_after_what_was_said():
    bench = Bench(a=ScriptedModel(["one two", forever]), b=ScriptedModel(["b"]))
    answer = await bench.begin(**SHORT, stream=True, retry={"on_codes": [504]}, fallbacks=[{"model": "b"}])
    said, error = await heard(answer)
    assert said == " one two"
    assert isinstance(error, ApiError)
    assert error.status == 504
    assert bench.headers["attempts"] == "1"


async def test_limit_counts_the_whole_attempt_and_not_each_piece():
    bench = Bench()

    async def a_second() -> None:
        bench.time.now_s += 1

    bench.models["a"] = ScriptedModel(["one", a_second, "two", a_second, "three", a_second, "four"])
    with pytest.raises(ApiError):
        await bench.say(timeout={"call_timeout": 2_500})
    assert await bench.say(timeout={"call_timeout": 3_500}) == " one two three four"


async def test_waiting_to_retry_does_not_count():
    bench = Bench(a=ScriptedModel([429], ["in time"]))
    assert await bench.say(**SHORT, retry={}) == " in time"
    assert bench.time.slept[0] > 0.02


async def test_time_limit_of_the_models_own_is_not_taken_for_the_routers():
    bench = Bench(a=ScriptedModel([TimeoutError("mine")]))
    with pytest.raises(TimeoutError, match="mine"):
        await bench.say(timeout={"call_timeout": 10_000})
