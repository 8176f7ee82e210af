"""The three addresses over loopback HTTP, read strictly."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.local_router.sse import frames, stream, texts, whole

ADDRESSES = ["/v2/router/completions", "/v3/router/completions", "/v1/completions"]
HELD_FIXTURE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def usage(completion: dict) -> tuple[int, int, int]:
    counts = completion["usage"]
    return counts["prompt_tokens"], counts["completion_tokens"], counts["total_tokens"]


@pytest.mark.parametrize("path", ADDRESSES)
def test_completion_has_the_contracts_shape(client: httpx.Client, path, greedy: str):
    completion = whole(client, path, prompt="A function definition", temperature=0, max_tokens=12)
    assert completion["object"] == "text_completion"
    assert completion["model"] == "local/pydoc"
    assert completion["choices"] == [{"index": 0, "text": greedy, "finish_reason": "length"}]
    assert usage(completion) == (3, 12, 15)
    assert isinstance(completion["created"], int)
    assert completion["id"]


def test_nothing_but_model_and_prompt_is_needed(client: httpx.Client):
    assert usage(whole(client, prompt="A function definition"))[1] <= 16


def test_nulls_mean_the_defaults(client: httpx.Client):
    nulls = dict.fromkeys(["echo", "frequency_penalty", "max_tokens", "presence_penalty", "stop", "temperature", "top_p", "n", "thinking"])
    assert whole(client, **nulls, seed=7)["choices"] == whole(client, seed=7)["choices"]


def test_fields_that_say_nothing_to_the_model_change_nothing(client: httpx.Client):
    labels = {"user": "u-1", "name": "trace", "orq": {}, "fallbacks": [], "thinking": {"type": "disabled"}, "stream": False}
    assert whole(client, **labels, seed=7)["choices"] == whole(client, seed=7)["choices"]


@pytest.mark.parametrize("path", ADDRESSES[:2])
def test_every_frame_has_a_finish_reason_and_only_the_last_one_tells(client: httpx.Client, path):
    reasons = [frame["choices"][0]["finish_reason"] for frame in stream(client, path, temperature=0, max_tokens=12)]
    assert reasons == ["stop"] * 11 + ["length"]


def test_openais_address_says_null_until_the_last_frame(client: httpx.Client):
    reasons = [frame["choices"][0]["finish_reason"] for frame in stream(client, "/v1/completions", temperature=0, max_tokens=12)]
    assert reasons == [None] * 11 + ["length"]


@pytest.mark.parametrize("accept", ["application/json;q=1, text/event-stream;q=0", "text/event-stream", "*/*"])
def test_format_follows_the_body_and_never_accept(client: httpx.Client, accept):
    body = {"model": "local/pydoc", "prompt": "A class"}
    kinds = [
        client.post(ADDRESSES[0], json=body | extra, headers={"Accept": accept}).headers["content-type"]
        for extra in ({}, {"stream": False}, {"stream": True})
    ]
    assert kinds == ["application/json", "application/json", "text/event-stream; charset=utf-8"]


def test_headers_tell_how_it_was_routed(client: httpx.Client):
    for streamed in (True, False):
        answer = client.post(ADDRESSES[0], json={"model": "local/pydoc-3", "prompt": "A", "stream": streamed})
        routed = {name: answer.headers[f"x-router-{name}"] for name in ("model", "attempts", "cache")}
        assert routed == {"model": "local/pydoc-3", "attempts": "1", "cache": "bypass"}
        assert answer.headers["x-router-request-id"].startswith("req_")
    assert answer.headers["x-router-request-id"] != client.get("/healthz").headers["x-router-request-id"]


def test_stream_may_not_be_buffered_or_stored(client: httpx.Client):
    answer = client.post(ADDRESSES[0], json={"model": "local/pydoc", "prompt": "A", "stream": True})
    assert answer.headers["cache-control"] == "no-cache, no-transform"
    assert answer.headers["x-accel-buffering"] == "no"


def test_usage_stands_once_on_the_last_frame(client: httpx.Client):
    sent = stream(client, n=3, max_tokens=10, temperature=0)
    assert ["usage" in frame for frame in sent] == [False] * (len(sent) - 1) + [True]
    assert usage(sent[-1]) == (2, 30, 32)


def test_choices_interleave_and_each_finishes_once(client: httpx.Client):
    sent = [frame["choices"][0] for frame in stream(client, "/v1/completions", n=3, max_tokens=8, seed=1, echo=True)]
    assert [choice["index"] for choice in sent[:6]] == [0, 1, 2, 0, 1, 2]
    assert [choice["index"] for choice in sent if choice["finish_reason"]] == [0, 1, 2]


@given(
    seed=st.integers(-5, 10**12),
    n=st.integers(1, 3),
    stops=st.lists(st.sampled_from([" the", "s an", ".  ", "\n", "e", " def"]), max_size=4),
)
@HELD_FIXTURE
def test_stream_says_what_the_whole_answer_says_and_no_stop(client: httpx.Client, seed, n, stops):
    asked = {"seed": seed, "n": n, "stop": stops, "max_tokens": 30}
    completion, sent = whole(client, **asked), stream(client, **asked)
    assert texts(sent) == {choice["index"]: choice["text"] for choice in completion["choices"]}
    last = {choice["index"]: choice["finish_reason"] for frame in sent for choice in frame["choices"]}
    assert last == {choice["index"]: choice["finish_reason"] for choice in completion["choices"]}
    assert sent[-1]["usage"] == completion["usage"]
    assert not any(stop in text for stop in stops for text in texts(sent).values())


def test_stop_may_be_one_text(client: httpx.Client, greedy: str):
    asked = {"prompt": "A function definition", "temperature": 0, "max_tokens": 12}
    stop = greedy.split()[3]
    one, listed = whole(client, **asked, stop=stop), whole(client, **asked, stop=["never", stop])
    assert one["choices"] == listed["choices"] == [{"index": 0, "text": greedy.partition(stop)[0], "finish_reason": "stop"}]


@pytest.mark.parametrize(
    "field", [{"temperature": 0.2}, {"top_p": 0.2}, {"frequency_penalty": 2}, {"presence_penalty": 2}, {"seed": 6}, {"echo": True}]
)
def test_each_sampling_field_reaches_the_model(client: httpx.Client, field):
    asked = {"seed": 5, "temperature": 1.3, "max_tokens": 60, "model": "local/pydoc-1"}
    assert whole(client, **asked | field)["choices"] != whole(client, **asked)["choices"]


def test_models_of_lower_order_say_something_else(client: httpx.Client):
    said = {
        whole(client, model=model, temperature=0, prompt="A function definition")["choices"][0]["text"]
        for model in ("local/pydoc", "local/pydoc-3", "local/pydoc-1")
    }
    assert len(said) == 3


def test_unknown_words_cost_tokens_too(client: httpx.Client):
    prompts = ["A class", "A class qzxv", "A class 漢字"]
    counts = [usage(whole(client, prompt=prompt))[0] for prompt in prompts]
    assert counts[0] == 2
    assert counts[1] > 3
    assert counts[2] == 9  # a space, and three bytes each


def test_prompt_is_counted_once_for_all_choices(client: httpx.Client):
    assert usage(whole(client, n=4, max_tokens=5, temperature=0)) == (2, 20, 22)


@pytest.mark.parametrize("prompt", ["", " ", "\n\n", "\u202eשלום עולם", "😀" * 50, "\0", "a\r\nb"])
def test_any_text_can_be_a_prompt_and_comes_back_whole(client: httpx.Client, prompt):
    asked = {"prompt": prompt, "echo": True, "max_tokens": 3, "seed": 1}
    assert whole(client, **asked)["choices"][0]["text"].startswith(prompt)
    assert texts(stream(client, **asked))[0].startswith(prompt)


def test_float_numbers_that_are_whole_count_as_integers(client: httpx.Client):
    asked = json.dumps({"model": "local/pydoc", "prompt": "A class", "max_tokens": 4.0, "n": 2.0, "seed": 3.0})
    answer = client.post(ADDRESSES[0], content=asked)
    assert answer.json()["choices"] == whole(client, max_tokens=4, n=2, seed=3)["choices"]


def test_long_prompt_is_taken(client: httpx.Client):
    completion = whole(client, prompt="The class. " * 40_000, max_tokens=2)
    assert usage(completion)[0] == 120_001


def test_whole_stream_is_well_formed_when_the_model_ends_its_text(client: httpx.Client):
    for seed in range(60):
        answer = client.post(
            "/v1/completions", json={"model": "local/pydoc", "prompt": "A", "stream": True, "seed": seed, "max_tokens": 2_000}
        )
        last = frames(answer.text)[-1]
        if last["choices"][0]["finish_reason"] == "stop":
            assert last["usage"]["completion_tokens"] < 2_000
            return
    pytest.fail("the model never ended its text")
