"""An upstream that says exactly what a test wrote for it, over real loopback HTTP, and remembers what it was asked and when it answered.

    with replaying() as replay:
        model = replay.add(Script.of("one two three", tokens_per_s=50, hold_after=2))
        …                                    # ask replay.url for that model
        replay.release(model)                # send the rest
        call = replay.call(model)            # what was received, what was sent and when, how it ended

It speaks the dialect of ``/v2/router/completions`` (and ``/v3``, ``/v1``), streamed or not, as the request asks.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.support.conditions import eventually
from tests.support.server_thread import served

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Ending = Literal["done", "cut", "error_frame", "malformed", "no_done"]


@dataclass(frozen=True, slots=True)
class Script:
    """What is answered to one model's requests.

    ``pieces`` are ``(choice index, text)`` in the order they are sent, one frame each, ``tokens_per_s`` of them a second (0: as fast
    as they go), the first after ``first_token_s``. After ``hold_after`` pieces the stream waits for ``Replay.release``. ``ending``
    says how it stops after the last piece; a ``status`` other than 200 answers ``error`` with ``headers`` instead of any text.
    """

    pieces: tuple[tuple[int, str], ...] = ((0, "ok"),)
    tokens_per_s: float = 0.0
    first_token_s: float = 0.0
    hold_after: int | None = None
    ending: Ending = "done"
    finish_reason: str = "stop"
    usage: bool = True
    status: int = 200
    error: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str, **rest: Any) -> Script:
        """One choice that says ``text``, a word (and the space before it) a piece."""
        return cls(pieces=tuple((0, word) for word in words(text)), **rest)

    @classmethod
    def choices(cls, *texts: str, **rest: Any) -> Script:
        """Several choices, their words interleaved as a stream of n > 1 brings them."""
        rounds = itertools.zip_longest(*(words(text) for text in texts))
        return cls(pieces=tuple((index, word) for one in rounds for index, word in enumerate(one) if word is not None), **rest)

    @classmethod
    def refusal(cls, status: int, code: str, message: str, **headers: str) -> Script:
        """An error in the contract's form; header names are written with underscores (``retry_after="2"``)."""
        body = {"error": {"code": code, "message": message, "param": None, "type": "error"}}
        return cls(status=status, error=body, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def text(self, choice: int = 0) -> str:
        """All that one choice says."""
        return "".join(piece for index, piece in self.pieces if index == choice)


def words(text: str) -> list[str]:
    """``"a b\\n c"`` as ``["a", " b", "\\n c"]``: joined again it is the same text."""
    return re.findall(r"\s*\S+|\s+$", text)


@dataclass(slots=True)
class Call:
    """One request that came in. Times are ``time.monotonic()`` seconds; ``sent`` grows while the answer goes out."""

    path: str
    headers: dict[str, str]
    sent_body: bytes
    received_at: float
    sent: list[tuple[float, int, str]] = field(default_factory=list)
    ended: Literal["", "done", "cut", "client_left"] = ""
    ended_at: float | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The request's JSON."""
        parsed: dict[str, Any] = json.loads(self.sent_body)
        return parsed

    @property
    def first_token_s(self) -> float:
        """From the request's arrival to the first piece's departure: the model's own share of a first token's time."""
        return self.sent[0][0] - self.received_at


class Replay:
    """The scripts, by model name, and the calls they had. Safe to use from the test's thread while the server runs in another."""

    def __init__(self) -> None:
        self.url = ""
        self._scripts: dict[str, Script] = {}
        self._calls: dict[str, list[Call]] = {}
        self._released: dict[str, Future[None]] = {}
        self._counter = itertools.count(1)

    def add(self, script: Script, name: str | None = None) -> str:
        """Make a model that answers with ``script``; gives its name. A name used again is rewritten and forgets its calls."""
        model = name or f"replay/{next(self._counter)}"
        self._scripts[model], self._calls[model], self._released[model] = script, [], Future()
        return model

    def release(self, model: str) -> None:
        """Let go of the stream that waits after ``hold_after`` pieces, and of all later ones."""
        if not self._released[model].done():
            self._released[model].set_result(None)

    def calls(self, model: str) -> list[Call]:
        """The requests for this model so far."""
        return list(self._calls[model])

    def call(self, model: str, within_s: float = 10.0) -> Call:
        """The first request for this model, waited for."""
        return eventually(lambda: self.calls(model), within_s=within_s, what=f"a request for {model}")[0]

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """The ASGI application."""
        received_at = time.monotonic()
        if scope["method"] == "GET":
            models = [{"id": name, "object": "model", "created": 0, "owned_by": "replay"} for name in self._scripts]
            await _answer(send, 200, {"object": "list", "data": models} if scope["path"].endswith("/models") else {"status": "ok"})
            return
        call = Call(scope["path"], {k.decode(): v.decode() for k, v in scope["headers"]}, await _body(receive), received_at)
        script = self._scripts.get(call.body.get("model", ""))
        if script is None:
            message = f"no script for {call.body.get('model')!r}"
            await _answer(send, 404, {"error": {"code": "not_found", "message": message, "param": "model", "type": "error"}})
            return
        self._calls[call.body["model"]].append(call)
        play = asyncio.ensure_future(self._play(script, call, send))
        leave = asyncio.ensure_future(_client_left(receive))
        await asyncio.wait({play, leave}, return_when=asyncio.FIRST_COMPLETED)
        call.ended, call.ended_at = "done" if play.done() else "client_left", time.monotonic()
        play.cancel()
        leave.cancel()
        if play.done() and not play.cancelled() and (error := play.exception()):
            call.ended = "cut"
            raise error

    async def _play(self, script: Script, call: Call, send: Send) -> None:
        if script.status != 200:
            await _answer(send, script.status, script.error, script.headers)
        elif call.body.get("stream"):
            await self._stream(script, call, send)
        else:
            await self._wait(script, call, len(script.pieces) - 1)
            await _answer(send, 200, _completion(script, call), script.headers)

    async def _stream(self, script: Script, call: Call, send: Send) -> None:
        await _start(send, 200, "text/event-stream; charset=utf-8", script.headers)
        last = {index: position for position, (index, _) in enumerate(script.pieces)}
        for position, (index, text) in enumerate(script.pieces):
            await self._wait(script, call, position)
            ends = last[index] == position and script.ending in ("done", "no_done")
            frame = _frame(call, [_choice(index, text, script.finish_reason if ends else "stop")])
            call.sent.append((time.monotonic(), index, text))
            await _piece(send, frame)
        await _end(send, script, call)

    async def _wait(self, script: Script, call: Call, position: int) -> None:
        """Until the piece at ``position`` is due, by the clock and by the hold."""
        pace = position / script.tokens_per_s if script.tokens_per_s else 0.0
        if (wait := call.received_at + script.first_token_s + pace - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        if script.hold_after is not None and position >= script.hold_after:
            released = self._released[call.body["model"]]
            await asyncio.shield(asyncio.wrap_future(released))


@contextmanager
def replaying() -> Iterator[Replay]:
    """A Replay that serves while inside; its ``url`` is the base URL of a connection."""
    replay = Replay()
    with served(replay) as url:
        replay.url = url
        yield replay


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def _client_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _start(send: Send, status: int, content_type: str, headers: Mapping[str, str]) -> None:
    pairs = {"content-type": content_type, "x-request-id": "replay-request", **headers}
    await send({"type": "http.response.start", "status": status, "headers": [(k.encode(), v.encode()) for k, v in pairs.items()]})


async def _answer(send: Send, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
    await _start(send, status, "application/json", headers or {})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


async def _piece(send: Send, frame: Mapping[str, Any] | str) -> None:
    data = frame if isinstance(frame, str) else json.dumps(frame, ensure_ascii=False)
    await send({"type": "http.response.body", "body": f"data: {data}\n\n".encode(), "more_body": True})


async def _end(send: Send, script: Script, call: Call) -> None:
    """The stream's end, good or bad. ``cut`` raises, so that the server drops the connection in the middle of the body."""
    match script.ending:
        case "cut":
            raise ConnectionAbortedError("the script says so")
        case "malformed":
            await _piece(send, '{"choices": [{"index": 0, "te')
        case "error_frame":
            await _piece(send, {"error": {"code": "provider_error", "message": "the provider gave up", "param": None, "type": "error"}})
        case "done" | "no_done":
            if script.usage:
                await _piece(send, _frame(call, []) | {"usage": _usage(script, call)})
            if script.ending == "done":
                await _piece(send, "[DONE]")
    await send({"type": "http.response.body", "body": b""})


def _frame(call: Call, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "cmpl-replay", "object": "text_completion", "created": 1_790_000_000, "model": call.body["model"], "choices": choices}


def _choice(index: int, text: str, finish_reason: str) -> dict[str, Any]:
    return {"index": index, "text": text, "finish_reason": finish_reason}


def _completion(script: Script, call: Call) -> dict[str, Any]:
    indices = sorted({index for index, _ in script.pieces})
    whole = _frame(call, [_choice(index, script.text(index), script.finish_reason) for index in indices])
    return whole | ({"usage": _usage(script, call)} if script.usage else {})


def _usage(script: Script, call: Call) -> dict[str, int]:
    prompt, completion = len(words(str(call.body.get("prompt", "")))), len(script.pieces)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
