"""Stand-ins for what the routing policies meet: time, chance and models."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from core.local_router.answer import Answer, AnswerCut, Call, Piece
from core.local_router.api_error import ApiError
from core.local_router.cache import CAPACITY_BYTES, AnswerCache
from core.local_router.clock import Clock
from core.local_router.pipeline import Pipeline
from core.local_router.plan import settled
from core.local_router.trace import Trace


async def at_once(_seconds: float) -> None:
    """A sleep that does not wait."""


class FakeTime:
    """Time that passes only by sleeping, at once; ``slept`` tells how long each time, in seconds."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.slept: list[float] = []
        self.clock = Clock(now=lambda: self.now_s, sleep=lambda seconds: self.sleep(seconds))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


Outcome = int | str | Exception | Callable[[], Awaitable[Any]]
"""An error status, a text said word by word, an error in the middle of the answer, or something to wait for."""


class ScriptedModel:
    """Plays one list of outcomes a call; the last list again when there are no more."""

    def __init__(self, *calls: Sequence[Outcome]) -> None:
        self.calls = list(calls)
        self.asked: list[Call] = []
        self.closed = 0

    async def answer(self, call: Call) -> Answer:
        self.asked.append(call)
        outcomes = self.calls[min(len(self.asked), len(self.calls)) - 1]
        if isinstance(outcomes[0], int):
            raise ApiError(outcomes[0])
        return Answer(call.model, "fp", 7, self._say(outcomes))

    async def _say(self, outcomes: Sequence[Outcome]) -> AsyncGenerator[Sequence[Piece], None]:
        try:
            for outcome in outcomes:
                if isinstance(outcome, str):
                    for word in outcome.split():
                        yield [Piece(0, f" {word}", None, 1)]
                        await asyncio.sleep(0)
                elif isinstance(outcome, Exception):
                    raise outcome
                elif callable(outcome):
                    await outcome()
            yield [Piece(0, "", "stop", 0)]
        finally:
            self.closed += 1


async def heard(answer: Answer) -> tuple[str, Exception | None]:
    """All that an answer says, and the error it ends in."""
    said: list[str] = []
    async with aclosing(answer.batches) as batches:
        try:
            async for batch in batches:
                said += [piece.text for piece in batch]
        except (ApiError, AnswerCut) as error:
            return "".join(said), error
    return "".join(said), None


class Bench:
    """A pipeline around scripted models, with its own time and chance."""

    def __init__(self, seed: int = 1, capacity_bytes: int = CAPACITY_BYTES, **models: ScriptedModel) -> None:
        self.models = models
        self.time = FakeTime()
        self.traces: list[Trace] = []
        cache = AnswerCache(self.time.clock, capacity_bytes)
        self.pipeline = Pipeline(self, self.time.clock, random.Random(seed), cache)

    def find(self, model: str) -> ScriptedModel:
        try:
            return self.models[model]
        except KeyError:
            raise ApiError(404, code="model_not_found") from None

    async def begin(self, caller: str = "me", **body: Any) -> Answer:
        """The answer, begun; its trace is the newest of ``traces``."""
        whole = settled({"model": "a", "prompt": "Say it", **body})
        trace = Trace("req_1", caller, whole, self.time.clock)
        self.traces.append(trace)
        return await self.pipeline.answer(Call(whole["model"], whole, caller), trace)

    async def say(self, **body: Any) -> str:
        """All of the answer's text."""
        said, error = await heard(await self.begin(**body))
        if error is not None:
            raise error
        return said

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The newest trace's events of one kind."""
        return [event for event in self.traces[-1].events if event["type"] == kind]

    @property
    def headers(self) -> dict[str, str]:
        """What the newest answer's headers tell, without their prefix."""
        return {name.removeprefix("x-router-"): value for name, value in self.traces[-1].headers().items()}
