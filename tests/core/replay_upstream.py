"""A completions server on a loopback port that does what the request's ``model`` says; for tests and benchmarks of what is in front of it.

``model`` is words joined by ``/``: ``tokens=1500``, ``rate=100`` (tokens a second; none: as fast as can be), ``first=2`` (seconds
before the first), ``n=3``, ``cut`` (the line breaks after the tokens), ``hold`` (silence after them), ``status=429``, ``text=emoji``,
``whole`` (one choice as one JSON document, not as a stream), ``most=4`` (429 while more answers than that are under way, with
``Retry-After`` of ``after`` milliseconds where that is given).
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

WORDS = [*re.findall(r"\S+", "The quick brown fox jumps over a lazy dog while seven wizards quietly mix boxes of liquid."), ""]
TEXTS = {
    "plain": [word + (".\n" if number % 23 == 22 else " ") for number, word in enumerate(WORDS * 20)],
    "emoji": ["Zażółć ", "👩‍👩‍👧‍👦", " ", "🇵🇱", "\t", "שלום ", "مرحبا ", "e\u0301", "\n", "𝒳 ", "  two"],
}


def expected_text(tokens: int, kind: str = "plain") -> str:
    """The text of one choice of ``tokens`` tokens."""
    words = TEXTS[kind]
    return "".join(words[number % len(words)] for number in range(tokens))


class ReplayUpstream:
    """The server. ``requests`` are the bodies that came, ``asked`` the addresses of GETs, which are answered with ``trace``, the bytes
    of a whole response, or with 404; ``sent`` the wall-clock time of each token, by the body's ``user``;
    ``open`` counts answers under way, ``most_open`` the most there ever were, ``refused`` the 429s of ``most``, ``aborted`` those whose
    client went away."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[str] = []
        self.asked: list[str] = []
        self.trace = b""
        self.sent: dict[str, list[float]] = {}
        self.open = self.most_open = self.refused = 0
        self.aborted = 0
        self.base_url = ""
        self._server: asyncio.Server | None = None
        self._answers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> ReplayUpstream:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._answers:
            task.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._answer(reader, writer))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if head.startswith(b"GET"):
                    self.asked.append(head.split()[1].decode())
                    writer.write(self.trace or b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                    continue
                length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
                body = json.loads(await reader.readexactly(length))
                self.requests.append(body)
                self.headers.append(head.decode())
                await self._replay(body, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _replay(self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        plan = dict(part.partition("=")[::2] for part in body["model"].split("/"))
        if "status" in plan:
            error = b'{"error":{"code":"rate_limit_exceeded","message":"Slow down.","param":null,"type":"rate_limit"}}'
            head = f"HTTP/1.1 {plan['status']} No\r\nRetry-After: 7\r\nx-router-request-id: req-no\r\nContent-Length: {len(error)}\r\n\r\n"
            writer.write(head.encode() + error)
            return
        if self.open >= int(plan.get("most", self.open + 1)):
            self.refused += 1
            wait = f"retry-after-ms: {plan['after']}\r\n" if "after" in plan else ""
            writer.write(f"HTTP/1.1 429 Too Many Requests\r\n{wait}Content-Length: 0\r\n\r\n".encode())
            return
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        gone = asyncio.ensure_future(reader.read(1))
        try:
            async for block in self._blocks(body, plan):
                if gone.done():
                    self.aborted += 1
                    raise ConnectionResetError
                writer.write(b"%x\r\n%s\r\n" % (len(block), block) if not block.startswith(b"HTTP") else block)
                await writer.drain()
            if "hold" in plan:
                await gone
                self.aborted += 1
                raise ConnectionResetError
            if "cut" in plan:
                raise ConnectionResetError
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        finally:
            self.open -= 1
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)

    async def _blocks(self, body: dict[str, Any], plan: dict[str, str]) -> AsyncIterator[bytes]:
        if "whole" in plan:
            tokens = int(plan.get("tokens", 10))
            yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            choice = {"index": 0, "text": expected_text(tokens), "finish_reason": "length"}
            yield json.dumps({"id": "cmpl-1", "choices": [choice], "usage": {"completion_tokens": tokens}}).encode()
            return
        yield (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
            b"x-router-request-id: req-1\r\nx-router-model: replay/model\r\n\r\n"
        )
        await asyncio.sleep(float(plan.get("first", 0)))
        rate = float(plan.get("rate", 0))
        times = self.sent.setdefault(str(body.get("user", "")), [])
        start = time.monotonic()
        for number, frame in enumerate(_frames(plan)):
            if rate and (pause := start + number / rate - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            times.append(time.time())
            yield frame
        if not {"hold", "cut"} & plan.keys():
            usage = {"prompt_tokens": 5, "completion_tokens": int(plan.get("tokens", 10)) * int(plan.get("n", 1)), "total_tokens": 99}
            yield _frame({"choices": [], "usage": usage})
            yield b"data: [DONE]\n\n"


def _frames(plan: dict[str, str]) -> Iterator[bytes]:
    tokens, choices = int(plan.get("tokens", 10)), int(plan.get("n", 1))
    words = TEXTS[plan.get("text", "plain")]
    for number in range(tokens):
        for index in range(choices):
            reason = "length" if number == tokens - 1 and not {"hold", "cut"} & plan.keys() else None
            yield _frame({"choices": [{"index": index, "text": words[number % len(words)], "finish_reason": reason}]})


def _frame(values: dict[str, Any]) -> bytes:
    head = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "replay/model"}
    return b"data: " + json.dumps({**head, **values}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
