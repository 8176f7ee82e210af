from __future__ import annotations

import pytest

from core.local_router.api_error import ApiError
from core.local_router.plan import FALLBACK_ON_CODES
from tests.core.local_router.fakes import Bench, ScriptedModel

TO_B = {"fallbacks": [{"model": "b"}]}


@pytest.mark.parametrize("place", ["top", "orq"])
@pytest.mark.parametrize("streamed", [True, False])
async def test_next_model_answers_when_the_first_failed(place, streamed):
    bench = Bench(a=ScriptedModel([503]), b=ScriptedModel(["from b"]))
    assert await bench.say(**(TO_B if place == "top" else {"orq": TO_B}), stream=streamed) == " from b"
    assert bench.headers == {"model": "b", "attempts": "2", "cache": "bypass"}


async def test_fallbacks_are_asked_in_order_and_the_first_success_ends_it():
    bench = Bench(a=ScriptedModel([500]), b=ScriptedModel([529]), c=ScriptedModel(["c"]), d=ScriptedModel(["d"]))
    assert await bench.say(fallbacks=[{"model": name} for name in "bcd"]) == " c"
    assert not bench.models["d"].asked
    assert [(event["after"], event["target"]) for event in bench.events("fallback")] == [(500, "b"), (529, "c")]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 501, 502, 503, 504, 529])
async def test_default_codes_are_the_contracts(status):
    bench = Bench(a=ScriptedModel([status]), b=ScriptedModel(["b"]))
    if status in FALLBACK_ON_CODES:
        assert await bench.say(**TO_B) == " b"
    else:
        with pytest.raises(ApiError):
            await bench.say(**TO_B)
        assert not bench.models["b"].asked


@pytest.mark.parametrize("place", ["top", "orq"])
async def test_fallback_on_codes_replaces_the_default_codes(place):
    bench = Bench(a=ScriptedModel([401], [503]), b=ScriptedModel(["b"]))
    codes = {"fallback_on_codes": [401]}
    body = TO_B | (codes if place == "top" else {"orq": codes})
    assert await bench.say(**body) == " b"
    with pytest.raises(ApiError):
        await bench.say(**body)


async def test_each_fallback_has_retries_of_its_own():
    bench = Bench(a=ScriptedModel([429]), b=ScriptedModel([429], [429], ["b"]))
    assert await bench.say(**TO_B, retry={"count": 2}) == " b"
    assert [event["target"] for event in bench.events("attempt")] == ["a", "a", "a", "b", "b", "b"]
    assert [round(slept) for slept in bench.time.slept] == [1, 2, 1, 2]


async def test_last_error_goes_out_when_all_failed():
    bench = Bench(a=ScriptedModel([503]), b=ScriptedModel([429]))
    with pytest.raises(ApiError) as raised:
        await bench.say(**TO_B)
    assert (raised.value.status, bench.headers["model"], bench.headers["attempts"]) == (429, "b", "2")


async def test_empty_list_at_top_level_switches_the_twin_off():
    bench = Bench(a=ScriptedModel([503]), b=ScriptedModel(["b"]))
    with pytest.raises(ApiError):
        await bench.say(fallbacks=[], orq=TO_B)


async def test_model_that_does_not_exist_fails_with_404_like_any_other():
    bench = Bench(b=ScriptedModel(["b"]))
    with pytest.raises(ApiError, match="404"):
        await bench.say(**TO_B)
    assert await bench.say(**TO_B, fallback_on_codes=[404]) == " b"
