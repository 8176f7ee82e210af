"""A loopback HTTP server that answers with prepared bytes, exactly as prepared, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from core.connection import Connection, ServerKind

WIRE = Path(__file__).parents[2] / "wire"
Ending = Literal["complete", "cut", "reset", "silent"]


@dataclass(frozen=True)
class Answer:
    """What to send: ``pieces`` go out one by one, chunked unless ``length`` says otherwise.

    ``ending``: ``complete`` ends as HTTP asks; ``cut`` closes in the middle of the body; ``reset`` does so with a TCP reset;
    ``silent`` sends no more and waits for the client to go.
    """

    pieces: Sequence[bytes] = ()
    status: int = 200
    content_type: str | None = "text/event-stream"
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = "complete"
    framing: Literal["chunked", "length", "close"] = "chunked"
    headers_sent: bool = True

    def head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Whatever"]
        if self.content_type is not None:
            lines.append(f"content-type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.framing == "chunked":
            lines.append("transfer-encoding: chunked")
        elif self.framing == "length":
            extra = 7 if self.ending != "complete" else 0
            lines.append(f"content-length: {sum(map(len, self.pieces)) + extra}")
        else:
            lines.append("connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def framed(self, piece: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(piece), piece) if self.framing == "chunked" else piece


@dataclass(frozen=True)
class Received:
    """One request as it came; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class ByteServer:
    """A running server. ``answers`` are given in turn, the last one again and again."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._answers = list(answers)
        self.requests: list[Received] = []
        self.connections = 0
        self.client_left = asyncio.Event()
        self.answered = asyncio.Event()
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connection(
        self,
        *,
        kind: ServerKind = "orq",
        key: str | None = "sk-canary-0123456789",
        headers: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> Connection:
        """A connection to this server."""
        path = settings.pop("path", "/v2/router/completions")
        base_url = settings.pop("base_url", self.base_url)
        secret = None if key is None else SecretStr(key)
        return Connection("bytes", kind, base_url, path, secret, headers or {}, **settings)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What asyncio calls for each connection."""
        self.connections += 1
        self._tasks.add(asyncio.ensure_future(self._talk(reader, writer)))

    async def hang_up(self) -> None:
        """Ends every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            self.client_left.set()
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection lives on."""
        self.requests.append(await _read_request(reader))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer.headers_sent:
            writer.write(answer.head())
        for piece in filter(None, answer.pieces):  # an empty chunk would be the last one
            writer.write(answer.framed(piece))
            await writer.drain()
            await asyncio.sleep(0)
        self.answered.set()
        match answer.ending:
            case "silent":
                await reader.read()
                self.client_left.set()
                return False
            case "reset":
                writer.transport.abort()
                return False
            case "cut":
                return False
        if answer.framing == "chunked":
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        return answer.framing != "close"


async def _read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    return Received(method, path, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


@asynccontextmanager
async def serving(*answers: Answer) -> AsyncIterator[ByteServer]:
    """A server on a free port that gives ``answers``."""
    running = ByteServer(answers)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0, limit=2**26)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        await running.hang_up()
        await server.wait_closed()


@dataclass(frozen=True)
class Recording:
    """One recorded reply of ``tests/wire``."""

    case: str
    status: int
    content_type: str
    headers: Mapping[str, str]
    body: bytes

    def answer(self) -> Answer:
        framing: Literal["chunked", "length"] = "chunked" if self.body else "length"
        return Answer([self.body] if self.body else [], self.status, self.content_type, self.headers, framing=framing)


def recording(case: str) -> Recording:
    """The last reply of the case whose file name starts with ``case``."""
    (path,) = WIRE.glob(f"{case}*.json")
    return _recordings(json.loads(path.read_text()))[-1]


def recordings(kind: str = "") -> list[Recording]:
    """Every recorded reply to a completion whose content type begins with ``kind``."""
    found = []
    for path in sorted(WIRE.glob("[0-8]*.json")) + sorted(WIRE.glob("90*.json")):
        found += [item for item in _recordings(json.loads(path.read_text())) if item.content_type.startswith(kind)]
    return found


def _recordings(document: Mapping[str, Any]) -> list[Recording]:
    return [
        Recording(document["case"], reply["status"], reply["content_type"], reply["extra_headers"] or {}, reply["body"].encode())
        for request in document.get("requests", ())
        if (reply := request.get("reply"))
    ]
