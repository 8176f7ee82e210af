from __future__ import annotations

import random

import pytest

from core.local_router.answer import AnswerCut
from core.local_router.api_error import ApiError
from core.local_router.retry import BACK_OFF_S, back_off
from tests.core.local_router.fakes import Bench, ScriptedModel, heard


async def test_without_retry_the_first_failure_goes_out():
    bench = Bench(a=ScriptedModel([429], ["late"]))
    with pytest.raises(ApiError) as raised:
        await bench.say()
    assert (raised.value.status, bench.headers["attempts"]) == (429, "1")


@pytest.mark.parametrize("place", ["top", "orq"])
async def test_retry_asks_the_same_model_again_until_it_answers(place):
    bench = Bench(a=ScriptedModel([429], [429], ["at last"]))
    retry = {"retry": {"count": 2}}
    assert await bench.say(**(retry if place == "top" else {"orq": retry})) == " at last"
    assert bench.headers["attempts"] == "3"


@pytest.mark.parametrize(("retry", "calls"), [({}, 4), ({"count": 1}, 2), ({"count": 5}, 6), ({"count": 2.0}, 3)])
async def test_count_is_how_many_retries_follow_the_first_try(retry, calls):
    bench = Bench(a=ScriptedModel([429]))
    with pytest.raises(ApiError):
        await bench.say(retry=retry)
    assert len(bench.models["a"].asked) == calls


@pytest.mark.parametrize(("retry", "status", "calls"), [({}, 503, 1), ({"on_codes": [503.0]}, 503, 4), ({"on_codes": [503]}, 429, 1)])
async def test_only_the_statuses_of_on_codes_are_retried(retry, status, calls):
    bench = Bench(a=ScriptedModel([status]))
    with pytest.raises(ApiError) as raised:
        await bench.say(retry=retry)
    assert (raised.value.status, len(bench.models["a"].asked)) == (status, calls)


async def test_top_level_retry_wins_as_a_whole_over_its_twin():
    bench = Bench(a=ScriptedModel([503]))
    with pytest.raises(ApiError):
        await bench.say(retry={"count": 2}, orq={"retry": {"count": 1, "on_codes": [503]}})
    assert len(bench.models["a"].asked) == 1  # not 503: the twin's codes do not mix in


async def test_back_off_doubles_from_one_second_give_or_take_a_quarter():
    bench = Bench(a=ScriptedModel([429]))
    for _ in range(50):
        with pytest.raises(ApiError):
            await bench.say(retry={"count": 5})
    ratios = [waited / BACK_OFF_S[index % 5] for index, waited in enumerate(bench.time.slept)]
    assert len(ratios) == 250
    assert 0.75 <= min(ratios) < 0.78
    assert 1.22 < max(ratios) <= 1.25


@pytest.mark.parametrize(
    ("headers", "wait_s", "reason"),
    [({"Retry-After": "30"}, 30, "retry-after"), ({"retry-after-ms": "30500"}, 30.5, "retry-after"), ({"Retry-After": "1"}, 4, "back-off")],
)
def test_retry_after_wins_when_it_is_longer(headers, wait_s, reason):
    waited, why = back_off(2, ApiError(429, headers=headers), random.Random(1))
    assert (waited, why) == (pytest.approx(wait_s, rel=0.25 if reason == "back-off" else 0), reason)


@pytest.mark.parametrize("streamed", [True, False])
async def test_model_that_breaks_off_before_anything_was_sent_counts_as_502(streamed):
    bench = Bench(a=ScriptedModel([AnswerCut()], ["whole"]))
    assert await bench.say(retry={"on_codes": [502]}, stream=streamed) == " whole"
    assert [event["status"] for event in bench.events("attempt")] == [502, 200]


async def test_stream_is_never_retried_after_its_first_text():
    bench = Bench(a=ScriptedModel(["one two", ApiError(502)], ["again"]))
    with pytest.raises(ApiError):
        await bench.say(retry={"on_codes": [502]}, fallbacks=[{"model": "a"}], stream=True)
    assert len(bench.models["a"].asked) == 1


async def test_answer_in_one_piece_is_retried_as_long_as_nothing_was_sent():
    bench = Bench(a=ScriptedModel(["one two", ApiError(502)], ["again"]))
    assert await bench.say(retry={"on_codes": [502]}) == " again"
    assert bench.models["a"].closed == 2


async def test_retries_used_up_give_the_cut_answer_as_it_was():
    bench = Bench(a=ScriptedModel(["one two", AnswerCut()]))
    said, error = await heard(await bench.begin())
    assert said == " one two"
    assert isinstance(error, AnswerCut)
