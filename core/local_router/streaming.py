"""An answer as JSON or as server-sent events."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Sequence
from contextlib import aclosing, suppress
from typing import Any, TypeVar

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core.contract.response import Usage
from core.local_router.answer import Answer, AnswerCut, AnswerGarbled, Piece
from core.local_router.api_error import ApiError

T = TypeVar("T")
EVENT_STREAM = "text/event-stream; charset=utf-8"

WATCHED_AFTER_S = 0.01
"""From when on a request's connection is watched; one that the client has left meanwhile is noticed then."""


class ClientGone(Exception):
    """The client closed the connection before it had its answer."""


async def unless_client_leaves(receive: Receive, work: Awaitable[T]) -> T:
    """What ``work`` gives; it is cancelled, and ``ClientGone`` raised, at once when the client closes the connection.

    The request's body must have been read. The work stays in this task: another one for it took a tenth of a request's time. What is done
    within ``WATCHED_AFTER_S`` is not watched, for the same reason.
    """
    worker = asyncio.current_task()
    leaving: asyncio.Task[None] | None = None
    gone = over = False

    def leave(_: object) -> None:
        nonlocal gone
        if worker is not None and not over:
            gone = worker.cancel()

    def watch() -> None:
        nonlocal leaving
        leaving = asyncio.ensure_future(_disconnect(receive))
        leaving.add_done_callback(leave)

    watching = asyncio.get_running_loop().call_later(WATCHED_AFTER_S, watch)
    try:
        return await work
    except asyncio.CancelledError:
        if gone and worker is not None and not worker.uncancel():
            raise ClientGone from None
        raise
    finally:
        over = True
        watching.cancel()
        if leaving is not None:
            leaving.cancel()


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Spelling:
    """How an answer is written: the fields around the text, and counting what was spent.

    ``open_reason`` stands as ``finish_reason`` on every frame but a choice's last: ``stop`` where clients want a value on each
    (``/v2``, ``/v3``), None where OpenAI's form is expected (``/v1``).
    """

    def __init__(self, answer: Answer, open_reason: str | None) -> None:
        self._answer = answer
        self._head: dict[str, Any] = {
            "id": f"cmpl-{uuid.uuid4().hex}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": answer.model,
            "system_fingerprint": answer.fingerprint,
        }
        self._frame_head = b"data: " + orjson.dumps(self._head)[:-1] + b',"choices":[{"index":'
        self._open_reason = orjson.dumps(open_reason)
        self._spent = self._reasoned = 0
        self._told: Usage | None = None

    def usage(self) -> dict[str, Any] | None:
        """Tokens of the prompt (counted once, whatever ``n``) and of everything generated so far, reasoning included; of a provider,
        what it told."""
        if self._answer.prompt_tokens is None:
            return None if self._told is None else self._told.to_dict()
        return {
            "prompt_tokens": self._answer.prompt_tokens,
            "completion_tokens": self._spent + self._reasoned,
            "total_tokens": self._answer.prompt_tokens + self._spent + self._reasoned,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_creation_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": self._reasoned,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
                "audio_tokens": 0,
            },
        }

    def frame(self, piece: Piece, *, last: bool) -> bytes:
        """One event for one piece, with the usage on the stream's last; nothing for a piece that says nothing."""
        self._count(piece)
        if not piece.text and piece.finish_reason is None:
            return b""
        reason = self._open_reason if piece.finish_reason is None else orjson.dumps(piece.finish_reason)
        tail = b'}],"usage":' + orjson.dumps(self.usage()) + b"}\n\n" if last else b"}]}\n\n"
        return b'%b%d,"text":%b,"finish_reason":%b%b' % (self._frame_head, piece.choice, orjson.dumps(piece.text), reason, tail)

    def _count(self, piece: Piece) -> None:
        self._spent += piece.tokens
        self._reasoned += piece.reasoning_tokens
        self._told = piece.usage or self._told

    def garbled_frame(self) -> bytes:
        """An event that breaks off in the middle of its JSON."""
        return self._frame_head + b'0,"text":"\n\n'

    def completion(self, batches: Sequence[Piece], choices: int) -> dict[str, Any]:
        """The whole answer, from all its pieces."""
        texts: list[list[str]] = [[] for _ in range(choices)]
        reasons: list[str | None] = [None] * choices
        for piece in batches:
            texts[piece.choice].append(piece.text)
            reasons[piece.choice] = piece.finish_reason
            self._count(piece)
        rows = [
            {"index": index, "text": "".join(text), "finish_reason": reasons[index] or "stop"}
            for index, text in enumerate(texts)
            if text or self._answer.prompt_tokens is not None  # an upstream may give fewer choices than were asked for
        ]
        return {**self._head, "choices": rows, "usage": self.usage()}


async def json_response(answer: Answer, choices: int, headers: dict[str, str]) -> Response:
    """The whole answer in one piece."""
    pieces: list[Piece] = []
    spoiled: Exception | None = None
    try:
        async with aclosing(answer.batches) as batches:
            async for batch in batches:
                pieces.extend(batch)
    except (AnswerCut, AnswerGarbled) as error:
        spoiled = error
    body = orjson.dumps(Spelling(answer, None).completion(pieces, choices))
    match spoiled:
        case None:
            return Response(body, headers=headers, media_type="application/json")
        case AnswerGarbled():
            return Response(body[: len(body) // 2], headers=headers, media_type="application/json")
        case _:
            return CutResponse(body, headers=headers, media_type="application/json")


class CutResponse(Response):
    """Announces its whole body, sends half of it, and leaves: the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


class EventStream(Response):
    """The answer as events, each batch written at once; the model stops as soon as the client leaves."""

    media_type = EVENT_STREAM

    def __init__(self, answer: Answer, choices: int, open_reason: str | None, headers: dict[str, str]) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no", **headers})
        self._answer = answer
        self._choices = choices
        self._spelling = Spelling(answer, open_reason)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events. Returning without a last part, as after a cut, makes the server close the connection."""
        try:
            with suppress(ClientGone):
                await unless_client_leaves(receive, self._run(send))
        finally:
            await self._answer.batches.aclose()  # also when the client left before the first event

    async def _run(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        end = b"data: [DONE]\n\n"
        try:
            await self._send_pieces(send)
        except AnswerCut:
            return
        except AnswerGarbled:
            end = self._spelling.garbled_frame() + end
        except ApiError as error:
            end = b"data: " + error.body() + b"\n\n" + end
        await send({"type": "http.response.body", "body": end, "more_body": False})

    async def _send_pieces(self, send: Send) -> None:
        open_choices = self._choices
        async with aclosing(self._answer.batches) as batches:
            async for batch in batches:
                frames = []
                for piece in batch:
                    open_choices -= piece.finish_reason is not None
                    frames.append(self._spelling.frame(piece, last=not open_choices or piece.usage is not None))
                data = b"".join(frames)
                if data:
                    await send({"type": "http.response.body", "body": data, "more_body": True})
