"""What a model is asked and what it answers, and how the middle of an answer can go wrong."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]


class Piece(NamedTuple):
    """One token's step of one choice, counted from 0.

    ``text`` is what is new and may be empty (held back, or the model ended its text); ``finish_reason`` stands on a choice's last
    piece only; ``tokens`` counts what the model spent: 1, or 0 for the echoed prompt and for the end of the text.
    """

    choice: int
    text: str
    finish_reason: FinishReason | None
    tokens: int


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way to a model. ``body`` is valid by the contract; ``caller`` tells whose it is, without being the key."""

    model: str
    body: Mapping[str, Any]
    caller: str

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
    """

    model: str
    fingerprint: str
    prompt_tokens: int
    batches: AsyncGenerator[Sequence[Piece], None]


class Model(Protocol):
    """Anything that can answer a call: the place where routing policies wrap."""

    async def answer(self, call: Call) -> Answer:
        """Begin to answer; raises ``ApiError`` when the model fails before its first piece."""
        ...


class AnswerCut(Exception):
    """The connection is to be closed in the middle of the answer."""


class AnswerGarbled(Exception):
    """Something that is not JSON is to be sent in the middle of the answer."""
