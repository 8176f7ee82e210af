"""Token by token: several choices of one prompt, with stops, limits and reasons to finish."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

from core.local_router.answer import NO_NOTES, FinishReason, Notes, Piece
from core.local_router.models.ngram import NgramModel, Probabilities
from core.local_router.models.sampling import Sampler, SamplingParameters
from core.local_router.models.stops import StopFilter
from core.local_router.models.thinking import Deliberation, Thinking
from core.local_router.models.tokenizer import END_OF_TEXT

BATCH_TOKENS = 64
"""An unpaced stream lets others have their turn after this many tokens, about 1 ms."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to generate: ``prompt`` is there for echoing, ``prompt_ids`` for continuing; ``max_tokens`` holds thinking and text together."""

    prompt: str
    prompt_ids: Sequence[int]
    sampling: SamplingParameters
    max_tokens: int
    n: int
    stops: tuple[str, ...]
    echo: bool
    thinking: Thinking | None = None


class Choice:
    """One continuation of the prompt.

    Words bear the space before them, so after a prompt that ends in a space no word could follow. Such a space is taken as the first
    token's: the model sees the prompt without it, must go on with a word, and the word comes out without its space.
    """

    def __init__(self, model: NgramModel, task: Task, index: int, notes: Notes) -> None:
        self._model = model
        self._index = index
        self._left = task.max_tokens
        self._joins_space = model.tokenizer.ends_in_lone_space(task.prompt_ids)
        self._match = model.start(task.prompt_ids[:-1] if self._joins_space else task.prompt_ids)
        self._sampler = Sampler(model, task.sampling, index)
        self._filter = StopFilter(task.stops)
        self._steered: deque[int] = deque()
        self._thinking = None if task.thinking is None else self._think(task.thinking, task, notes)

    def _think(self, thinking: Thinking, task: Task, notes: Notes) -> Generator[int, None, None]:
        deliberation = Deliberation(self._model, self._match, self._allowed, task.sampling, self._index, thinking, task.max_tokens)
        yield from deliberation.steps(notes)
        self._steered.extend(deliberation.steered)

    def close(self) -> None:
        """Think no further."""
        if self._thinking is not None:
            self._thinking.close()

    @property
    def _allowed(self) -> Probabilities | None:
        return self._model.text.spaced_words if self._joins_space else None

    def step(self) -> Piece:
        """One step of thinking, or one token further; the piece with a finish reason is the last."""
        if self._thinking is not None:
            thought = next(self._thinking, 0)
            if thought:
                self._left -= thought
                return Piece(self._index, "", None, 0, reasoning_tokens=thought)
            self._thinking = None
        token = self._next_token()
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

    def _next_token(self) -> int:
        if not self._steered:
            return self._sampler.draw(self._match, self._allowed)
        token = self._steered.popleft()
        self._sampler.take(token)
        return token


def generate(model: NgramModel, task: Task, notes: Notes = NO_NOTES) -> Generator[Piece, None, None]:
    """The pieces of all choices, each choice one step a round until it has finished; ``notes`` hear of the thinking."""
    if task.echo:
        yield from (Piece(index, task.prompt, None, 0) for index in range(task.n))
    choices = [Choice(model, task, index, notes) for index in range(task.n)]
    try:
        while choices:
            going_on = []
            for choice in choices:
                piece = choice.step()
                yield piece
                if piece.finish_reason is None:
                    going_on.append(choice)
            choices = going_on
    finally:
        for choice in choices:
            choice.close()


async def unpaced(pieces: Iterator[Piece]) -> AsyncGenerator[Sequence[Piece], None]:
    """The pieces as fast as they come, in batches, with a turn for everybody else between two."""
    batch: list[Piece] = []
    room = BATCH_TOKENS
    for piece in pieces:
        batch.append(piece)
        room -= piece.reasoning_tokens or 1
        if room <= 0:
            yield batch
            batch, room = [], BATCH_TOKENS
            await asyncio.sleep(0)
    yield batch


async def paced(
    pieces: Iterator[Piece],
    tokens_per_s: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[Sequence[Piece], None]:
    """The pieces on a steady schedule: token or step of thinking k (from 0) at k / ``tokens_per_s`` seconds after the first.

    The schedule does not drift: after a delay the tokens that are due come together. ``clock`` and ``sleep`` (seconds) are passed in
    for tests.
    """
    start = clock()
    spent = 0
    batch: list[Piece] = []
    for piece in pieces:
        if piece.tokens or piece.reasoning_tokens:
            ahead = start + spent / tokens_per_s - clock()
            spent += 1
            if ahead > 0 or len(batch) >= BATCH_TOKENS:
                yield batch
                batch = []
                await sleep(max(ahead, 0))
        batch.append(piece)
    yield batch
