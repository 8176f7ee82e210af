"""Everything that can go wrong between a request and the end of its answer, as typed errors; over real loopback sockets."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from core.client.client import RouterClient
from core.client.rejection import retry_after_s
from core.client.sse import MAX_EVENT_BYTES
from core.connection import Connection
from core.contract.response import Choice
from core.errors import ConnectionFailed, PlaygroundError, RouterRejected, StreamBroken, TimedOut
from tests.core.client.byte_server import Answer, recording, recordings, serving

BODY = {"model": "m", "prompt": "p", "stream": True}
PIECE = b'data: {"id": "1", "choices": [{"index": 0, "text": "so far", "finish_reason": null}]}\n\n'


async def failure(connection: Connection, expected: type[PlaygroundError]) -> Any:
    """The error that a run on ``connection`` ends in; it says its cause and a next step, each in sentences."""
    async with RouterClient(connection) as client, asyncio.timeout(20):
        with pytest.raises(expected) as caught:
            await client.complete(BODY)
    error = caught.value
    assert error.cause == str(error)
    assert re.search(r"\S.*", error.cause)
    assert error.next_step.endswith((".", "?"))
    assert "\n" not in error.cause + error.next_step
    return error


async def rejected(answer: Answer, **settings: Any) -> RouterRejected:
    async with serving(answer) as server:
        error: RouterRejected = await failure(server.connection(**settings), RouterRejected)
        return error


async def broken(answer: Answer, **settings: Any) -> StreamBroken:
    async with serving(answer) as server:
        error: StreamBroken = await failure(server.connection(**settings), StreamBroken)
        return error


def told(body: object, status: int = 400, **headers: str) -> Answer:
    """An answer with a JSON body; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer([json.dumps(body).encode()], status, "application/json", named)


# ── Rejections ──


ERRORS = [item for item in recordings() if item.status >= 400]


@pytest.mark.parametrize("recorded", ERRORS, ids=lambda item: item.case)
async def test_every_recorded_error_becomes_a_rejection_with_its_status(recorded: Any) -> None:
    error = await rejected(recorded.answer())
    assert error.status == recorded.status
    assert f"({recorded.status}" in error.cause
    assert error.body == recorded.body.decode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {
                "error": {
                    "code": "invalid_api_key",
                    "message": "No.",
                    "param": "p",
                    "type": "t",
                    "doc_url": "u",
                    "failures": [{"status": 500}],
                }
            },
            {"code": "invalid_api_key", "param": "p", "error_type": "t", "doc_url": "u", "failures": [{"status": 500}]},
        ),
        ({"error": {"code": "c", "message": "No.", "doc_url": "u"}}, {"code": "c", "doc_url": "u", "param": None, "error_type": None}),
        ({"id": "req-1", "code": "c", "error": "No.", "source": "gateway"}, {"code": "c", "request_id": "req-1"}),
        ({"message": "No.", "code": 17, "details": {"field": "x"}}, {"code": "17", "failures": {"field": "x"}}),
        ({"message": "No."}, {"code": None, "failures": None}),
        ({"error": {"message": "No."}, "code": "outside"}, {"code": "outside"}),
        ({"detail": "No."}, {}),
    ],
)
async def test_each_form_of_an_error_is_understood(body: object, expected: dict[str, Any]) -> None:
    error = await rejected(told(body, 422))
    assert error.cause.endswith(": No.")
    assert {name: getattr(error, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("page", "content_type", "words"),
    [
        ("<html><head><title>502 Bad\n Gateway</title></head><body>nginx</body></html>", "text/html", "“502 Bad Gateway”"),
        ("<h1>oops &amp; <b>sorry</b></h1><script>x()</script>", "text/html; charset=utf-8", "“oops & sorry”"),
        ("<!doctype html><p>down</p>", "application/json", "“down”"),
        ("upstream connect error", "text/plain", "upstream connect error"),
        ("x" * 100_000, "text/plain", "x" * 600 + "…"),
        ('{"error": {"message": "cut in the mid', "application/json", '{"error": {"message": "cut in the mid'),
        ('data: {"error": {"message": "in a frame"}}\n\n', "text/event-stream", "in a frame"),
        ("", "text/plain", "(502)."),
    ],
)
async def test_text_and_pages_are_told_in_one_line(page: str, content_type: str, words: str) -> None:
    error = await rejected(Answer([page.encode()], 502, content_type))
    assert words in error.cause
    assert error.status == 502
    assert len(error.body) <= 65_536
    assert page.startswith(error.body)


@pytest.mark.parametrize("ending", ["cut", "reset", "silent"])
async def test_an_error_whose_body_breaks_off_is_still_that_error(ending: Any) -> None:
    error = await rejected(Answer([b'{"error": {"mess'], 503, "application/json", ending=ending), read_timeout_s=0.2)
    assert error.status == 503


async def test_a_long_error_is_not_read_to_its_end() -> None:
    async with serving(Answer([b"x" * 65_536, b"y"], 500, "text/plain", ending="silent")) as server:
        error = await failure(server.connection(), RouterRejected)
        await asyncio.wait_for(server.client_left.wait(), 5)
    assert error.body == "x" * 65_536


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (recording("65_").answer(), "no content"),
        (Answer([], content_type="application/json", framing="length"), "no content"),
        (recording("66_").answer(), "hi"),
        (recording("90_").answer(), "error (200): m"),
        (told({"data": {"error": "wrapped"}}, 200), "wrapped"),
        (told({"message": "form four", "code": "c"}, 200), "(200 c): form four"),
        (told({"error": {"message": "late", "code": "502"}}, 200), "provider behind the router failed (200 502): late"),
        (told([1, 2], 200), "no completion"),
        (told({}, 200), "no completion"),
        (told({"status": "ok"}, 200), "no completion"),
        (Answer([b"{not json"], content_type="application/json"), "{not json"),
        (Answer([b"<title>Sign in</title>"], content_type="text/html"), "“Sign in”"),
        (Answer([recording("01_").body], content_type="text/plain"), "no completion"),
        (Answer([], 304, None, framing="length"), "(304)"),
    ],
)
async def test_a_good_status_without_a_completion_is_a_rejection(answer: Answer, words: str) -> None:
    error = await rejected(answer)
    assert words in error.cause
    assert error.status == answer.status


@pytest.mark.parametrize(
    ("answer", "settings", "words"),
    [
        (recording("60_").answer(), {}, "Check the key on the Connections page."),
        (recording("60_").answer(), {"key": None}, "Enter a key on the Connections page."),
        (recording("63_err_404").answer(), {}, "the base URL and the path"),
        (told({"error": {"message": "x", "param": "orq.cache"}}, 501), {}, "Take orq.cache out of the request"),
        (told({"error": {"message": "x", "param": "top_p"}}, 400), {}, "Correct top_p."),
        (told({"error": {"message": "x", "code": "model_not_found", "param": "model"}}, 404), {}, "Correct model: choose one"),
        (told({}, 429, retry_after="7"), {}, "Wait 7 s"),
        (told({}, 429), {}, "Wait a moment"),
        (told({}, 503, retry_after="2"), {}, "asks to wait 2 s"),
        (told({}, 418), {}, "Check the request"),
        (told({}, 599), {}, "Run it again"),
    ],
)
async def test_the_next_step_fits_the_status(answer: Answer, settings: dict[str, Any], words: str) -> None:
    assert words in (await rejected(answer, **settings)).next_step


NOW = datetime(2025, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "5"}, 5),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "Sun, 23 Nov 2025 12:01:30 GMT"}, 90),
        ({"retry-after": "Sun, 23 Nov 2025 11:00:00 GMT"}, 0),
        ({"retry-after": "Sun, 23 Nov 2025 18:00:30 GMT", "date": "Sun, 23 Nov 2025 18:00:00 GMT"}, 30),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_however_it_is_written(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after_s(httpx.Headers(headers), NOW) == expected


async def test_request_id_and_retry_after_come_from_the_headers() -> None:
    error = await rejected(told({"error": "x", "id": "other"}, 429, retry_after_ms="1500", x_router_request_id="req-1"))
    assert (error.request_id, error.retry_after_s) == ("req-1", 1.5)


async def test_a_redirect_is_told_and_not_followed_so_that_the_key_stays() -> None:
    async with serving(recording("01_").answer()) as other:
        elsewhere = {"location": f"{other.base_url}/v2?token=x"}
        async with serving(Answer([], 307, None, elsewhere, framing="length")) as server, httpx.AsyncClient(follow_redirects=True) as http:
            for shared in (None, http):
                with pytest.raises(RouterRejected, match=r"redirects \(307\).*because the key would go along") as caught:
                    await RouterClient(server.connection(), http=shared).complete(BODY)
                assert f"{other.base_url}/v2;" in caught.value.cause
                assert caught.value.status == 307
        assert other.requests == []


# ── Broken streams ──


@pytest.mark.parametrize("framing", ["chunked", "length"])
@pytest.mark.parametrize("ending", ["cut", "reset"])
async def test_a_cut_connection_keeps_the_text_so_far(framing: Any, ending: Any) -> None:
    error = await broken(Answer([PIECE, PIECE, PIECE[:20]], framing=framing, ending=ending, headers={"x-request-id": "req-1"}))
    assert error.reason == "cut"
    assert error.partial is not None
    assert error.partial.choices == (Choice(0, "so farso far", None),)
    assert error.request_id == "req-1"


@pytest.mark.parametrize("end", ["cut", "complete"])
async def test_finish_reasons_that_every_piece_bears_count_only_when_the_stream_ends_well(end: Any) -> None:
    piece = PIECE.replace(b"null", b'"stop"')
    async with (
        serving(Answer([piece, piece], ending=end)) as server,
        RouterClient(server.connection()) as client,
        client.stream(BODY) as reply,
    ):
        pieces = aiter(reply)
        await anext(pieces)
        assert reply.completion().choices[0].finish_reason is None
        await anext(pieces)
        with pytest.raises(StreamBroken if end == "cut" else StopAsyncIteration):
            await anext(pieces)
    assert reply.completion().choices == (Choice(0, "so farso far", "stop" if end == "complete" else None),)


async def test_a_stream_cut_before_its_first_frame_has_no_partial_text() -> None:
    error = await broken(Answer([b": hello\n\n"], ending="cut"))
    assert (error.reason, error.partial) == ("cut", None)


async def test_a_body_that_just_ends_in_the_middle_of_a_frame_was_cut() -> None:
    error = await broken(Answer([PIECE, PIECE[:40]], framing="close"))
    assert error.reason == "cut"
    assert error.partial is not None


@pytest.mark.parametrize("tail", [b"", b"data: [DONE]\n\n", b": bye\n\n", PIECE[:-1], PIECE[:-2]])
async def test_a_stream_may_end_without_done_without_reason_and_without_its_blank_line(tail: bytes) -> None:
    async with serving(Answer([PIECE, tail], framing="close")) as server, RouterClient(server.connection()) as client:
        completion = await client.complete(BODY)
    assert completion.choices == (Choice(0, "so far" * (2 if tail.startswith(b"data: {") else 1), None),)


async def test_silence_in_mid_stream_is_a_read_time_out_with_the_text_so_far() -> None:
    error = await broken(Answer([PIECE], ending="silent"), read_timeout_s=0.2)
    assert error.reason == "read_timeout"
    assert "0.2 s" in error.cause
    assert error.partial is not None
    assert error.partial.choices[0].text == "so far"


async def test_a_whole_answer_that_breaks_off_is_broken_too() -> None:
    answer = Answer([recording("01_").body[:50]], content_type="application/json", ending="cut")
    assert (await broken(answer)).reason == "cut"
    answer = Answer([recording("01_").body[:50]], content_type="application/json", ending="silent")
    assert (await broken(answer, read_timeout_s=0.2)).reason == "read_timeout"


@pytest.mark.parametrize(
    "frame",
    [
        b"data: {not json\n\n",
        b"data: null\n\n",
        b"data: 3\n\n",
        b"data: []\n\n",
        b'data: {"choices": [{"index": 0, "te\n\n',
        b"data: hello\n\n",
    ],
)
async def test_a_frame_that_is_no_object_is_malformed_and_the_text_so_far_is_kept(frame: bytes) -> None:
    error = await broken(Answer([PIECE, frame, PIECE]))
    assert error.reason == "malformed"
    assert error.partial is not None
    assert error.partial.choices[0].text == "so far"


@pytest.mark.parametrize(
    ("frame", "code", "status", "words"),
    [
        (b'data: {"error": {"message": "boom", "type": "t", "param": null, "code": "502"}}\n\n', "502", 502, "(502): boom"),
        (b'event: error\ndata: {"error": {"message": "boom", "code": "provider_error"}}\n\n', "provider_error", None, "boom"),
        (b'data: {"error": "boom", "code": "c", "id": "e-1"}\n\n', "c", None, "(c): boom"),
        (b'event: error\ndata: {"message": "boom", "status": 503}\n\n', None, 503, "boom"),
        (b"event: error\ndata: boom\n\n", None, None, "boom"),
        (b'event: error\ndata: "boom"\n\n', None, None, "boom"),
        (b'data: {"error": {}}\n\n', None, None, "did not say why"),
        (b'data: {"data": {"error": {"message": "boom"}}}\n\n', None, None, "boom"),
        (b'data: {"choices": [], "error": {"message": "boom"}}\n\n', None, None, "boom"),
        (b'data: {"message": "boom", "code": "c"}\n\n', "c", None, "(c): boom"),
        (b'data: {"error": {"message": "boom"}}', None, None, "boom"),
    ],
)
async def test_an_error_frame_is_an_error_and_the_text_so_far_is_kept(
    frame: bytes, code: str | None, status: int | None, words: str
) -> None:
    error = await broken(Answer([PIECE, frame, b"data: [DONE]\n\n" if frame.endswith(b"\n\n") else b""]))
    assert (error.reason, error.code, error.status) == ("error_frame", code, status)
    assert words in error.cause
    assert error.partial is not None
    assert error.partial.choices[0].text == "so far"


@pytest.mark.parametrize("extra", [b'"error": null', b'"error": {}', b'"error": ""', b'"message": "fine"'])
async def test_a_piece_of_text_with_an_empty_error_beside_it_is_a_piece_of_text(extra: bytes) -> None:
    body = PIECE.replace(b'"id": "1"', extra)
    async with serving(Answer([body])) as server, RouterClient(server.connection()) as client:
        assert (await client.complete(BODY)).choices[0].text == "so far"


async def test_a_frame_without_end_is_refused_and_the_text_so_far_is_kept() -> None:
    pieces = [PIECE, b"data: ", *([b"x" * 65_536] * (MAX_EVENT_BYTES // 65_536 + 1))]
    error = await broken(Answer(pieces, ending="silent"))
    assert error.reason == "frame_too_large"
    assert "8,388,608 bytes" in error.cause
    assert error.partial is not None
    assert error.partial.choices[0].text == "so far"


async def test_chunks_that_came_with_the_break_are_given_out_before_it() -> None:
    seen = []
    async with serving(Answer([PIECE + PIECE + b"data: {no\n\n"])) as server, RouterClient(server.connection()) as client:

        async def follow() -> None:
            async with client.stream(BODY) as reply:
                async for chunk in reply:
                    seen.append(chunk.choices[0].text)

        with pytest.raises(StreamBroken):
            await follow()
    assert seen == ["so far", "so far"]


# ── No connection ──


def to(base_url: str, **settings: Any) -> Connection:
    return Connection("c", "orq", base_url, settings.pop("path", "/v2/router/completions"), SecretStr("sk-canary-0123456789"), **settings)


def free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def test_a_refused_connection_asks_whether_the_server_runs() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    error = await failure(to(url), ConnectionFailed)
    assert "refused" in error.cause
    assert error.next_step == "Start the server there, or correct the base URL."


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70 + ".invalid"])
async def test_an_unknown_host_is_named(host: str) -> None:
    error = await failure(to(f"http://{host}"), ConnectionFailed)
    assert error.cause == f"The host {host} was not found."


async def test_https_to_a_plain_server_suggests_http() -> None:
    async with talking(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        error = await failure(to(url.replace("http:", "https:")), ConnectionFailed)
    assert "secure" in error.cause
    assert "http://" in error.next_step


@asynccontextmanager
async def talking(words: bytes) -> AsyncIterator[str]:
    """A server that says ``words`` to whoever says anything, and hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(words)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("words", "cause"), [(b"220 mail.example.com ESMTP\r\n\r\n", "does not speak HTTP"), (b"", "broke before an answer came")]
)
async def test_what_is_no_web_server_is_told(words: bytes, cause: str) -> None:
    async with talking(words) as url:
        assert cause in (await failure(to(url), ConnectionFailed)).cause


async def test_silence_before_the_answer_is_a_read_time_out() -> None:
    async with serving(Answer(ending="silent", headers_sent=False)) as server:
        error = await failure(server.connection(read_timeout_s=0.2, connect_timeout_s=9), TimedOut)
    assert (error.phase, error.seconds) == ("read", 0.2)
    assert "0.2 s" in error.cause


async def test_a_connection_that_is_not_taken_is_a_connect_time_out() -> None:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:  # fills the queue of those not taken, so that the next one's greeting is not answered
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        error = await failure(to(f"http://127.0.0.1:{listener.getsockname()[1]}", connect_timeout_s=0.2, read_timeout_s=9), TimedOut)
        for one in waiting:
            one.close()
    assert (error.phase, error.seconds) == ("connect", 0.2)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "my.orq.ai",
        "localhost:8000",
        "ftp://h",
        "http://",
        "https:///x",
        "http://h:99999",
        "http://h:x",
        "http://[::1",
        "http://h\n",
        "http://h:0",
    ],
)
async def test_a_base_url_that_is_none_is_told_before_anything_is_sent(url: str) -> None:
    error = await failure(to(url), ConnectionFailed)
    assert "is not a web address" in error.cause
    assert "https://" in error.next_step


async def test_a_password_in_the_base_url_is_refused_and_not_repeated() -> None:
    error = await failure(to("https://me:hunter2-hunter2@h"), ConnectionFailed)
    assert "hunter2" not in error.cause + error.next_step


@pytest.mark.parametrize("key", ["sk-ключ", "sk-1\nX-Evil: 1", "sk-\x00"])
async def test_a_key_that_cannot_be_sent_is_refused_and_not_repeated(key: str) -> None:
    error = await failure(Connection("c", "orq", "http://127.0.0.1:9", "/p", SecretStr(key)), ConnectionFailed)
    assert "The key has a character" in error.cause
    assert key not in error.cause


@pytest.mark.parametrize("headers", [{"x y": "1"}, {"": "1"}, {"x-a": "1\r\nx-b: 2"}, {"x-a": "é"}, {"x-a": " 1"}])
async def test_a_header_that_cannot_be_sent_is_refused_and_its_value_not_repeated(headers: dict[str, str]) -> None:
    error = await failure(to("http://127.0.0.1:9", headers=headers), ConnectionFailed)
    (name,) = headers
    assert f"“{name}”" in error.cause


async def test_models_fail_like_completions() -> None:
    async with RouterClient(to(f"http://127.0.0.1:{free_port()}")) as client:
        with pytest.raises(ConnectionFailed, match="refused"):
            await client.models()
