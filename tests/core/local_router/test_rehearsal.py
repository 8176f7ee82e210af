from __future__ import annotations

import json
from collections import deque

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.local_router.answer import Answer, Call
from core.local_router.api_error import ApiError
from core.local_router.generation import unpaced
from core.local_router.models.rehearsal import SCRIPTS_REMEMBERED, STATUSES, RehearsalModel, Step, parse_script
from tests.core.local_router.sse import DONE, frames, stream, texts, whole

PATH = "/v2/router/completions"


def say(client: httpx.Client, script: str, **body) -> httpx.Response:
    return client.post(PATH, json={"model": f"rehearsal/{script}", "prompt": "A class", "temperature": 0, **body})


@pytest.mark.parametrize(
    ("script", "steps"),
    [
        ("429", [Step("status", status=429)]),
        ("503-503-ok", [Step("status", status=503), Step("status", status=503), Step("ok")]),
        ("slow-5000ms", [Step("ok", 5000)]),
        ("429-slow-20ms", [Step("status", status=429), Step("ok", 20)]),
        ("slow-20ms-503-ok", [Step("status", 20, 503), Step("ok")]),
        ("cut-after-20", [Step("cut", after=20)]),
        ("malformed-after-5", [Step("malformed", after=5)]),
        ("slow-1ms-error-after-0-ok", [Step("error", 1, after=0), Step("ok")]),
        ("content-filter", [Step("content-filter", after=8)]),
        ("content-filter-after-3-content-filter-ok", [Step("content-filter", after=3), Step("content-filter", after=8), Step("ok")]),
    ],
)
def test_script_is_read_step_by_step(script, steps):
    assert parse_script(script) == tuple(steps)


@pytest.mark.parametrize(
    "script",
    [
        "",
        "-",
        "ok-",
        "-ok",
        "okay",
        "200",
        "418",
        "5000ms",
        "slow-5s",
        "slow-5ms-slow-5ms",
        "slow-600001ms",
        "cut-after",
        "cut-after-x",
        "503ok",
        "ok--ok",
        "ok-" * 100 + "ok",
    ],
)
def test_script_that_makes_no_sense_is_refused(script):
    with pytest.raises(ValueError, match=r".+"):
        parse_script(script)


outcomes = st.one_of(
    st.just("ok"),
    st.sampled_from(STATUSES).map(str),
    st.builds("{}-after-{}".format, st.sampled_from(["cut", "malformed", "error", "content-filter"]), st.integers(0, 999_999)),
    st.just("content-filter"),
)


@settings(deadline=None)
@given(st.lists(st.builds("{}{}".format, st.sampled_from(["", "slow-0ms-", "slow-250ms-"]), outcomes), min_size=1, max_size=6))
def test_every_step_of_a_script_is_kept(steps):
    assert [parse_script(step) for step in steps] == [(step,) for step in parse_script("-".join(steps))]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("streamed", [False, True])
def test_status_is_answered_in_the_contracts_form(client: httpx.Client, status, streamed):
    answer = say(client, str(status), stream=streamed)
    assert answer.status_code == status
    assert {"code", "message", "param", "type"} <= set(answer.json()["error"])
    assert str(status) in answer.json()["error"]["message"]


def test_refusal_of_a_model_tells_which_model_was_asked(client: httpx.Client):
    assert say(client, "503").headers["x-router-model"] == "rehearsal/503"


def test_too_many_requests_say_when_to_come_back(client: httpx.Client):
    headers = say(client, "429").headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("1", "1000")
    assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= set(headers)


def test_sequence_is_played_in_order_and_begins_anew(client: httpx.Client):
    assert [say(client, "503-502-ok").status_code for _ in range(7)] == [503, 502, 200, 503, 502, 200, 503]


class Speaker:
    async def answer(self, call: Call) -> Answer:
        return Answer(call.model, "f", 1, unpaced(iter(())))


async def outcome(model: RehearsalModel, caller: str, script: str = "429-ok") -> str:
    try:
        await model.answer(Call(f"rehearsal/{script}", {}, caller))
    except ApiError as error:
        return error.code
    return "ok"


async def test_each_caller_and_each_script_has_a_sequence_of_its_own():
    model = RehearsalModel(Speaker())
    assert [await outcome(model, caller) for caller in "abaab"] == [
        "rate_limit_exceeded",
        "rate_limit_exceeded",
        "ok",
        "rate_limit_exceeded",
        "ok",
    ]
    assert await outcome(model, "a", "503-ok") == "service_unavailable"


async def test_scripts_played_longest_ago_are_forgotten():
    model = RehearsalModel(Speaker())
    await outcome(model, "first")
    for number in range(SCRIPTS_REMEMBERED):
        await outcome(model, str(number))
    assert await outcome(model, "first") == "rate_limit_exceeded"


async def test_slow_script_waits_as_long_as_it_says():
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    model = RehearsalModel(Speaker(), sleep)
    assert [await outcome(model, "a", "slow-5000ms-429-slow-250ms") for _ in range(2)] == ["rate_limit_exceeded", "ok"]
    assert waited == [5, 0.25]


def test_slow_answer_is_a_whole_answer(client: httpx.Client):
    assert texts(frames(say(client, "slow-30ms", stream=True).text))[0] == whole(client, temperature=0)["choices"][0]["text"]


@pytest.mark.parametrize("max_tokens", [40, 20, 7])
def test_cut_stream_ends_without_done_after_its_tokens_or_a_shorter_answer(client: httpx.Client, max_tokens):
    parts: list[bytes] = []
    asked = {"model": "rehearsal/cut-after-20", "prompt": "A class", "temperature": 0, "stream": True, "max_tokens": max_tokens}
    with client.stream("POST", PATH, json=asked) as answer, pytest.raises(httpx.RemoteProtocolError):
        deque(map(parts.append, answer.iter_raw()), maxlen=0)
    body = b"".join(parts)
    events = body.decode().strip().split("\n\n")
    assert DONE not in events
    assert len(events) == min(20, max_tokens)
    assert [json.loads(event[6:])["choices"][0]["finish_reason"] for event in events] == ["stop"] * len(events)
    assert "usage" not in body.decode()


def test_cut_answer_in_one_piece_breaks_off(client: httpx.Client):
    with pytest.raises(httpx.RemoteProtocolError):
        say(client, "cut-after-3")


def test_malformed_stream_has_a_frame_that_is_no_json_after_its_tokens(client: httpx.Client):
    *events, broken, done, _ = say(client, "malformed-after-5", stream=True).text.split("\n\n")
    assert [len(json.loads(event[6:])["choices"]) for event in events] == [1] * 5
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken.removeprefix("data: "))
    assert done == DONE


def test_malformed_answer_in_one_piece_is_no_json(client: httpx.Client):
    with pytest.raises(json.JSONDecodeError):
        say(client, "malformed-after-5").json()


def test_error_in_a_stream_comes_after_its_tokens(client: httpx.Client):
    *sent, last = frames(say(client, "error-after-4", stream=True).text)
    assert len(texts(sent)[0]) > 0
    assert len(sent) == 4
    assert last["error"]["code"] == "provider_error"


def test_error_after_tokens_is_a_status_when_not_streamed(client: httpx.Client):
    assert say(client, "error-after-4").status_code == 502


@pytest.mark.parametrize(
    ("script", "after"),
    [("content-filter", 8), ("content-filter-after-3", 3), ("content-filter-after-0", 0), ("content-filter-after-99", 20)],
)
def test_filtered_choices_end_where_the_script_says(client: httpx.Client, script, after):
    asked = {"n": 2, "max_tokens": 20}
    free = whole(client, temperature=0, max_tokens=max(after, 1))["choices"][0]["text"] if after else ""
    answer = say(client, script, **asked).json()
    assert [choice["finish_reason"] for choice in answer["choices"]] == ["content_filter"] * 2
    assert [choice["text"] for choice in answer["choices"]] == [free] * 2
    assert answer["usage"]["completion_tokens"] == 2 * after
    sent = frames(say(client, script, **asked, stream=True).text)
    assert set(texts(sent).values()) == {free}
    assert sent[-1]["usage"] == answer["usage"]


@pytest.mark.parametrize("script", ["nonsense", "ok-", "418", ""])
def test_unknown_script_is_told_what_there_is(client: httpx.Client, script):
    answer = say(client, script)
    assert answer.status_code == 404
    said = answer.json()["error"]
    assert (said["code"], said["param"]) == ("model_not_found", "model")
    assert "cut-after-<N>" in said["message"]


def test_sampling_parameters_act_in_a_rehearsal_too(client: httpx.Client):
    assert stream(client, model="rehearsal/ok", seed=4, echo=True, max_tokens=5)[0]["choices"][0]["text"] == "A class"
