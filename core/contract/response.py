"""What a router answers: one completion, or the pieces of a stream, and how the pieces fold into a completion.

Tolerant by design (contract §1): numeric strings and floats for counts, ``usage: null``, unknown fields, missing ``choices``,
``created`` as number or string, ``index`` as string, JSON that only Python's own parser takes. What came is kept in ``raw``.
Plain slotted classes filled from orjson's dictionaries, because a stream makes one per token.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import orjson

Created = int | str

PROMPT_DETAILS: Final = ("cached_tokens", "cache_creation_tokens", "audio_tokens")
COMPLETION_DETAILS: Final = ("reasoning_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens", "audio_tokens")
MOST_TOKENS: Final = 2**53
"""Up to here every reader of JSON has whole numbers exact."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class MalformedResponse(ValueError):
    """An answer that is not JSON, or JSON that is not an object; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class PromptTokensDetails:
    """What the prompt's tokens were; counts, ``None`` when not told."""

    cached_tokens: int | None = None
    cache_creation_tokens: int | None = None
    audio_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class CompletionTokensDetails:
    """What the completion's tokens were; counts, ``None`` when not told."""

    reasoning_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None
    audio_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the router counted them, over all choices; ``None`` when not told. ``raw`` is the object as it came."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: PromptTokensDetails | None = None
    completion_tokens_details: CompletionTokensDetails | None = None
    raw: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The counts that came, under their wire names and nested as on the wire; what was absent or null is left out."""
        counts: dict[str, Any] = _present(self, ("prompt_tokens", "completion_tokens", "total_tokens"))
        if self.prompt_tokens_details is not None:
            counts["prompt_tokens_details"] = _present(self.prompt_tokens_details, PROMPT_DETAILS)
        if self.completion_tokens_details is not None:
            counts["completion_tokens_details"] = _present(self.completion_tokens_details, COMPLETION_DETAILS)
        return counts


# Choice and CompletionChunk are records like the rest, written once and never changed. They are not frozen because a frozen
# dataclass costs 2.0 µs a token to make and these 0.5 µs, as much as the whole of splitting and parsing the frame.


@dataclass(slots=True)
class Choice:
    """One of the ``n`` texts, or the piece of it that is new. ``finish_reason`` is ``None`` where none was sent."""

    index: int
    text: str
    finish_reason: str | None = None


@dataclass(slots=True)
class CompletionChunk:
    """One frame of a stream: each choice's ``text`` is the piece that is new. ``raw`` is the frame as it came."""

    id: str | None
    object: str | None
    model: str | None
    created: Created | None
    system_fingerprint: str | None
    choices: tuple[Choice, ...]
    usage: Usage | None
    raw: Mapping[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer. ``choices`` are in the order of their index; ``raw`` is the body, ``None`` when folded from a stream."""

    id: str | None = None
    object: str | None = None
    model: str | None = None
    created: Created | None = None
    system_fingerprint: str | None = None
    choices: tuple[Choice, ...] = ()
    usage: Usage | None = None
    raw: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)


def parse_json(data: bytes, *, keep_halves: bool = False) -> Any:
    """The value in ``data``. Where orjson is stricter than servers are (half an emoji as ``\\ud83d``, bytes that are not UTF-8,
    ``NaN``), Python's parser takes it, with U+FFFD for what is no character. MalformedResponse if neither can.

    ``keep_halves`` leaves half an emoji in a ``text`` as it is, because a stream may bring the other half in the next frame.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return _mended_tree(json.loads(data.decode("utf-8", "replace")), keep_halves)
    except (ValueError, RecursionError) as problem:
        raise MalformedResponse(f"It is not JSON ({_brief(problem)}).") from None


def parse_completion(body: Mapping[str, Any] | bytes) -> Completion:
    """One completion from its JSON. Raises MalformedResponse when ``body`` is not a JSON object; everything else is tolerated."""
    chunk = chunk_from(_object(body) if isinstance(body, bytes) else body)
    choices = tuple(sorted(chunk.choices, key=lambda choice: choice.index))
    return Completion(chunk.id, chunk.object, chunk.model, chunk.created, chunk.system_fingerprint, choices, chunk.usage, chunk.raw)


def parse_chunk(data: bytes) -> CompletionChunk:
    """One frame's chunk from its JSON. Raises MalformedResponse when ``data`` is not a JSON object.

    A ``text`` may begin or end with half an emoji (a lone surrogate) when the router cut one in two; ``merge`` joins the halves.
    """
    return chunk_from(_object(data, keep_halves=True))


def chunk_from(frame: Mapping[str, Any]) -> CompletionChunk:
    """A chunk from a frame's object; also from one inside a ``{"data": {…}}`` envelope, which some SDKs' servers send literally."""
    values = frame if "choices" in frame else unwrapped(frame)
    get = values.get
    listed = get("choices")
    choices = (_choice(listed[0], 0),) if type(listed) is list and len(listed) == 1 and type(listed[0]) is dict else _choices(listed)
    name, kind, model, created = get("id"), get("object"), get("model"), get("created")
    fingerprint, usage = get("system_fingerprint"), get("usage")
    return CompletionChunk(
        name if type(name) is str else _text_or_none(name),
        kind if type(kind) is str else _text_or_none(kind),
        model if type(model) is str else _text_or_none(model),
        created if type(created) is int else _created(created),
        fingerprint if fingerprint is None or type(fingerprint) is str else _text_or_none(fingerprint),
        choices,
        usage if usage is None else parse_usage(usage),
        frame,
    )


def unwrapped(frame: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object that matters: ``frame`` itself, or what its ``data`` holds when ``frame`` is only an envelope."""
    if "choices" in frame:
        return frame
    inner = frame.get("data")
    return inner if isinstance(inner, dict) else frame


def parse_usage(value: Any) -> Usage | None:
    """Usage from its object; ``None`` for null and for anything that is not an object."""
    if not isinstance(value, Mapping):
        return None
    prompt, completion = value.get("prompt_tokens_details"), value.get("completion_tokens_details")
    return Usage(
        _tokens(value.get("prompt_tokens")),
        _tokens(value.get("completion_tokens")),
        _tokens(value.get("total_tokens")),
        PromptTokensDetails(*(_tokens(prompt.get(name)) for name in PROMPT_DETAILS)) if isinstance(prompt, Mapping) else None,
        CompletionTokensDetails(*(_tokens(completion.get(name)) for name in COMPLETION_DETAILS))
        if isinstance(completion, Mapping)
        else None,
        value,
    )


def _tokens(value: Any) -> int | None:
    """A number of tokens; ``None`` also for what is below 0, or so large that JSON readers and databases would not take it."""
    number = count(value)
    return number if number is not None and 0 <= number <= MOST_TOKENS else None


def count(value: Any) -> int | None:
    """A whole number from ``3``, ``3.0``, ``"3"`` or ``"3.0"``; ``None`` for anything else, a fraction or a boolean included."""
    if type(value) is int:
        return value
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return None


class Merge:
    """Folds chunks into one completion as they come; linear in the text, whatever the number of pieces.

    Pieces of a text are joined per index; the last non-null ``finish_reason`` of an index and the last non-null ``usage`` count;
    ``id``, ``object``, ``model``, ``created`` and ``system_fingerprint`` are the first that was told.
    """

    __slots__ = ("_created", "_fingerprint", "_finished", "_id", "_model", "_object", "_texts", "_unnamed", "_usage", "chunks")

    def __init__(self) -> None:
        self.chunks = 0
        self._unnamed = True
        self._id: str | None = None
        self._object: str | None = None
        self._model: str | None = None
        self._created: Created | None = None
        self._fingerprint: str | None = None
        self._usage: Usage | None = None
        self._texts: dict[int, list[str]] = {}
        self._finished: dict[int, str] = {}

    def add(self, chunk: CompletionChunk) -> None:
        """Takes in one more piece."""
        self.chunks += 1
        for choice in chunk.choices:
            index = choice.index
            texts = self._texts.get(index)
            if texts is None:
                self._texts[index] = [choice.text]
            else:
                texts.append(choice.text)
            if choice.finish_reason is not None:
                self._finished[index] = choice.finish_reason
        if chunk.usage is not None:
            self._usage = chunk.usage
        if self._unnamed:
            self._name(chunk)

    def _name(self, chunk: CompletionChunk) -> None:
        self._id = chunk.id if self._id is None else self._id
        self._object = chunk.object if self._object is None else self._object
        self._model = chunk.model if self._model is None else self._model
        self._created = chunk.created if self._created is None else self._created
        self._fingerprint = chunk.system_fingerprint if self._fingerprint is None else self._fingerprint
        self._unnamed = None in (self._id, self._object, self._model, self._created, self._fingerprint)

    def completion(self, *, ended: bool = True) -> Completion:
        """What the pieces so far amount to. Finish reasons are told only when the stream ``ended``: some routers send ``stop`` with
        every piece until the last one tells the real reason (contract §1), so that before the end no reason means anything."""
        finished = self._finished if ended else {}
        choices = tuple(Choice(index, _mended("".join(texts)), finished.get(index)) for index, texts in sorted(self._texts.items()))
        return Completion(self._id, self._object, self._model, self._created, self._fingerprint, choices, self._usage)


def merge(chunks: Iterable[CompletionChunk]) -> Completion:
    """The completion that ``chunks``, in the order they came, amount to; see ``Merge`` for what counts where they differ."""
    merging = Merge()
    for chunk in chunks:
        merging.add(chunk)
    return merging.completion()


def _choice(value: Mapping[str, Any], position: int) -> Choice:
    index, text, reason = value.get("index"), value.get("text"), value.get("finish_reason")
    if type(index) is not int:
        index = position if (number := count(index)) is None else number
    if type(text) is not str:
        text = "" if text is None else str(text)
    if reason is not None and (type(reason) is not str or not reason):
        reason = None
    return Choice(index, text, reason)


def _choices(listed: Any) -> tuple[Choice, ...]:
    """The choices of a list; of one object too, which is how the seed prints them."""
    if isinstance(listed, Mapping):
        listed = [listed]
    if not isinstance(listed, list):
        return ()
    return tuple(_choice(value, position) for position, value in enumerate(listed) if isinstance(value, Mapping))


def _text_or_none(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _created(value: Any) -> Created | None:
    return value if value is None or isinstance(value, str) else count(value)


def _object(data: bytes, *, keep_halves: bool = False) -> dict[str, Any]:
    value = parse_json(data, keep_halves=keep_halves)
    if type(value) is not dict:
        raise MalformedResponse(f"It is not a JSON object but {_kind(value)}.")
    return cast("dict[str, Any]", value)


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return "null" if value is None else names.get(type(value), "something else")


def _brief(problem: Exception) -> str:
    return "nested too deeply" if isinstance(problem, RecursionError) else str(problem)


def _mended(text: str) -> str:
    """``text`` with halves of emoji that stand together joined, and U+FFFD for any that stands alone, so that no later ``encode`` fails."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _mended_tree(value: Any, keep_halves: bool) -> Any:
    match value:
        case str():
            return _mended(value)
        case list():
            return [_mended_tree(item, keep_halves) for item in value]
        case dict():
            kept = value["text"] if keep_halves and isinstance(value.get("text"), str) else None
            mended = {_mended(name): _mended_tree(item, keep_halves) for name, item in value.items()}
            return mended if kept is None else {**mended, "text": kept}
        case _:
            return value


def _present(record: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(record, name)) is not None}
