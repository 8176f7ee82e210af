"""The key is in no error, no traceback, no log and no repr, whatever the server does with it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import socket
import traceback
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from pydantic import SecretStr

from core.client.client import RouterClient
from core.connection import Connection
from core.errors import PlaygroundError
from core.redaction import MASK, redacted
from tests.core.client.byte_server import Answer, serving

KEY = "sk-canary-0123456789abcdef"
HEADER = "hdr-canary-fedcba9876543210"
SECRETS = (KEY, HEADER)
BODY = {"model": "m", "prompt": "p", "stream": True}
ECHO = json.dumps(
    {"error": {"message": f"bad key {KEY} with Bearer {KEY}", "code": KEY, "failures": [{KEY[:0] + "seen": [KEY]}], "type": KEY}}
)
PIECE = b'data: {"id": "1", "choices": [{"index": 0, "text": "so far"}]}\n\n'

REPEATING = {
    "in its error": Answer([ECHO.encode()], 401, "application/json"),
    "in plain text": Answer([f"{KEY} {HEADER}".encode()], 500, "text/plain"),
    "on a web page": Answer([f"<title>{KEY}</title>".encode()], 502, "text/html"),
    "with a good status": Answer([ECHO.encode()], 200, "application/json"),
    "in an error frame": Answer([PIECE, f"data: {ECHO}\n\n".encode()]),
    "in a malformed frame": Answer([PIECE, f"data: {KEY}\n\n".encode()]),
}
FAILING = {
    "rejected": Answer([b'{"error": "no"}'], 401, "application/json"),
    "redirected": Answer([], 302, None, {"location": "http://127.0.0.1:1/"}, framing="length"),
    "an error frame": Answer([PIECE, b'data: {"error": "no"}\n\n']),
    "a malformed frame": Answer([PIECE, b"data: no\n\n"]),
    "cut": Answer([PIECE], ending="cut"),
    "reset before the answer": Answer(ending="reset", headers_sent=False),
    "not answered": Answer(ending="silent", headers_sent=False),
    "silent in mid-stream": Answer([PIECE], ending="silent"),
}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that any library logs, at the most talkative level."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    loggers = [logging.getLogger(name) for name in ("", "httpx", "httpcore", "asyncio", "hpack", "core")]
    levels = [logger.level for logger in loggers]
    logging.getLogger().addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield text
    logging.getLogger().removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def everything_about(error: BaseException) -> str:
    """What an error shows anywhere: its texts, its fields, the errors it refers to, its traceback."""
    shown = [repr(error), str(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)]
    shown += [everything_about(other) for other in (error.__cause__, error.__context__) if other is not None]
    return "\n".join(shown)


def variables_of(error: BaseException) -> str:
    """The variables of all frames in the traceback but the tests' own, as error reporters show them."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "\n".join(repr(step.locals) for step in trace.stack if "/tests/" not in step.filename)


async def failed(connection: Connection, ask: str) -> PlaygroundError:
    async with RouterClient(connection) as client:
        call = client.models() if ask == "models" else client.complete(BODY)
        with pytest.raises(PlaygroundError) as caught:
            await asyncio.wait_for(call, 10)
    return caught.value


@pytest.mark.parametrize("answer", FAILING.values(), ids=FAILING.keys())
@pytest.mark.parametrize("ask", ["complete", "models"])
async def test_no_failure_shows_the_key(answer: Answer, ask: str, log: io.StringIO) -> None:
    async with serving(answer) as server:
        connection = server.connection(key=KEY, headers={"x-api-key": HEADER}, read_timeout_s=0.2)
        error = await failed(connection, ask)
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
        assert server.requests[0].headers["x-api-key"] == HEADER
    assert "send_request_headers" in log.getvalue()
    assert "'self'" in variables_of(error)
    shown = everything_about(error) + variables_of(error) + log.getvalue() + repr(connection)
    for secret in SECRETS:
        assert secret not in shown


@pytest.mark.parametrize("answer", REPEATING.values(), ids=REPEATING.keys())
@pytest.mark.parametrize("ask", ["complete", "models"])
async def test_a_key_that_the_server_repeats_is_masked(answer: Answer, ask: str, log: io.StringIO) -> None:
    async with serving(answer) as server:
        error = await failed(server.connection(key=KEY, headers={"x-api-key": HEADER}), ask)
    shown = everything_about(error) + log.getvalue()
    assert MASK in shown
    for secret in SECRETS:
        assert secret not in shown


async def test_a_redirect_to_an_address_with_the_key_masks_it() -> None:
    async with serving(Answer([], 302, None, {"location": f"http://127.0.0.1:1/{KEY}?key={KEY}"}, framing="length")) as server:
        error = await failed(server.connection(key=KEY), "complete")
    assert f"http://127.0.0.1:1/{MASK};" in error.cause
    assert KEY not in everything_about(error)


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:{port}", "https://127.0.0.1:{port}", "http://no-such-host.invalid", "nonsense"])
async def test_a_failed_connection_does_not_show_the_key(base_url: str, log: io.StringIO) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        url = base_url.format(port=taken.getsockname()[1])
        error = await failed(Connection("c", "orq", url, "/p", SecretStr(KEY), {"x-api-key": HEADER}), "complete")
    shown = everything_about(error) + variables_of(error) + log.getvalue()
    for secret in SECRETS:
        assert secret not in shown


@pytest.mark.parametrize("base_url", [f"http://{KEY}.invalid", f"http://x:{KEY}@h", KEY, f"http://127.0.0.1:1/{KEY}"])
async def test_a_key_that_was_typed_into_the_base_url_is_not_repeated(base_url: str) -> None:
    error = await failed(Connection("c", "orq", base_url, "/p", SecretStr(KEY)), "complete")
    assert KEY not in everything_about(error)


@pytest.mark.parametrize("key", [f"{KEY}é", f"{KEY}\r\nx: y", f"{KEY}\x00"])
async def test_a_key_that_cannot_be_sent_is_not_shown(key: str, log: io.StringIO) -> None:
    error = await failed(Connection("c", "orq", "http://127.0.0.1:9", "/p", SecretStr(key), {"cookie": HEADER + "é"}), "complete")
    shown = everything_about(error) + log.getvalue()
    for secret in SECRETS:
        assert secret not in shown


async def test_what_a_good_answer_repeats_is_masked_in_raw_and_headers() -> None:
    answer = Answer([b": " + KEY.encode() + b"\n\n" + PIECE], headers={"x-echo": f"Bearer {KEY}", "x-request-id": HEADER})
    async with serving(answer) as server, RouterClient(server.connection(key=KEY, headers={"x-api-key": HEADER})) as client:
        async with client.stream(BODY) as reply:
            chunks: list[Any] = [chunk async for chunk in reply]
        shown = repr([client, reply, chunks, reply.headers, reply.raw, reply.request_id])
    assert MASK in reply.headers["x-echo"]
    assert MASK.encode() in reply.raw
    for secret in SECRETS:
        assert secret not in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"a {KEY} b {KEY}", f"a {MASK} b {MASK}"),
        (f"as Bearer {HEADER}, or {HEADER}", f"as {MASK}, or {MASK}"),
        ("a team's x", "a team's x"),
        ("none", "none"),
    ],
)
def test_redaction_masks_the_key_and_secret_headers_and_nothing_else(text: str, expected: str) -> None:
    headers = {"Authorization": f"Bearer {HEADER}", "x-team": "a team's x", "x-short-key": "none"}
    assert redacted(text, Connection("c", "orq", "http://h", "/p", SecretStr(f" {KEY}\n"), headers)) == expected
    assert redacted("a b c", Connection("c", "orq", "http://h", "/p", SecretStr("b"))) == "a b c"
