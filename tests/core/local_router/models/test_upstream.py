"""Models of upstreams, over loopback HTTP in both directions."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from core.local_router.answer import Call
from core.local_router.models.upstream import upstream_body
from core.local_router.server import LocalRouter
from core.local_router.upstreams import UpstreamConfig
from core.local_router.upstreams.upstream import Dialect
from tests.core.client.byte_server import Answer, ByteServer, serving
from tests.core.local_router.conftest import KEY, UPSTREAM_KEY, Ask
from tests.core.local_router.sse import frames, texts
from tests.core.local_router.upstreams.chat_server import USAGE, ChatServer
from tests.support.conditions import comes_true

V1, V2 = "/v1/completions", "/v2/router/completions"
DONE = b"data: [DONE]\n\n"


def frame(text: str, reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "text": text, "finish_reason": reason}
    return b"data: " + json.dumps({"id": "c", "object": "text_completion", "model": "m", "choices": [choice], **more}).encode() + b"\n\n"


def add(router: LocalRouter, server: ByteServer, **settings: Any) -> None:
    router.upstreams.put(UpstreamConfig(name="bytes", base_url=server.base_url, **settings), SecretStr(UPSTREAM_KEY))


async def post(router: LocalRouter, path: str = V2, **body: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=router.base_url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as http:
        return await http.post(path, json={"model": "bytes/m", "prompt": "Hello", **body})


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def attempts(router: LocalRouter, answer: httpx.Response) -> list[dict[str, Any]]:
    address = f"{router.base_url}/v2/router/traces/{answer.headers['x-router-request-id']}"
    events = httpx.get(address, headers={"Authorization": f"Bearer {KEY}"}).json()["events"]
    return [event for event in events if event["type"] == "attempt"]


@pytest.mark.shows("model")
@pytest.mark.parametrize("path", [V1, V2])
def test_upstream_says_what_it_says_directly(ask: Ask, up, client: httpx.Client, path):
    body = {"prompt": "A function definition", "temperature": 0, "max_tokens": 20, "n": 2, "echo": True, "stop": ["zzz"]}
    direct = client.post(path, json={"model": "local/pydoc", **body}).json()
    routed = ask(path, model="inner/local/pydoc", **body)
    assert {name: routed.json()[name] for name in ("choices", "usage", "system_fingerprint")} == {
        name: direct[name] for name in ("choices", "usage", "system_fingerprint")
    }
    assert routed.json()["model"] == "inner/local/pydoc"
    stream = frames(ask(path, model="inner/local/pydoc", stream=True, **body).text)
    assert list(texts(stream).values()) == [choice["text"] for choice in direct["choices"]]
    assert stream[-1]["usage"] == direct["usage"]
    assert [stream[-2]["choices"][0]["finish_reason"], stream[-1]["choices"][0]["finish_reason"]] == ["length", "length"]
    assert attempts(up, routed)[0]["api"] == "completions"


def test_only_what_such_servers_know_is_sent_and_the_contracts_default_length():
    body = {
        "model": "x/y/z", "prompt": "p", "n": 2, "seed": 3, "stop": None, "user": "u", "temperature": None, "top_p": 0.5, "echo": True,
        "frequency_penalty": 1, "presence_penalty": -1, "stream": True, "thinking": {"type": "adaptive"}, "name": "trace",
        "retry": {"count": 1}, "timeout": {"call_timeout": 5}, "cache": {"type": "exact_match"}, "orq": {"thread": {"id": "t"}},
    }  # fmt: skip
    kept = {name: body[name] for name in body.keys() - {"name", "retry", "timeout", "cache", "orq", "model"}}
    assert upstream_body(Call("x/y/z", body, "me"), "y/z", Dialect()) == {
        **kept,
        "model": "y/z",
        "max_tokens": 16,
        "stream_options": {"include_usage": True},
    }


def test_text_comes_as_the_upstream_says_it_and_not_at_its_end(ask: Ask, up):
    body = {"model": "inner/rehearsal/ok", "stream": True, "prompt": "A class", "max_tokens": 5}
    assert len(frames(ask(**body).text)) == 6  # five pieces, and the end


@pytest.mark.parametrize("streamed", [True, False])
async def test_usage_that_is_not_told_is_not_invented(up: LocalRouter, streamed):
    whole = json.dumps({"choices": [{"index": 0, "text": "ab", "finish_reason": "stop"}]}).encode()
    answer = Answer([frame("a"), frame("b", "stop"), DONE]) if streamed else Answer([whole], content_type="application/json")
    async with serving(answer) as server:
        add(up, server)
        reply = await post(up, stream=streamed)
    last = frames(reply.text)[-1] if streamed else reply.json()
    assert last["usage"] is None
    assert texts(frames(reply.text))[0] == "ab" if streamed else last["choices"][0]["text"] == "ab"


async def test_usage_is_told_as_it_came(up: LocalRouter):
    frames_sent = [frame("a", None), frame("", "stop"), b"data: " + json.dumps({"choices": [], "usage": USAGE}).encode() + b"\n\n", DONE]
    async with serving(Answer(frames_sent)) as server:
        add(up, server)
        assert frames((await post(up, stream=True)).text)[-1]["usage"] == USAGE


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("told", [10**30, 2**64, -4])
async def test_number_of_tokens_that_cannot_be_is_left_out_and_the_answer_comes(up: LocalRouter, told, streamed):
    content = {"choices": [{"index": 0, "text": "a", "finish_reason": "stop"}], "usage": {"prompt_tokens": 3, "completion_tokens": told}}
    sent = json.dumps(content).encode()
    answer = Answer([b"data: " + sent + b"\n\n", DONE]) if streamed else Answer([sent], content_type="application/json")
    async with serving(answer) as server:
        add(up, server)
        reply = await post(up, stream=streamed)
    assert (frames(reply.text)[-1] if streamed else reply.json())["usage"] == {"prompt_tokens": 3}


async def test_strange_reasons_and_halves_of_emoji_become_the_contracts(up: LocalRouter):
    half = b'data: {"choices":[{"index":0,"text":"%s","finish_reason":%s}]}\n\n'
    pieces = [half % (rb"\ud83d", b"null"), half % (rb"\ude00!", b'"eos_token"'), DONE]
    async with serving(Answer(pieces)) as server:
        add(up, server)
        got = frames((await post(up, V1, stream=True)).text)
    assert texts(got)[0] == "😀!"
    assert got[-1]["choices"][0]["finish_reason"] == "stop"


async def test_fewer_choices_than_asked_for_are_what_they_are(up: LocalRouter):
    whole = json.dumps({"choices": [{"index": 0, "text": "one", "finish_reason": "stop"}]}).encode()
    async with serving(Answer([whole], content_type="application/json")) as server:
        add(up, server)
        assert [row["text"] for row in (await post(up, n=3)).json()["choices"]] == ["one"]


FAULTS = {
    "resets": (Answer(ending="reset", headers_sent=False), 502, "provider_error"),
    "says nothing": (Answer(ending="silent", headers_sent=False), 504, "provider_timeout"),
    "falls silent": (Answer([b": hello\n\n"], ending="silent"), 504, "provider_timeout"),
    "sends HTML": (Answer([b"<html><title>Sign in</title>"], content_type="text/html"), 502, "provider_error"),
    "sends a wrong content type": (Answer([frame("a", "stop")], content_type="image/png"), 502, "provider_error"),
    "closes mid-frame": (Answer([frame("a")[:20]], ending="cut"), 502, "provider_error"),
    "sends no JSON": (Answer([b"data: {nope\n\n"]), 502, "provider_error"),
    "ends at once": (Answer([DONE]), 502, "provider_error"),
    "redirects": (Answer(status=307, headers={"location": "http://127.0.0.1:1/"}, framing="length"), 502, "provider_error"),
    "refuses its key": (Answer([b'{"error":{"message":"bad key"}}'], 401, "application/json"), 422, "provider_credential_invalid"),
    "forbids": (Answer([b'{"error":{"message":"no"}}'], 403, "application/json"), 422, "provider_credential_invalid"),
    "has no quota": (Answer([b'{"error":{"message":"no"}}'], 402, "application/json"), 402, "quota_exceeded"),
    "has a conflict": (Answer([b'{"error":{"message":"no"}}'], 409, "application/json"), 409, "conflict"),
    "breaks": (Answer([b"oops"], 500, "text/plain"), 500, "internal_error"),
    "is overloaded": (Answer([b"busy"], 503, "text/plain"), 503, "service_unavailable"),
    "is overloaded as Anthropic is": (Answer([b"busy"], 529, "text/plain"), 529, "provider_overloaded"),
    "is odd": (Answer([b"teapot"], 418, "text/plain"), 502, "provider_error"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("streamed", [True, False])
async def test_upstream_that_fails_before_its_first_text_is_an_error_of_the_contract(up: LocalRouter, fault, streamed):
    answer, status, code = FAULTS[fault]
    async with serving(answer) as server:
        add(up, server, read_timeout_s=0.15)
        reply = await post(up, stream=streamed)
        assert error_of(reply) == (status, code)
        error = reply.json()["error"]
        assert "bytes" in error["message"]
        assert {"code", "message", "param", "type"} <= error.keys()
        with_fallback = await post(up, stream=streamed, fallbacks=[{"model": "local/pydoc"}], fallback_on_codes=[status])
    assert (with_fallback.status_code, with_fallback.headers["x-router-model"]) == (200, "local/pydoc")


CUTS = {
    "resets": (Answer([frame("one"), frame(" two")], ending="reset"), "provider_error"),
    "closes mid-frame": (Answer([frame("one"), frame(" two"), frame(" three")[:30]], ending="cut"), "provider_error"),
    "ends without a reason": (Answer([frame("one"), frame(" two")]), "provider_error"),
    "hangs": (Answer([frame("one"), frame(" two")], ending="silent"), "provider_timeout"),
    "sends no JSON": (Answer([frame("one"), frame(" two"), b"data: <html>\n\n"]), "provider_error"),
    "says an error": (Answer([frame("one"), frame(" two"), b'data: {"error":{"message":"gone","code":429}}\n\n']), "rate_limit_exceeded"),
    "says a choice nobody asked for": (
        Answer([frame("one"), frame(" two"), frame("x").replace(b'"index": 0', b'"index": 7')]),
        "provider_error",
    ),
}


@pytest.mark.parametrize("fault", CUTS)
async def test_stream_that_breaks_keeps_its_text_and_ends_in_an_error_frame(up: LocalRouter, fault):
    answer, code = CUTS[fault]
    async with serving(answer) as server:
        add(up, server, read_timeout_s=0.15)
        reply = await post(up, stream=True, fallbacks=[{"model": "local/pydoc"}], retry={"count": 2})
        whole = await post(up, retry={"count": 1, "on_codes": [502, 504, 429]}, fallbacks=[{"model": "local/pydoc"}])
    events = frames(reply.text)
    assert texts(events[:-1])[0] == "one two"
    assert events[-1]["error"]["code"] == code
    assert reply.headers["x-router-attempts"] == "1"
    assert (whole.status_code, whole.headers["x-router-model"], whole.headers["x-router-attempts"]) == (200, "local/pydoc", "3")


@pytest.mark.parametrize("streamed", [True, False])
async def test_retry_waits_as_long_as_the_upstream_asks(up: LocalRouter, streamed):
    busy = Answer([b'{"error":{"message":"slow down"}}'], 429, "application/json", {"retry-after": "7"})
    async with serving(busy, Answer([frame("fine", "stop"), DONE])) as server:
        add(up, server)
        refused = await post(up, stream=streamed)
        assert (refused.status_code, refused.headers["retry-after"], refused.headers["retry-after-ms"]) == (429, "7", "7000")
    async with serving(busy, Answer([frame("fine", "stop"), DONE])) as server:
        add(up, server)
        reply = await post(up, stream=streamed, retry={"count": 1})
    assert (reply.status_code, reply.headers["x-router-attempts"]) == (200, "2")


async def test_answer_that_falls_silent_ends_at_the_call_timeout(up: LocalRouter):
    async with serving(Answer([frame("a")], ending="silent")) as server:
        add(up, server)
        reply = await post(up, timeout={"call_timeout": 150})
        assert error_of(reply) == (504, "provider_timeout")
        await comes_true(server.client_left.is_set, what="the upstream to be left")


async def test_dead_upstream_is_a_502_and_its_fallback_answers(up: LocalRouter):
    up.upstreams.put(UpstreamConfig(name="bytes", base_url="http://127.0.0.1:9"))
    reply = await post(up)
    assert error_of(reply) == (502, "provider_error")
    assert "Upstream bytes was not reached" in reply.json()["error"]["message"]
    rescued = await post(up, fallbacks=[{"model": "local/pydoc"}])
    assert [(event["target"], event["status"]) for event in attempts(up, rescued)] == [("bytes/m", 502), ("local/pydoc", 200)]


async def leave(up: LocalRouter, *, streamed: bool) -> None:
    """Ask, and hang up once the upstream has begun to answer."""
    async with httpx.AsyncClient(base_url=up.base_url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as http:
        body = {"model": "bytes/m", "prompt": "Hello", "stream": streamed}
        if streamed:
            async with http.stream("POST", V2, json=body) as reply:
                await anext(reply.aiter_bytes())
        else:
            with pytest.raises(httpx.ReadTimeout):
                await http.post(V2, json=body, timeout=0.3)


@pytest.mark.parametrize("streamed", [True, False])
async def test_client_that_leaves_ends_the_upstreams_call_within_100_ms(up: LocalRouter, streamed):
    took_s = [1.0]
    while min(took_s) > 0.1 and len(took_s) < 6:  # the best of five, for other tests run beside this one
        async with serving(Answer([frame("a")], ending="silent")) as server:
            add(up, server)
            await leave(up, streamed=streamed)
            left_at = time.monotonic()
            await comes_true(server.client_left.is_set, what="the upstream to be left")
            took_s.append(time.monotonic() - left_at)
    assert min(took_s) < 0.1


@pytest.mark.parametrize("streamed", [True, False])
def test_server_without_completions_is_asked_over_chat_and_remembered(ask: Ask, up, chat: ChatServer, streamed):
    for _ in range(2):
        reply = ask(model="chat/thinker", prompt="Tell me", n=2, stream=streamed, max_tokens=50)
        assert reply.status_code == 200, reply.text
        said = texts(frames(reply.text)) if streamed else {row["index"]: row["text"] for row in reply.json()["choices"]}
        assert said == {0: " says Tell me 0", 1: " says Tell me 1"}
        last = frames(reply.text)[-1] if streamed else reply.json()
        assert last["usage"] == USAGE
        assert last["choices"][-1]["finish_reason"] == "length"
        assert last["system_fingerprint"] == "fp_9"
        assert last["model"] == "chat/thinker"
        assert last["object"] == "text_completion"
        assert attempts(up, reply)[0]["api"] == "chat"
    (body, again) = chat.bodies("/v1/chat/completions")
    assert body == again
    assert body["messages"] == [{"role": "user", "content": "Tell me"}]
    assert body["model"] == "thinker"
    assert "prompt" not in body


def test_attempt_that_failed_says_which_api_was_asked_last_and_how_it_came_to_that(ask: Ask, up, chat: ChatServer):
    chat.refuses = {"temperature": "temperature is not supported"}
    first = ask(model="chat/thinker", stream=True)
    assert first.status_code == 400
    (event,) = attempts(up, first)
    assert (event["api"], event["switched"]) == ("chat", [{"status": 404, "to": "chat"}])
    chat.refuses = {}
    assert "switched" in attempts(up, ask(model="chat/thinker"))[0]
    assert "switched" not in attempts(up, ask(model="chat/thinker"))[0]  # remembered
    chat.refuses = {"stream_options": "stream_options?", "max_tokens": "use max_completion_tokens"}
    (event,) = attempts(up, ask(model="chat/thinker", stream=True))
    assert event["status"] == 200
    assert event["switched"] == [{"status": 400, "to": "no stream_options"}, {"status": 400, "to": "max_completion_tokens"}]


async def test_attempt_at_a_server_that_is_not_there_or_silent_says_its_api_too(up: LocalRouter):
    up.upstreams.put(UpstreamConfig(name="bytes", base_url="http://127.0.0.1:9"), SecretStr(UPSTREAM_KEY))
    assert attempts(up, await post(up))[0]["api"] == "completions"
    async with serving(Answer(ending="silent", headers_sent=False)) as server:
        add(up, server, chat=True)
        late = await post(up, timeout={"call_timeout": 50})
    assert late.status_code == 504
    assert attempts(up, late)[0]["api"] == "chat"


@pytest.mark.shows("thinking.type", "thinking.budget_tokens", "thinking.thinking_level")
@pytest.mark.parametrize(
    "thinking",
    [{"type": "adaptive"}, {"type": "disabled"}, {"type": "enabled", "budget_tokens": 1024, "thinking_level": "low"}, None],
    ids=str,
)
def test_thinking_is_passed_on_as_it_is(ask: Ask, up, chat: ChatServer, thinking):
    assert ask(model="chat/thinker", thinking=thinking, max_tokens=2_000).status_code == 200
    assert chat.requests[-1][1]["thinking"] == thinking


def test_echo_over_chat_is_done_by_the_router(ask: Ask, up, chat: ChatServer):
    for streamed in (True, False):
        reply = ask(model="chat/thinker", prompt="Tell me", n=2, echo=True, stream=streamed)
        said = texts(frames(reply.text)) if streamed else {row["index"]: row["text"] for row in reply.json()["choices"]}
        assert said == {0: "Tell me says Tell me 0", 1: "Tell me says Tell me 1"}
    assert all("echo" not in body for body in chat.bodies("/v1/chat/completions"))


def test_what_a_chat_server_refuses_is_asked_otherwise_once(ask: Ask, up, chat: ChatServer):
    chat.refuses = {
        "max_tokens": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        "stream_options": "Unknown field stream_options.",
    }
    assert ask(model="chat/thinker", stream=True, max_tokens=30).status_code == 200
    asked = len(chat.requests)
    assert ask(model="chat/thinker", stream=True, max_tokens=30).status_code == 200
    assert len(chat.requests) == asked + 1
    assert chat.requests[-1][1]["max_completion_tokens"] == 30
    assert "stream_options" not in chat.requests[-1][1]


def test_other_refusals_of_a_field_are_the_clients_to_read(ask: Ask, up, chat: ChatServer):
    chat.refuses = {"seed": "There is no seed here."}
    reply = ask(model="chat/thinker", seed=4)
    assert error_of(reply) == (400, "invalid_request_body")
    assert reply.json()["error"]["message"] == "Upstream chat answered 400: There is no seed here."
    assert reply.json()["error"]["param"] == "seed"


def test_upstream_that_may_not_chat_is_not_asked_to(ask: Ask, up: LocalRouter, chat: ChatServer):
    up.upstreams.put(UpstreamConfig(name="chat", base_url=chat.base_url, chat=False), SecretStr(UPSTREAM_KEY))
    assert error_of(ask(model="chat/thinker")) == (404, "model_not_found")
    up.upstreams.put(UpstreamConfig(name="chat", base_url=chat.base_url, chat=True), SecretStr(UPSTREAM_KEY))
    assert ask(model="chat/thinker").status_code == 200
    assert [path for path, _ in chat.requests] == ["/v1/chat/completions"]


def test_model_that_the_upstream_does_not_have_is_a_404_that_is_not_remembered_as_chat(ask: Ask, up):
    reply = ask(model="inner/nobody/nothing")
    assert error_of(reply) == (404, "model_not_found")
    assert "Upstream inner" in reply.json()["error"]["message"]


def test_answers_of_upstreams_are_cached_with_their_usage(ask: Ask, up, chat: ChatServer):
    cached = {"cache": {"type": "exact_match"}}
    first, again = (ask(model="chat/thinker", prompt="Tell me", **cached).json() for _ in range(2))
    assert (first["choices"], first["usage"]) == (again["choices"], again["usage"])
    assert len(chat.requests) == 1
