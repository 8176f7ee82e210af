"""What the client sends, and what it makes of good answers; over real loopback HTTP."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
import zlib
from typing import Any

import httpx
import pytest

from core.client.client import RouterClient, encode_body, models_path
from core.client.reply import RAW_LIMIT, Reply
from core.connection import Connection
from core.contract.request import parse_request
from core.contract.response import Choice, Completion, CompletionChunk
from core.errors import InvalidRequest, RouterRejected, StreamBroken
from tests.core.client.byte_server import Answer, ByteServer, recording, recordings, serving

BODY = {"model": "m", "prompt": "Grüße 😀", "max_tokens": 16, "stream": True}
DONE = b"data: [DONE]\n\n"


def frame(text: str, index: int = 0, **fields: Any) -> bytes:
    choice = {"index": index, "text": text, "finish_reason": None}
    return b"data: " + json.dumps({"id": "1", "choices": [choice], **fields}).encode() + b"\n\n"


async def completed(server: ByteServer, **settings: Any) -> Completion:
    async with RouterClient(server.connection(**settings)) as client:
        return await client.complete(BODY)


async def read(server: ByteServer, **settings: Any) -> tuple[list[CompletionChunk], Reply]:
    async with RouterClient(server.connection(**settings)) as client, client.stream(BODY) as reply:
        return [chunk async for chunk in reply], reply


async def test_the_body_leaves_byte_for_byte_with_the_key_and_nothing_else_added() -> None:
    async with serving(recording("01_").answer()) as server:
        await completed(server)
    (sent,) = server.requests
    assert (sent.method, sent.path) == ("POST", "/v2/router/completions")
    assert sent.body == '{"model":"m","prompt":"Grüße 😀","max_tokens":16,"stream":true}'.encode() == encode_body(BODY)
    assert sent.headers["authorization"] == "Bearer sk-canary-0123456789"
    assert sent.headers["accept"] == "text/event-stream, application/json"
    assert sent.headers["accept-encoding"] == "identity"
    assert sent.headers["content-type"] == "application/json"


async def test_path_and_headers_are_the_connections_but_its_key_wins() -> None:
    headers = {"x-team": "a b", "ACCEPT": "application/json", "authorization": "Bearer other"}
    async with serving(recording("01_").answer()) as server:
        await completed(server, path="/v1/completions", headers=headers, base_url=f"{server.base_url}/deep/")
        await completed(server, key=None, headers=headers)
        await completed(server, key=" sk-pasted \n", headers={})
        await completed(server, key=None)
    first, second, third, fourth = server.requests
    assert first.path == "/deep/v1/completions"
    assert (first.headers["x-team"], first.headers["accept"]) == ("a b", "application/json")
    assert first.headers["authorization"] == "Bearer sk-canary-0123456789"
    assert second.headers["authorization"] == "Bearer other"
    assert third.headers["authorization"] == "Bearer sk-pasted"
    assert "authorization" not in fourth.headers


def test_a_typed_request_is_sent_as_it_was_given() -> None:
    text = '{"model":"a/b","prompt":"p","max_tokens":16.0,"stop":null,"orq":{"retry":{"count":2}}}'
    assert encode_body(parse_request(text)) == b'{"model":"a/b","prompt":"p","max_tokens":16,"stop":null,"orq":{"retry":{"count":2}}}'
    assert encode_body({"seed": 2**70, "x": [1.5, True, None]}) == b'{"seed":1180591620717411303424,"x":[1.5,true,null]}'


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ({"prompt": "a\ud83d"}, "prompt", "half of a character"),
        ({"orq": {"knowledge_bases": [{}, {"query": "\udc00"}]}}, "orq.knowledge_bases.1.query", "half of a character"),
        ({"temperature": float("nan")}, "temperature", "finite"),
        ({"a": (1, float("-inf"))}, "a.1", "finite"),
        ({"a": {1, 2}}, "a", "not a JSON value"),
        ({"a": deep(100_000)}, "", "nested too deeply"),
        ({"\ud83d": 1}, "", "cannot be written"),
    ],
)
async def test_what_json_cannot_carry_is_refused_with_its_place_and_nothing_is_sent(body: dict[str, Any], path: str, message: str) -> None:
    async with serving(recording("01_").answer()) as server, RouterClient(server.connection()) as client:
        with pytest.raises(InvalidRequest, match=message) as caught:
            await client.complete(body)
    assert [problem.path for problem in caught.value.problems] == [path]
    assert server.requests == []


async def test_one_completion_is_read_with_its_raw_body() -> None:
    async with serving(recording("01_").answer()) as server:
        completion = await completed(server)
    assert completion.choices == (Choice(0, " Hello", "stop"),)
    assert completion.raw == json.loads(recording("01_").body)


async def test_an_answer_in_one_piece_is_iterated_as_its_only_chunk() -> None:
    async with serving(recording("02_").answer()) as server:
        chunks, reply = await read(server)
    assert [chunk.choices for chunk in chunks] == [(Choice(0, " Hello", "stop"),)]
    assert not reply.streamed
    assert reply.raw == recording("02_").body


GOOD_STREAMS = [item for item in recordings("text/event-stream") if item.case[:2] not in ("13", "15")]


@pytest.mark.parametrize("recorded", GOOD_STREAMS, ids=lambda item: item.case)
@pytest.mark.parametrize("size", [1, 10, 1_000_000])
async def test_recorded_streams_are_read_whatever_the_chunks(recorded: Any, size: int) -> None:
    pieces = [recorded.body[at : at + size] for at in range(0, len(recorded.body), size)]
    async with serving(Answer(pieces, content_type="text/event-stream; charset=utf-8")) as server:
        chunks, reply = await read(server)
    text = "".join(choice.text for chunk in chunks for choice in chunk.choices if choice.index == 0)
    assert text == {"20": "x", "80": "x", "82": "x", "83": "x", "84": "", "87": "a", "07": "Hel", "09": "Hel"}.get(
        recorded.case[:2], "Hello"
    )
    assert reply.completion().choices[:1] == ((Choice(0, text, "stop"),) if chunks else ())
    assert reply.streamed
    assert recorded.body.startswith(reply.raw)


async def test_the_answers_content_type_tells_the_format_whatever_was_asked() -> None:
    async with serving(recording("18_").answer(), recording("02_").answer()) as server, RouterClient(server.connection()) as client:
        merged = await client.complete({**BODY, "stream": False})
        whole = await client.complete({**BODY, "stream": True})
    assert merged.choices == (Choice(0, "Hello", "stop"),)
    assert merged.raw is None
    assert whole.choices == (Choice(0, " Hello", "stop"),)


@pytest.mark.parametrize("content_type", ["Text/Event-Stream;charset=UTF-8", "text/event-stream ; x=y"])
async def test_a_stream_is_known_by_its_type_alone(content_type: str) -> None:
    async with serving(Answer([frame("a"), DONE], content_type=content_type)) as server:
        assert (await read(server))[1].streamed


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/problem+json", None])
async def test_a_completion_is_known_by_any_json_type_and_by_none(content_type: str | None) -> None:
    async with serving(Answer([recording("01_").body], content_type=content_type)) as server:
        assert (await completed(server)).choices == (Choice(0, " Hello", "stop"),)


async def test_interleaved_choices_are_merged_by_index() -> None:
    body = frame("a") + frame("x", 1) + frame("b", usage={"total_tokens": "7"}) + frame("y", 1, usage=None) + DONE
    async with serving(Answer([body])) as server:
        completion = await completed(server)
    assert [choice.text for choice in completion.choices] == ["ab", "xy"]
    assert completion.usage is not None
    assert completion.usage.total_tokens == 7


async def test_a_chunk_is_given_out_before_the_next_is_sent() -> None:
    async with (
        serving(Answer([frame("first")], ending="silent")) as server,
        RouterClient(server.connection()) as client,
        asyncio.timeout(45),
        client.stream(BODY) as reply,
    ):
        chunk = await anext(aiter(reply))
    assert chunk.choices[0].text == "first"


async def test_one_try_and_no_more() -> None:
    async with serving(recording("70_").answer(), Answer(status=503, content_type="application/json")) as server:
        await completed(server)
        with pytest.raises(RouterRejected):
            await completed(server)
    assert len(server.requests) == 2


@pytest.mark.parametrize("finish", [DONE, b"", b"data: [DONE]"])
async def test_a_connection_is_used_again_after_a_stream_and_after_an_answer(finish: bytes) -> None:
    answers = Answer([frame("a"), finish]), recording("01_").answer(), recording("60_").answer(), recording("01_").answer()
    async with serving(*answers) as server, RouterClient(server.connection()) as client:
        await client.complete(BODY)
        await client.complete(BODY)
        with pytest.raises(RouterRejected):
            await client.complete(BODY)
        await client.complete(BODY)
    assert (len(server.requests), server.connections) == (4, 1)


async def test_a_server_that_keeps_the_line_open_after_done_holds_nobody_up() -> None:
    async with serving(Answer([frame("a"), DONE], ending="silent")) as server, asyncio.timeout(45):
        completion = await completed(server)
        await server.client_left.wait()
    assert completion.choices[0].text == "a"


@pytest.mark.parametrize("headers_sent", [True, False], ids=["in mid-stream", "before the answer"])
async def test_cancelling_the_task_closes_the_connection_at_once(headers_sent: bool) -> None:
    answer = Answer([frame("a")] if headers_sent else [], ending="silent", headers_sent=headers_sent)
    async with serving(answer) as server, RouterClient(server.connection()) as client, asyncio.timeout(45):
        seen = asyncio.Event()

        async def follow() -> None:
            async with client.stream(BODY) as reply:
                async for _ in reply:
                    seen.set()

        task = asyncio.create_task(follow())
        await (seen if headers_sent else server.answered).wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.client_left.wait()


async def test_leaving_the_block_early_closes_the_connection() -> None:
    async with serving(Answer([frame("a")], ending="silent")) as server, RouterClient(server.connection()) as client, asyncio.timeout(45):
        async with client.stream(BODY) as reply:
            async for _ in reply:
                break
        await server.client_left.wait()


async def test_an_error_of_the_readers_own_closes_the_connection_and_goes_through() -> None:
    async with serving(Answer([frame("a")], ending="silent")) as server, RouterClient(server.connection()) as client, asyncio.timeout(45):

        async def fail() -> None:
            async with client.stream(BODY) as reply:
                async for chunk in reply:
                    raise KeyError(chunk.id)

        with pytest.raises(KeyError):
            await fail()
        await server.client_left.wait()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_server_that_compresses_unasked_is_read_all_the_same(encoding: str) -> None:
    body = frame("zip ") + frame("zap") + DONE
    packed = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
    pieces = [packed[at : at + 7] for at in range(0, len(packed), 7)]
    async with serving(Answer(pieces, headers={"content-encoding": encoding})) as server:
        chunks, reply = await read(server)
    assert [chunk.choices[0].text for chunk in chunks] == ["zip ", "zap"]
    assert reply.raw == body


@pytest.mark.parametrize(("encoding", "message"), [("br", r"not asked for \(br\)"), ("gzip", "compression is broken")])
async def test_compression_that_cannot_be_read_is_told(encoding: str, message: str) -> None:
    async with serving(Answer([frame("a"), DONE], headers={"content-encoding": encoding})) as server:
        with pytest.raises(StreamBroken, match=message):
            await completed(server)


async def test_raw_is_capped_and_says_so() -> None:
    piece = frame("x" * 60_000)
    async with serving(Answer([piece] * 80 + [DONE])) as server:
        chunks, reply = await read(server)
    assert len(chunks) == 80
    assert len(reply.raw) == RAW_LIMIT
    assert reply.raw_truncated


async def test_a_reply_is_iterated_once() -> None:
    async with serving(Answer([frame("a"), DONE])) as server, RouterClient(server.connection()) as client, client.stream(BODY) as reply:
        assert [chunk async for chunk in reply]
        with pytest.raises(RuntimeError, match="once"):
            aiter(reply)


@pytest.mark.parametrize("name", ["x-router-request-id", "X-Request-ID", "request-id"])
async def test_status_headers_and_request_id_are_told(name: str) -> None:
    async with serving(Answer([DONE], status=201, headers={name: "req-7", "x-router-cache": "hit"})) as server:
        _, reply = await read(server)
    assert (reply.status, reply.request_id, reply.headers["x-router-cache"]) == (201, "req-7", "hit")


async def test_a_shared_pool_is_used_and_not_closed() -> None:
    async with serving(recording("01_").answer()) as server, httpx.AsyncClient() as http:
        for _ in range(2):
            async with RouterClient(server.connection(), http=http) as client:
                await client.complete(BODY)
        assert not http.is_closed
        assert server.connections == 1


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        ("local", "/v2/router/completions", "/v3/router/models"),
        ("orq", "/v3/router/completions", "/v3/router/models"),
        ("openai", "/v1/completions", "/v1/models"),
        ("openai", "/openai/v1/completions", "/openai/v1/models"),
        ("openai", "/generate", "/v1/models"),
    ],
)
def test_where_models_are_listed(kind: Any, path: str, expected: str) -> None:
    assert models_path(Connection("c", kind, "http://h", path)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"object": "list", "data": [{"id": "b/x"}, {"id": "a/y"}, {"id": "b/x"}, {"id": 3}, "z", {}]}, ("b/x", "a/y")),
        ({"object": "list", "data": None}, ()),
        ({"object": "list"}, ()),
        ([{"id": "a"}], ("a",)),
    ],
)
async def test_models_are_the_ids_in_the_servers_order(body: object, expected: tuple[str, ...]) -> None:
    answer = Answer([json.dumps(body).encode()], content_type="application/json")
    async with serving(answer) as server, RouterClient(server.connection()) as client:
        assert await client.models() == expected
    (sent,) = server.requests
    assert (sent.method, sent.path, sent.body) == ("GET", "/v3/router/models", b"")
    assert sent.headers["authorization"].startswith("Bearer ")
    assert "content-type" not in sent.headers


@pytest.mark.parametrize(
    "answer", [recording("63_err_404").answer(), recording("64_").answer(), recording("90_").answer(), recording("66_").answer()]
)
async def test_a_server_without_a_list_of_models_rejects(answer: Answer) -> None:
    async with serving(answer) as server, RouterClient(server.connection()) as client:
        with pytest.raises(RouterRejected) as caught:
            await client.models()
    assert caught.value.status == answer.status


def test_importing_the_client_does_no_work_and_loads_no_form_library() -> None:
    code = "import sys, core.client.client; print([name for name in ('streamlit', 'openai', 'numpy', 'starlette') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
