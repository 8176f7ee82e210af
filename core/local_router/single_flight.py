"""One call of a model for several requests that ask the same at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from core.local_router.answer import Answer, Pieces


class Flight:
    """An answer on its way to several readers; each gets all of it.

    The model is driven by the fastest reader and by nobody else: it goes on while one reader is left, and is stopped with the last.
    ``landed`` is called with the whole answer's batches, once, when it ended well; ``gone`` when nobody may join any more.
    With ``whole`` it is read to its end as soon as it began, without waiting for a reader.
    """

    def __init__(
        self,
        begin: Callable[[], Coroutine[Any, Any, Answer]],
        landed: Callable[[Answer, list[Pieces]], None],
        gone: Callable[[Flight], None],
        *,
        whole: bool = False,
    ) -> None:
        self._landed = landed
        self._gone = gone
        self._batches: list[Pieces] = []
        self._pulling: asyncio.Task[None] | None = None
        self._complete = False
        self._broken: Exception | None = None
        self._readers = 0
        self._begun = asyncio.ensure_future(self._begin_whole(begin) if whole else begin())

    async def join(self) -> Answer:
        """The answer, for one more reader; raises what beginning it raises."""
        self._readers += 1
        try:
            answer = await asyncio.shield(self._begun)
        except BaseException:
            await self.leave()
            raise
        return replace(answer, batches=FlightReader(self))

    async def batch(self, index: int) -> Pieces:
        """Batch ``index``, from 0; raises ``StopAsyncIteration`` after the last, or what broke the answer off."""
        while index >= len(self._batches):
            if self._broken is not None:
                raise self._broken
            if self._complete:
                raise StopAsyncIteration
            if self._pulling is None:
                self._pulling = asyncio.ensure_future(self._pull(self._begun.result()))
            await asyncio.shield(self._pulling)
        return self._batches[index]

    async def _begin_whole(self, begin: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        answer = await begin()
        try:
            while not self._complete and self._broken is None:
                await self._pull(answer)
        except BaseException:
            await answer.batches.aclose()
            raise
        return answer

    async def _pull(self, answer: Answer) -> None:
        try:
            self._batches.append(await answer.batches.__anext__())
        except StopAsyncIteration:
            self._complete = True
            self._landed(answer, self._batches)
            self._gone(self)
        except Exception as error:  # noqa: BLE001 - raised to every reader
            self._broken = error
            self._gone(self)
        finally:
            self._pulling = None

    async def leave(self) -> None:
        """One reader less; the last one stops the model."""
        self._readers -= 1
        if self._readers:
            return
        self._gone(self)
        working = [task for task in (self._begun, self._pulling) if task is not None]
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        if not self._begun.cancelled() and self._begun.exception() is None:
            await self._begun.result().batches.aclose()


class FlightReader:
    """One reader's way through a flight."""

    def __init__(self, flight: Flight) -> None:
        self._flight = flight
        self._next = 0
        self._left = False

    def __aiter__(self) -> FlightReader:
        return self

    async def __anext__(self) -> Pieces:
        batch = await self._flight.batch(self._next)
        self._next += 1
        return batch

    async def aclose(self) -> None:
        """Leave the flight."""
        if not self._left:
            self._left = True
            await self._flight.leave()
