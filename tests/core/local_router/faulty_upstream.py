"""An OpenAI-compatible server in this loop that fails as the request's ``model`` says, and counts what it holds open."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

BYTE_S = 0.02
"""The pause of a trickle after each byte."""


class Broken(Exception):
    """The answer breaks off; the connection is closed."""


class FaultyUpstream:
    """``answering`` counts requests whose answer has not ended, ``open`` connections, ``seen`` all requests; ``tasks`` are its own."""

    def __init__(self) -> None:
        self.answering = self.open = self.seen = 0
        self.base_url = ""
        self.tasks: set[asyncio.Task[Any]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What asyncio calls for each connection."""
        task = asyncio.ensure_future(self._talk(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def hang_up(self) -> None:
        """End every connection."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        begun = b""
        try:
            with suppress(Broken, ConnectionError, asyncio.IncompleteReadError):
                while True:
                    begun = await self._exchange(begun, reader, writer)
        finally:
            self.open -= 1
            writer.close()

    async def _exchange(self, begun: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """One request, of which ``begun`` was read already, and its answer; what was read of the next request."""
        head = (begun + await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        self.seen += 1
        self.answering += 1
        more = asyncio.ensure_future(reader.read(1))
        answer = asyncio.ensure_future(FAULTS[body["model"]](writer, body))
        try:
            await asyncio.wait((more, answer), return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise ConnectionResetError  # the client left
            answer.result()
            return more.result() if more.done() else b""
        finally:
            answer.cancel()
            more.cancel()
            await asyncio.gather(answer, more, return_exceptions=True)
            self.answering -= 1


def _frames(body: dict[str, Any], texts: int = 3) -> list[bytes]:
    frames = [{"choices": [{"index": 0, "text": f" t{number}", "finish_reason": None}]} for number in range(texts)]
    frames.append({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}], "usage": {"prompt_tokens": 1, "completion_tokens": 3}})
    return [b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames] + [b"data: [DONE]\n\n"]


def _send(writer: asyncio.StreamWriter, content: bytes, kind: str = "application/json", status: int = 200, more: str = "") -> None:
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n{more}\r\n"
    writer.write(head.encode() + content)


def _start(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")


def _chunk(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(content), content))


async def _fine(writer: asyncio.StreamWriter, body: dict[str, Any]) -> None:
    if not body.get("stream"):
        _send(writer, json.dumps({"choices": [{"index": 0, "text": " t0 t1 t2", "finish_reason": "stop"}]}).encode())
        return
    _start(writer)
    for frame in _frames(body):
        _chunk(writer, frame)
        await asyncio.sleep(0)
    writer.write(b"0\r\n\r\n")


async def _resets(writer: asyncio.StreamWriter, _body: dict[str, Any]) -> None:
    writer.transport.abort()
    raise Broken


async def _resets_after_text(writer: asyncio.StreamWriter, body: dict[str, Any]) -> None:
    _start(writer)
    _chunk(writer, _frames(body)[0])
    await writer.drain()
    await asyncio.sleep(0.001)
    writer.transport.abort()
    raise Broken


async def _closes_mid_frame(writer: asyncio.StreamWriter, body: dict[str, Any]) -> None:
    _start(writer)
    _chunk(writer, _frames(body)[0])
    _chunk(writer, _frames(body)[1][:20])
    raise Broken


async def _hangs(_writer: asyncio.StreamWriter, _body: dict[str, Any]) -> None:
    await asyncio.Event().wait()


async def _falls_silent(writer: asyncio.StreamWriter, body: dict[str, Any]) -> None:
    _start(writer)
    _chunk(writer, _frames(body)[0])
    await asyncio.Event().wait()


async def _trickles(writer: asyncio.StreamWriter, body: dict[str, Any]) -> None:
    _start(writer)
    for byte in b"".join(_frames(body)):
        _chunk(writer, bytes([byte]))
        await writer.drain()
        await asyncio.sleep(BYTE_S)
    writer.write(b"0\r\n\r\n")


async def _sends_html(writer: asyncio.StreamWriter, _body: dict[str, Any]) -> None:
    _send(writer, b"<html><title>Sign in</title></html>", "text/html")


async def _sends_a_picture(writer: asyncio.StreamWriter, body: dict[str, Any]) -> None:
    _send(writer, b"".join(_frames(body)), "image/png")


async def _is_busy(writer: asyncio.StreamWriter, _body: dict[str, Any]) -> None:
    _send(writer, b'{"error":{"message":"slow down"}}', status=429, more="Retry-After: 3\r\n")


async def _breaks(writer: asyncio.StreamWriter, _body: dict[str, Any]) -> None:
    _send(writer, b"oops", "text/plain", status=500)


async def _says_an_error(writer: asyncio.StreamWriter, body: dict[str, Any]) -> None:
    _start(writer)
    _chunk(writer, _frames(body)[0])
    _chunk(writer, b'data: {"error":{"message":"gone","code":503}}\n\n')
    writer.write(b"0\r\n\r\n")


FAULTS: dict[str, Callable[[asyncio.StreamWriter, dict[str, Any]], Awaitable[None]]] = {
    "fine": _fine,
    "resets": _resets,
    "resets-after-text": _resets_after_text,
    "closes-mid-frame": _closes_mid_frame,
    "hangs": _hangs,
    "falls-silent": _falls_silent,
    "trickles": _trickles,
    "sends-html": _sends_html,
    "sends-a-picture": _sends_a_picture,
    "is-busy": _is_busy,
    "breaks": _breaks,
    "says-an-error": _says_an_error,
}


@asynccontextmanager
async def faulty_upstream() -> AsyncIterator[FaultyUpstream]:
    """A server on a free port."""
    upstream = FaultyUpstream()
    server = await asyncio.start_server(upstream.accept, "127.0.0.1", 0)
    upstream.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield upstream
    finally:
        server.close()
        await upstream.hang_up()
        await server.wait_closed()
