"""One call of one model: up to its first text, or whole, before anybody sees any of it."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

from core.local_router.answer import Answer, AnswerCut, AnswerGarbled, Batches, Call, Model, Pieces, says_something
from core.local_router.api_error import ApiError
from core.local_router.timeout import Deadline
from core.local_router.trace import Trace, status_of


class SpoiledAnswer(ApiError):
    """The model broke off before anything was sent: a 502 to retries and fallbacks, and ``answer`` as it was when they are used up."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(502)
        self.answer = answer


class AttemptRecord:
    """The attempt's event in the trace: completed when the attempt is over, which in a stream is long after its beginning."""

    def __init__(self, trace: Trace, target: str) -> None:
        trace.attempts += 1
        trace.model = target
        self._trace = trace
        self._event = trace.note("attempt", target=target, number=trace.attempts, status=None, duration_ms=None)
        self._over = False

    def first_token(self) -> None:
        """The model said something."""
        self._trace.first_token()

    def tell(self, **data: Any) -> None:
        """More that is known about the attempt."""
        self._event.update(data)

    def end(self, status: int | None) -> None:
        """The attempt is over; only the first end counts. None: it was given up because nobody listens any more."""
        if not self._over:
            self._over = True
            self._event["status"] = status
            self._event["duration_ms"] = round(self._trace.elapsed_ms() - self._event["at_ms"], 3)


async def begin_attempt(model: Model, call: Call, deadline: Deadline, record: AttemptRecord) -> Answer:
    """An answer that has begun: its first text is there (all of it where the call does not stream).

    Raises ``ApiError`` when the model fails or takes too long before that, ``SpoiledAnswer`` when it breaks off.
    """
    try:
        answer = await deadline.within(lambda: model.answer(call))
    except BaseException as error:
        record.end(status_of(error))
        raise
    if answer.api is not None:
        record.tell(api=answer.api)
    batches = AttemptBatches(answer.batches, deadline, record)
    answer = replace(answer, batches=batches)
    try:
        await batches.take_in(whole=not call.streams)
    except (AnswerCut, AnswerGarbled) as error:
        await batches.aclose()
        batches.spoil(error)
        raise SpoiledAnswer(answer) from None
    except BaseException:
        await batches.aclose()
        raise
    return answer


class AttemptBatches:
    """What one attempt says, under its deadline and on its record; closing it stops the model, also before anything was taken."""

    def __init__(self, source: Batches, deadline: Deadline, record: AttemptRecord) -> None:
        self._source = source
        self._deadline = deadline
        self._record = record
        self._ready: deque[Pieces] = deque()
        self._silent = True
        self._complete = False
        self._spoiled: Exception | None = None

    async def take_in(self, *, whole: bool) -> None:
        """Wait for the first batch that says something, or for all of them."""
        try:
            await self._deadline.within(lambda: self._take(whole=whole))
        except Exception as error:
            self._end(error)
            if not self._complete:
                raise

    async def _take(self, *, whole: bool) -> None:
        while whole or self._silent:
            self._deadline.check()
            self._ready.append(self._heard(await self._source.__anext__()))

    def spoil(self, end: Exception) -> None:
        """Let what was taken in end with ``end``."""
        self._spoiled = end

    def __aiter__(self) -> AttemptBatches:
        return self

    async def __anext__(self) -> Pieces:
        if self._ready:
            return self._ready.popleft()
        if self._spoiled is not None:
            raise self._spoiled
        if self._complete:
            raise StopAsyncIteration
        return await self._pull()

    async def _pull(self) -> Pieces:
        try:
            return self._heard(await self._deadline.within(self._source.__anext__))
        except Exception as error:
            self._end(error)
            raise

    def _end(self, error: Exception) -> None:
        self._complete = isinstance(error, StopAsyncIteration)
        self._record.end(200 if self._complete else status_of(error))

    def _heard(self, batch: Pieces) -> Pieces:
        if self._silent and says_something(batch):
            self._silent = False
            self._record.first_token()
        return batch

    async def aclose(self) -> None:
        """Stop the model."""
        try:
            await self._source.aclose()
        finally:
            self._record.end(None)
