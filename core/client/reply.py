"""An answer as it comes: bytes from httpx, decoded into typed chunks, with what goes wrong on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final, Literal, cast

import httpx
import orjson

from core.client.rejection import ErrorTold, any_error, error_told, media_type, rejection, request_id
from core.client.sse import Event, EventDecoder, FrameTooLarge
from core.connection import Connection
from core.contract.response import (
    Completion,
    CompletionChunk,
    MalformedResponse,
    Merge,
    chunk_from,
    parse_completion,
    parse_json,
    unwrapped,
)
from core.errors import RouterRejected, StreamBroken
from core.redaction import MASK, redacted, redacted_json, secrets

RAW_LIMIT: Final = 4 * 1024 * 1024
WHOLE_LIMIT: Final = 64 * 1024 * 1024
_DRAIN_S: Final = 0.1
_READABLE_ENCODINGS: Final = frozenset({"", "identity", "gzip", "deflate"})
_COMPLETION_FIELDS: Final = frozenset({"choices", "id", "object", "model", "usage"})
_LOOK: Final = "Look at the response as received: it shows what the server sends."
Reason = Literal["error_frame", "cut", "malformed", "frame_too_large", "read_timeout"]


class Reply:
    """What a router answered with a good status: iterate it, once, for the chunks.

    ``streamed`` tells whether it came as an event stream, ``told_end`` whether that stream has said ``[DONE]`` by now; an answer in one
    piece is iterated as its only chunk. Iterating raises StreamBroken with what had come by then, and RouterRejected when an answer in
    one piece turns out to be no completion.
    """

    def __init__(self, response: httpx.Response, connection: Connection) -> None:
        self._response = response
        self._connection = connection
        self._merge = Merge()
        self._whole: Completion | None = None
        self._raw: list[bytes] = []
        self._raw_room = RAW_LIMIT
        self._body: AsyncGenerator[bytes] | None = None
        self._iteration: AsyncGenerator[CompletionChunk] | None = None
        self._ended = False
        self.status: int = response.status_code
        self.headers: httpx.Headers = httpx.Headers([(name, redacted(value, connection)) for name, value in response.headers.multi_items()])
        self.request_id: str | None = request_id(self.headers)
        self.streamed: bool = media_type(self.headers) == "text/event-stream"
        self.raw_truncated: bool = False
        self.told_end: bool = False

    def __aiter__(self) -> AsyncIterator[CompletionChunk]:
        if self._iteration is not None:
            raise RuntimeError("A reply is iterated once; its completion() keeps what came.")
        self._iteration = self._chunks() if self.streamed else self._only_chunk()
        return self._iteration

    @property
    def raw(self) -> bytes:
        """The body as received so far, decompressed, at most 4 MiB of it; past that ``raw_truncated`` is true."""
        raw = b"".join(self._raw)
        for secret in secrets(self._connection):
            raw = raw.replace(secret.encode(), MASK.encode())
        return raw

    def completion(self) -> Completion:
        """What has come so far, merged, with finish reasons only once the stream has ended well; of an answer in one piece, that answer."""
        return self._merge.completion(ended=self._ended) if self._whole is None else self._whole

    async def read_json(self) -> Any:
        """The JSON value of an answer in one piece. Raises RouterRejected when it is none, StreamBroken when it breaks off."""
        body = await self._read_whole()
        value = self._json(body)
        if value is None or (isinstance(value, dict) and error_told(value)):
            raise self._no_completion(body)
        return value

    async def read_error(self, limit: int) -> bytes:
        """The beginning of an error's body, or as much of it as comes; never raises for a body that breaks off."""
        try:
            async for received in self._bytes():
                self._keep(received)
                if self._received() >= limit:
                    break
        except (httpx.HTTPError, StreamBroken):
            pass
        return b"".join(self._raw)[:limit]

    async def aclose(self) -> None:
        """Lets go of the answer. A stream that was read to its ``[DONE]`` gives its connection back; any other is closed."""
        body = self._body
        try:
            if self._ended and body is not None and not self._response.is_closed:
                await _drain(body)
        finally:  # also when the caller is cancelled meanwhile
            await self._response.aclose()
        for generator in (self._iteration, body):
            if generator is not None:
                await generator.aclose()

    async def _chunks(self) -> AsyncGenerator[CompletionChunk]:
        decoder = EventDecoder()
        feed, keep, take = decoder.feed, self._keep, self._take  # once, not once a token
        failure: StreamBroken | None = None
        try:
            async for received in self._bytes():
                keep(received)
                for event in feed(received):
                    yield take(event)
                if decoder.done:
                    self._ended = self.told_end = True
                    return
        except FrameTooLarge as problem:
            rest = problem.events
            failure = self._broken("frame_too_large", str(problem), _LOOK)
        except httpx.HTTPError as problem:
            rest = decoder.end()
            failure = self._transport_failure(problem)
        else:
            rest = decoder.end()
        cut = failure or self._broken("cut", "The stream ended in the middle of a frame.", "Run it again; what came is kept.")
        for event in rest:
            yield self._take(event, cut)
        if failure is not None:
            raise self._with_partial(failure)
        self._ended = True

    async def _only_chunk(self) -> AsyncGenerator[CompletionChunk]:
        body = await self._read_whole()
        value = self._json(body)
        if type(value) is not dict or error_told(unwrapped(value)) or _COMPLETION_FIELDS.isdisjoint(unwrapped(value)):
            raise self._no_completion(body)
        self._whole = whole = parse_completion(value)
        yield CompletionChunk(
            whole.id, whole.object, whole.model, whole.created, whole.system_fingerprint, whole.choices, whole.usage, value
        )

    def _take(self, event: Event, otherwise: StreamBroken | None = None) -> CompletionChunk:
        """The chunk of one event. Raises StreamBroken for an error and for what is no frame: ``otherwise``, if given."""
        try:
            frame = orjson.loads(event.data)
        except orjson.JSONDecodeError:
            frame = _tolerantly(event.data, keep_halves=True)
        if type(frame) is not dict or "choices" not in frame or "error" in frame or event.event == "error":
            failure = self._error_in(event, frame, otherwise)
            if failure is not None:
                raise failure
        chunk = chunk_from(frame)
        self._merge.add(chunk)
        return chunk

    def _error_in(self, event: Event, frame: Any, otherwise: StreamBroken | None) -> StreamBroken | None:
        """Why ``frame`` is no piece of text; ``None`` when it may be one."""
        if event.event == "error":
            said = event.data.decode("utf-8", "replace") if frame is None else frame
        elif type(frame) is dict:
            said = unwrapped(frame)
            if error_told(said) is None and ("message" not in said or not _COMPLETION_FIELDS.isdisjoint(said)):
                return None
        elif otherwise is not None:
            return self._with_partial(otherwise)
        else:
            shown = event.data[:80].decode("utf-8", "replace")
            return self._with_partial(self._broken("malformed", f"A frame of the stream is not a JSON object: {shown}", _LOOK))
        return self._with_partial(self._error_frame(any_error(redacted_json(said, self._connection))))

    def _error_frame(self, told: ErrorTold) -> StreamBroken:
        said = told.message or "the router did not say why."
        label = f" ({told.code})" if told.code else ""
        failure = self._broken("error_frame", f"The stream ended in an error{label}: {said}", "Run it again, or set a fallback model.")
        failure.code, failure.status = told.code, told.status
        failure.request_id = self.request_id or told.request_id
        return failure

    def _transport_failure(self, problem: httpx.HTTPError) -> StreamBroken:
        if isinstance(problem, httpx.TimeoutException):
            seconds = self._connection.read_timeout_s
            return self._broken(
                "read_timeout", f"The stream fell silent for {seconds:g} s.", "Run it again, or raise the connection's read time-out."
            )
        if isinstance(problem, httpx.DecodingError):
            return self._broken("malformed", "The stream is compressed, and the compression is broken.", "Run it again.")
        return self._broken("cut", "The connection was cut before the stream ended.", "Run it again; what came is kept.")

    def _broken(self, reason: Reason, cause: str, next_step: str) -> StreamBroken:
        return StreamBroken(redacted(cause, self._connection), next_step, reason=reason, request_id=self.request_id)

    def _with_partial(self, failure: StreamBroken) -> StreamBroken:
        failure.partial = self.completion() if self._merge.chunks else None
        return failure

    def _no_completion(self, body: bytes) -> RouterRejected:
        return rejection(self.status, self.headers, body, self._connection)

    async def _read_whole(self) -> bytes:
        """The body of an answer in one piece. Raises StreamBroken when it breaks off or does not end."""
        pieces: list[bytes] = []
        size = 0
        try:
            async for received in self._bytes():
                self._keep(received)
                pieces.append(received)
                size += len(received)
                if size > WHOLE_LIMIT:
                    failure = self._broken("frame_too_large", f"The answer is longer than {WHOLE_LIMIT:,} bytes.", "Check the address.")
                    break
            else:
                return b"".join(pieces)
        except httpx.HTTPError as problem:
            failure = self._transport_failure(problem)
        raise failure

    def _json(self, body: bytes) -> Any:
        """The value of a body that says it is JSON, or does not say what it is; ``None`` for any other."""
        kind = media_type(self.headers)
        return _tolerantly(body) if kind.endswith("json") or not kind else None

    def _bytes(self) -> AsyncGenerator[bytes]:
        """The body as it comes, in as few layers as httpx allows; through its decompression only if the server compresses unasked."""
        encodings = {name.strip().lower() for name in self.headers.get("content-encoding", "").split(",")}
        if not encodings <= _READABLE_ENCODINGS:
            name = ", ".join(sorted(encodings - _READABLE_ENCODINGS))
            raise self._broken("malformed", f"The answer is compressed in a way not asked for ({name}).", "Switch that off on the server.")
        if encodings <= {"", "identity"}:  # past aiter_raw, whose layer costs 6 % of a token and adds a count nobody reads
            body = cast("httpx.AsyncByteStream", self._response.stream).__aiter__()
        else:
            body = self._response.aiter_bytes()
        self._body = cast("AsyncGenerator[bytes]", body)  # httpx declares the wider type
        return self._body

    def _keep(self, received: bytes) -> None:
        """Keeps the bytes for ``raw``, as long as there is room."""
        if len(received) > self._raw_room:
            self.raw_truncated = True
            received = received[: self._raw_room]
        if received:
            self._raw.append(received)
            self._raw_room -= len(received)

    def _received(self) -> int:
        return RAW_LIMIT - self._raw_room


async def _drain(body: AsyncGenerator[bytes]) -> None:
    """Reads the few bytes that HTTP itself sends after the last frame, but waits for no server that keeps the line open."""
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for _ in body:
                pass
    except (TimeoutError, httpx.HTTPError):
        return


def _tolerantly(data: bytes, *, keep_halves: bool = False) -> Any:
    """The value of ``data``; ``None`` when it is no JSON at all."""
    try:
        return parse_json(data, keep_halves=keep_halves)
    except MalformedResponse:
        return None
