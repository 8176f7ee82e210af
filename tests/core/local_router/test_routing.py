"""Routing over loopback HTTP, with rehearsal models; back-off passes at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from core.local_router.clock import Clock
from core.local_router.server import LocalRouter
from tests.core.local_router.conftest import KEY
from tests.core.local_router.fakes import at_once
from tests.core.local_router.sse import frames, texts
from tests.support.conditions import eventually

PATH = "/v2/router/completions"
ASKED = {"model": "local/pydoc", "prompt": "A function definition", "temperature": 0, "max_tokens": 12}
CACHE = {"cache": {"type": "exact_match"}}


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {KEY}"}
    with (
        LocalRouter(api_key=KEY, pace=0, clock=Clock(sleep=at_once)).running() as router,
        httpx.Client(base_url=router.base_url, headers=headers, timeout=30) as client,
    ):
        yield client


def routed(answer: httpx.Response) -> tuple[str, str, str]:
    return answer.headers["x-router-model"], answer.headers["x-router-attempts"], answer.headers["x-router-cache"]


def trace_of(client: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    found = client.get(f"/v2/router/traces/{answer.headers['x-router-request-id']}")
    assert found.status_code == 200, found.text
    trace: dict[str, Any] = found.json()
    return trace


def said(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    if answer.headers["content-type"] == "application/json":
        return str(answer.json()["choices"][0]["text"])
    return texts(frames(answer.text))[0]


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("path", [PATH, "/v3/router/completions", "/v1/completions"])
def test_every_policy_together_over_each_address(client: httpx.Client, greedy: str, path, streamed):
    body = ASKED | {
        "model": "local/pydoc-1",
        "load_balancer": {"type": "weight_based", "models": [{"model": "rehearsal/429-503"}]},
        "retry": {"count": 1},
        "fallbacks": [{"model": "rehearsal/529"}, {"model": "local/pydoc"}],
        "timeout": {"call_timeout": 10_000},
        "stream": streamed,
        **CACHE,
    }
    first, again = client.post(path, json=body), client.post(path, json=body)
    assert said(first) == said(again) == greedy
    assert routed(first) == ("local/pydoc", "4", "miss")
    assert routed(again) == ("local/pydoc", "0", "hit")
    attempts = [event for event in trace_of(client, first)["events"] if event["type"] == "attempt"]
    assert [(event["target"], event["status"]) for event in attempts] == [
        ("rehearsal/429-503", 429),
        ("rehearsal/429-503", 503),
        ("rehearsal/529", 529),
        ("local/pydoc", 200),
    ]


@pytest.mark.parametrize("streamed", [True, False])
def test_last_error_is_a_status_with_the_headers_of_its_attempts(client: httpx.Client, streamed):
    body = ASKED | {"model": "rehearsal/503", "fallbacks": [{"model": "rehearsal/429"}], "retry": {"count": 2}, "stream": streamed, **CACHE}
    answer = client.post(PATH, json=body)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert routed(answer) == ("rehearsal/429", "4", "miss")
    trace = trace_of(client, answer)
    assert (trace["state"], trace["status"], trace["attempts"]) == ("failed", 429, 4)


@pytest.mark.parametrize("streamed", [True, False])
def test_slow_attempt_is_given_up_for_the_fallback(client: httpx.Client, greedy: str, streamed):
    body = ASKED | {
        "model": "rehearsal/slow-60000ms",
        "timeout": {"call_timeout": 300},
        "fallbacks": [{"model": "local/pydoc"}],
        "stream": streamed,
    }
    begun = time.monotonic()
    assert said(client.post(PATH, json=body)) == greedy
    assert time.monotonic() - begun < 45


def test_stream_that_fails_after_its_first_text_ends_in_an_error_frame(client: httpx.Client):
    body = ASKED | {
        "model": "rehearsal/error-after-4",
        "fallbacks": [{"model": "local/pydoc"}],
        "retry": {"on_codes": [502]},
        "stream": True,
    }
    answer = client.post(PATH, json=body)
    *sent, last = frames(answer.text)
    assert (len(sent), last["error"]["code"]) == (4, "provider_error")
    assert routed(answer) == ("rehearsal/error-after-4", "1", "bypass")
    assert trace_of(client, answer)["status"] == 502


def test_stream_past_its_limit_ends_in_an_error_frame(client: httpx.Client):
    body = {"model": "local/pydoc-1", "prompt": "A", "max_tokens": 100_000, "n": 16, "temperature": 0, "stream": True}
    last = frames(client.post(PATH, json=body | {"timeout": {"call_timeout": 300}}).text)[-1]
    assert last["error"]["code"] == "provider_timeout"


@pytest.mark.parametrize("model", ["rehearsal/cut-after-0-ok", "rehearsal/malformed-after-0-ok", "rehearsal/error-after-0-ok"])
def test_model_that_breaks_off_before_its_first_text_is_retried_in_a_stream(client: httpx.Client, greedy: str, model):
    answer = client.post(PATH, json=ASKED | {"model": model, "retry": {"on_codes": [502]}, "stream": True})
    assert said(answer) == greedy
    assert answer.headers["x-router-attempts"] == "2"


async def test_identical_requests_at_once_share_one_call():
    with LocalRouter(api_key=KEY, pace=50).running() as router:
        async with httpx.AsyncClient(base_url=router.base_url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as client:
            body = ASKED | CACHE | {"stream": True, "temperature": 1.5, "max_tokens": 20}
            answers = await asyncio.gather(*(client.post(PATH, json=body) for _ in range(4)))
    assert len({said(answer) for answer in answers}) == 1
    assert sorted(answer.headers["x-router-cache"] for answer in answers) == ["hit", "hit", "hit", "miss"]
    assert sum(int(answer.headers["x-router-attempts"]) for answer in answers) == 1


def test_client_that_leaves_a_cached_stream_stops_the_model(client: httpx.Client):
    body = {"model": "local/pydoc-1", "prompt": "A", "max_tokens": 100_000, "n": 16, "temperature": 0, "stream": True, **CACHE}
    with client.stream("POST", PATH, json=body) as answer:
        next(answer.iter_raw())
    eventually(lambda: trace_of(client, answer)["state"] == "cancelled", what="the trace to end")
    assert client.get("/healthz").json()["under_way"] == 0


def test_trace_needs_the_key_and_an_id_that_exists(client: httpx.Client):
    answer = client.post(PATH, json=ASKED)
    path = f"/v2/router/traces/{answer.headers['x-router-request-id']}"
    assert client.get(path, headers={"Authorization": "Bearer sk-wrong"}).status_code == 401
    assert client.get("/v2/router/traces/req_0").json()["error"]["code"] == "not_found"


def test_trace_is_its_senders_however_bearer_is_spelt(client: httpx.Client):
    answer = client.post("/v2/router/completions", json={"model": "local/pydoc-1", "prompt": "A", "max_tokens": 1})
    headers = {"Authorization": f"bearer  {KEY}"}
    assert client.get(f"/v2/router/traces/{answer.headers['x-router-request-id']}", headers=headers).status_code == 200


def test_trace_holds_labels_and_neither_prompt_nor_key(client: httpx.Client):
    body = ASKED | {"prompt": "A canary-prompt", "user": "u-1", "orq": {"name": "nightly", "contact": {"id": "c"}, "thread": {"id": "t"}}}
    answer = client.post(PATH, json=body)
    trace = trace_of(client, answer)
    assert (trace["name"], trace["user"], trace["identity"], trace["thread"]) == ("nightly", "u-1", {"id": "c"}, {"id": "t"})
    text = client.get(f"/v2/router/traces/{trace['id']}").text
    assert "canary-prompt" not in text
    assert KEY not in text
    assert said(answer).split()[0] not in text


def test_deep_and_large_labels_do_no_harm(client: httpx.Client):
    deep: dict[str, Any] = {}
    for _ in range(400):
        deep = {"a": deep}
    answer = client.post(PATH, json=ASKED | {"orq": {"identity": {"id": "i", "metadata": [deep, {"big": 10**40}]}}})
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        trace_of(client, answer)


def test_model_name_that_no_header_can_carry_is_answered(client: httpx.Client):
    answer = client.post(PATH, json=ASKED | {"model": "モデル\n" * 100})
    assert answer.status_code == 404
    assert answer.headers["x-router-attempts"] == "1"
