"""``name/model``: a model of an upstream, as a model that answers calls.

The upstream gets what an OpenAI-compatible server knows, and ``thinking`` as it is. ``max_tokens`` is always sent: where the request has
none it is the contract's 16, for some servers' own default is no limit. A stream is asked to tell its usage (``stream_options``). What a
server refuses and can be asked otherwise is asked otherwise, once, and remembered (``Dialect``): without ``/v1/completions`` over
``/v1/chat/completions`` with the prompt as one user message, without ``stream_options``, with ``max_completion_tokens``.
The trace's attempt says so.

Usage is the upstream's own word: nothing is counted here, and an upstream that tells none has none. Over chat, ``echo`` is done here,
and what the model says while it reasons is no text (the upstream counts it in its usage).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Final, Literal

from core.client.reply import Reply
from core.contract.parameters import PARAMETERS
from core.contract.request import DEFAULT_MAX_TOKENS
from core.contract.response import CompletionChunk, Usage, count, unwrapped
from core.errors import PlaygroundError, RouterRejected, StreamBroken
from core.local_router.answer import Answer, Call, FinishReason, Piece, Pieces
from core.local_router.api_error import ApiError
from core.local_router.upstreams.failures import upstream_failure
from core.local_router.upstreams.upstream import Dialect, Upstream

UNDERSTOOD: Final = frozenset({spec.path for spec in PARAMETERS if spec.openai} | {"thinking"})
"""The fields that are passed on."""

_NO_SUCH_ADDRESS: Final = frozenset({404, 405, 501})
_FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
"""The servers' words in the contract's; any other, such as ``eos``, is a ``stop``."""

_FIRST_HALF: Final = re.compile("[\ud800-\udbff]\\Z")


class UpstreamModel:
    """``model`` (without the prefix) of ``upstream``."""

    def __init__(self, upstream: Upstream, model: str) -> None:
        self._upstream = upstream
        self._model = model

    async def answer(self, call: Call) -> Answer:
        """Begin to answer: the upstream's first frame, or its whole answer's beginning, is there. Raises ``ApiError``."""
        dialect = self._upstream.dialect(self._model)
        switched: list[dict[str, Any]] = []
        while True:
            call.notes.tell(api=_api(dialect), **({"switched": switched} if switched else {}))
            try:
                answer = await self._ask(call, dialect)
            except RouterRejected as error:
                other = self._other_dialect(dialect, error)
                if other is None:
                    raise self._failure(error) from None
                switched.append({"status": error.status, "to": _difference(dialect, other)})
                dialect = other
            except PlaygroundError as error:
                raise self._failure(error) from None
            else:
                self._upstream.remember(self._model, dialect)
                return answer

    async def _ask(self, call: Call, dialect: Dialect) -> Answer:
        config = self._upstream.config
        path = config.chat_path if dialect.chat else config.completions_path
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(self._upstream.client(path))
            reply = await stack.enter_async_context(client.stream(upstream_body(call, self._model, dialect)))
            echoed = call.body["prompt"] if dialect.chat and call.body.get("echo") else ""
            batches = UpstreamBatches(reply, dialect, call.choices, echoed, self._failure)
            fingerprint = await batches.begin()
            batches.opened = stack.pop_all()
        return Answer(call.model, fingerprint, None, batches, api=_api(dialect))

    def _other_dialect(self, dialect: Dialect, error: RouterRejected) -> Dialect | None:
        """How to ask instead, after what was refused; None when there is no other way."""
        refused = f"{error.param} {error.cause}"
        if error.status in _NO_SUCH_ADDRESS and not dialect.chat and self._upstream.config.chat is None:
            return replace(dialect, chat=True)
        if error.status in (400, 422) and dialect.tells_stream_usage and "stream_options" in refused:
            return replace(dialect, tells_stream_usage=False)
        if error.status == 400 and dialect.max_tokens_name == "max_tokens" and "max_completion_tokens" in refused:
            return replace(dialect, max_tokens_name="max_completion_tokens")
        return None

    def _failure(self, error: PlaygroundError) -> ApiError:
        return upstream_failure(self._upstream.config.name, error, self._upstream.key_hint)


def _api(dialect: Dialect) -> Literal["completions", "chat"]:
    return "chat" if dialect.chat else "completions"


def _difference(refused: Dialect, other: Dialect) -> str:
    """What is asked otherwise, in one name for the trace."""
    if other.chat != refused.chat:
        return "chat"
    return "max_completion_tokens" if other.max_tokens_name != refused.max_tokens_name else "no stream_options"


def upstream_body(call: Call, model: str, dialect: Dialect) -> dict[str, Any]:
    """What is sent for ``call``: its own values, nulls included."""
    body = {name: value for name, value in call.body.items() if name in UNDERSTOOD and name not in ("model", "prompt", "max_tokens")}
    max_tokens = call.body.get("max_tokens")
    body[dialect.max_tokens_name] = DEFAULT_MAX_TOKENS if max_tokens is None else max_tokens
    if call.streams and dialect.tells_stream_usage:
        body["stream_options"] = {"include_usage": True}
    if not dialect.chat:
        return {"model": model, "prompt": call.body["prompt"], **body}
    body.pop("echo", None)
    return {"model": model, "messages": [{"role": "user", "content": call.body["prompt"]}], **body}


class UpstreamBatches:
    """What the upstream says, as it comes. Reasons to finish are held back to the end: only there are they known to be the last, and
    the usage with them. Closing closes the upstream's connection.
    """

    def __init__(self, reply: Reply, dialect: Dialect, choices: int, echoed: str, failure: Callable[[PlaygroundError], ApiError]) -> None:
        self.opened: AsyncExitStack | None = None
        self._reply = reply
        self._read = _chat_choices if dialect.chat else _completion_choices
        self._chunks: AsyncIterator[CompletionChunk] = aiter(reply)
        self._choices = choices
        self._echoed = echoed
        self._failure = failure
        self._halves: dict[int, str] = {}
        self._reasons: dict[int, str | None] = {}
        self._usage: Usage | None = None
        self._first: CompletionChunk | None = None
        self._ended = False

    async def begin(self) -> str | None:
        """Wait for the first frame; its fingerprint. Raises what ``Reply`` raises, and ``ApiError`` when there is none."""
        self._first = await anext(self._chunks, None)
        if self._first is None:
            raise self._failure(_broken("The stream ended before it began."))
        return self._first.system_fingerprint

    def __aiter__(self) -> UpstreamBatches:
        return self

    async def __anext__(self) -> Pieces:
        if self._ended:
            await self.aclose()
            raise StopAsyncIteration
        chunk, self._first = self._first, None
        try:
            if chunk is None:
                chunk = await anext(self._chunks, None)
        except PlaygroundError as error:
            raise self._failure(error) from None
        if chunk is not None:
            return list(self._said(chunk))
        self._ended = True
        return list(self._finish())

    async def aclose(self) -> None:
        """Let go of the upstream."""
        opened, self.opened = self.opened, None
        if opened is not None:
            await opened.aclose()

    def _said(self, chunk: CompletionChunk) -> Iterator[Piece]:
        if chunk.usage is not None:
            self._usage = chunk.usage
        for index, text, reason in self._read(chunk):
            if not 0 <= index < self._choices:
                raise self._failure(_broken(f"It sent choice {index} where {self._choices} were asked for, counted from 0."))
            if index not in self._reasons:
                self._reasons[index] = None
                text = self._echoed + text
            self._reasons[index] = reason or self._reasons[index]
            text = self._joined(index, text)
            if text:
                yield Piece(index, text, None, 0)

    def _finish(self) -> Iterator[Piece]:
        """The last piece of each choice. A stream that tells neither its end nor a reason was cut."""
        told = any(self._reasons.values()) or self._reply.told_end or not self._reply.streamed
        if not self._reasons or not told:
            raise self._failure(_broken("The answer ended without a reason to finish."))
        last = max(self._reasons)
        for index, reason in sorted(self._reasons.items()):
            text = "\ufffd" if self._halves.pop(index, "") else ""
            yield Piece(index, text, _FINISH_REASONS.get(reason or "stop", "stop"), 0, self._usage if index == last else None)

    def _joined(self, index: int, text: str) -> str:
        """``text`` after the half of an emoji that was held back, without one at its own end."""
        if text.isascii() and index not in self._halves:
            return text
        text = self._halves.pop(index, "") + text
        if _FIRST_HALF.search(text):
            self._halves[index], text = text[-1], text[:-1]
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _completion_choices(chunk: CompletionChunk) -> Iterator[tuple[int, str, str | None]]:
    """Index, new text and reason of each choice in a frame or a whole answer."""
    for choice in chunk.choices:
        yield choice.index, choice.text, choice.finish_reason


def _chat_choices(chunk: CompletionChunk) -> Iterator[tuple[int, str, str | None]]:
    """The same of ``/v1/chat/completions``, which puts the text into a ``delta`` or a ``message``."""
    listed = unwrapped(chunk.raw).get("choices")
    for position, row in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(row, Mapping):
            continue
        message = row.get("delta") or row.get("message")
        index, reason = count(row.get("index")), row.get("finish_reason")
        text = _content(message.get("content")) if isinstance(message, Mapping) else ""
        yield position if index is None else index, text, reason if isinstance(reason, str) and reason else None


def _content(content: Any) -> str:
    """A message's text: itself, or the text parts of a list."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    return content if isinstance(content, str) else ""


def _broken(cause: str) -> StreamBroken:
    return StreamBroken(cause, reason="malformed")
