"""What a model is asked and what it answers, and how the middle of an answer can go wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from core.contract.response import Usage

FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]


class Piece(NamedTuple):
    """One token's step of one choice, counted from 0.

    ``text`` is what is new and may be empty (held back, or the model ended its text); ``finish_reason`` stands on a choice's last
    piece only; ``tokens`` counts what the model spent: 1, or 0 for the echoed prompt and for the end of the text. ``usage`` is a
    provider's own word on the whole answer: it stands on the last piece, of a model that is not counted here. ``reasoning_tokens``
    counts what was spent on thinking, which has no text; they are not among ``tokens``.
    """

    choice: int
    text: str
    finish_reason: FinishReason | None
    tokens: int
    usage: Usage | None = None
    reasoning_tokens: int = 0


Pieces = Sequence[Piece]


def says_something(batch: Pieces) -> bool:
    """Whether a client hears of it: the model may have spent tokens on text that is held back."""
    return any(piece.text or piece.finish_reason for piece in batch)


class Batches(Protocol):
    """Pieces that are ready together, again and again: an async generator, or what can stand for one."""

    def __aiter__(self) -> AsyncIterator[Pieces]:
        """Itself."""
        ...

    def __anext__(self) -> Awaitable[Pieces]:
        """The next batch; it may be empty."""
        ...

    def aclose(self) -> Awaitable[None]:
        """Stop; nothing happens when it has ended or was closed before."""
        ...


class Notes(Protocol):
    """Where a model tells what it did: names and numbers, never text. A trace is one."""

    def note(self, kind: str, **data: Any) -> dict[str, Any]:
        """Add an event that happens now, with ``at_ms``; what is given back may be added to."""
        ...

    def tell(self, **data: Any) -> None:
        """More about the attempt under way."""
        ...

    def elapsed_ms(self) -> float:
        """Now, on the scale of ``at_ms``."""
        ...


class NoNotes:
    """For calls that nobody asks about."""

    def note(self, kind: str, **data: Any) -> dict[str, Any]:
        """Forgets it."""
        return {"type": kind, "at_ms": 0.0, **data}

    def tell(self, **data: Any) -> None:
        """Forgets it."""

    def elapsed_ms(self) -> float:
        """No time passes."""
        return 0.0


NO_NOTES = NoNotes()


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way to a model. ``body`` is valid by the contract; ``caller`` tells whose it is, without being the key.

    ``private`` are values in the prompt that the request marked as personal (``is_pii``), for a plug-in to hide. ``notes`` is where
    the model tells what it did.
    """

    model: str
    body: Mapping[str, Any]
    caller: str
    private: tuple[str, ...] = field(default=(), repr=False)
    notes: Notes = field(default=NO_NOTES, repr=False, compare=False)

    @property
    def streams(self) -> bool:
        """Whether the answer is wanted piece by piece."""
        return self.body.get("stream") is True

    @property
    def choices(self) -> int:
        """How many choices are wanted; null means one, as leaving ``n`` out does."""
        return int(self.body.get("n") or 1)


@dataclass(frozen=True, slots=True)
class Answer:
    """A model that began to answer. ``batches`` gives the pieces that are ready together; iterating drives the model,
    closing it stops the model. It may raise ``ApiError``, ``AnswerCut`` or ``AnswerGarbled`` in the middle.

    ``prompt_tokens`` None: nothing is counted here, the usage is what the pieces tell. ``fingerprint`` is None where a provider told
    none; ``api`` is the provider's, where there is one.
    """

    model: str
    fingerprint: str | None
    prompt_tokens: int | None
    batches: Batches
    api: Literal["completions", "chat"] | None = None


class Model(Protocol):
    """Anything that can answer a call: the place where routing policies wrap."""

    async def answer(self, call: Call) -> Answer:
        """Begin to answer; raises ``ApiError`` when the model fails before its first piece."""
        ...


class AnswerCut(Exception):
    """The connection is to be closed in the middle of the answer."""


class AnswerGarbled(Exception):
    """Something that is not JSON is to be sent in the middle of the answer."""
