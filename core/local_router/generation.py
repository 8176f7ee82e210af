"""Token by token: several choices of one prompt, with stops, limits and reasons to finish."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from core.local_router.answer import FinishReason, Piece
from core.local_router.models.ngram import NgramModel
from core.local_router.models.sampling import Sampler, SamplingParameters
from core.local_router.models.stops import StopFilter
from core.local_router.models.tokenizer import END_OF_TEXT

BATCH_TOKENS = 32
"""An unpaced stream lets others have their turn after this many tokens, about 2 ms."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to generate: ``prompt`` is there for echoing, ``prompt_ids`` for continuing."""

    prompt: str
    prompt_ids: Sequence[int]
    sampling: SamplingParameters
    max_tokens: int
    n: int
    stops: tuple[str, ...]
    echo: bool


class Choice:
    """One continuation of the prompt.

    Words bear the space before them, so after a prompt that ends in a space no word could follow. Such a space is taken as the first
    token's: the model sees the prompt without it, must go on with a word, and the word comes out without its space.
    """

    def __init__(self, model: NgramModel, task: Task, index: int) -> None:
        self._model = model
        self._index = index
        self._left = task.max_tokens
        self._joins_space = model.tokenizer.ends_in_lone_space(task.prompt_ids)
        self._match = model.start(task.prompt_ids[:-1] if self._joins_space else task.prompt_ids)
        self._sampler = Sampler(model, task.sampling, index)
        self._filter = StopFilter(task.stops)

    def step(self) -> Piece:
        """One token further; the piece with a finish reason is the last."""
        token = self._sampler.draw(self._match, self._model.text.spaced_words if self._joins_space else None)
        if token == END_OF_TEXT:
            return Piece(self._index, self._filter.flush(), "stop", 0)
        self._left -= 1
        text = self._filter.feed(self._model.tokenizer.text(token)[self._joins_space :])
        self._joins_space = False
        reason: FinishReason | None = None
        if self._filter.stopped:
            reason = "stop"
        elif not self._left:
            reason = "length"
            text += self._filter.flush()
        else:
            self._match = self._model.advance(self._match, token)
        return Piece(self._index, text, reason, 1)


def generate(model: NgramModel, task: Task) -> Iterator[Piece]:
    """The pieces of all choices, each choice one token a round until it has finished."""
    if task.echo:
        yield from (Piece(index, task.prompt, None, 0) for index in range(task.n))
    choices = [Choice(model, task, index) for index in range(task.n)]
    while choices:
        going_on = []
        for choice in choices:
            piece = choice.step()
            yield piece
            if piece.finish_reason is None:
                going_on.append(choice)
        choices = going_on


async def unpaced(pieces: Iterator[Piece]) -> AsyncGenerator[Sequence[Piece], None]:
    """The pieces as fast as they come, in batches, with a turn for everybody else between two."""
    batch: list[Piece] = []
    for piece in pieces:
        batch.append(piece)
        if len(batch) >= BATCH_TOKENS:
            yield batch
            batch = []
            await asyncio.sleep(0)
    yield batch


async def paced(
    pieces: Iterator[Piece],
    tokens_per_s: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[Sequence[Piece], None]:
    """The pieces on a steady schedule: token k (from 0) at k / ``tokens_per_s`` seconds after the first.

    The schedule does not drift: after a delay the tokens that are due come together. ``clock`` and ``sleep`` (seconds) are passed in
    for tests.
    """
    start = clock()
    spent = 0
    batch: list[Piece] = []
    for piece in pieces:
        if piece.tokens:
            ahead = start + spent / tokens_per_s - clock()
            spent += piece.tokens
            if ahead > 0 or len(batch) >= BATCH_TOKENS:
                yield batch
                batch = []
                await sleep(max(ahead, 0))
        batch.append(piece)
    yield batch
