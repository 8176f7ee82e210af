"""From a request to an answer: what shapes the prompt, then cache, load balancer, attempts under a deadline, retries, fallbacks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from core.local_router.answer import Answer, Call, Model
from core.local_router.attempt import AttemptRecord, SpoiledAnswer, begin_attempt
from core.local_router.cache import AnswerCache, cache_key, counted
from core.local_router.clock import Clock
from core.local_router.fallback import first_success
from core.local_router.load_balancer import draw, shares
from core.local_router.pii.step import hide
from core.local_router.plan import Plan, read_plan
from core.local_router.recent_requests import RecentRequests
from core.local_router.retry import with_retries
from core.local_router.timeout import Deadline
from core.local_router.trace import Trace, TracedBatches, status_of


class Catalog(Protocol):
    """Where models are found."""

    def find(self, model: str) -> Model:
        """The model of that id; ``ApiError`` 404 where there is none."""
        ...


class Shaper(Protocol):
    """One step from the prompt that was sent to the prompt that models get: a stored prompt, its inputs, knowledge."""

    async def shape(self, call: Call, trace: Trace) -> Call:
        """The call with what this step adds to its body, or ``call`` itself; ``ApiError`` where it cannot be done."""
        ...


class Pipeline:
    """The routing policies around the models. A call's body is settled: each twin stands at the top level.

    ``shapers`` work on the prompt one after the other, before anything is looked up or drawn. Personal data is hidden after them and put
    back last, so that neither the cache nor a model gets to see it. ``owner`` makes of a caller whose cached answers may be given.
    """

    def __init__(
        self,
        models: Catalog,
        clock: Clock,
        rng: random.Random,
        cache: AnswerCache,
        shapers: Sequence[Shaper] = (),
        owner: Callable[[str], str] = str,
    ) -> None:
        self._models = models
        self._clock = clock
        self._rng = rng
        self._cache = cache
        self._recent = RecentRequests()
        self._shapers = tuple(shapers)
        self._owner = owner

    async def answer(self, call: Call, trace: Trace) -> Answer:
        """An answer whose first text is there; its batches must be closed. ``ApiError`` when every target failed before that."""
        plan, asked = read_plan(call.body), call.body
        try:
            for shaper in self._shapers:
                call = await shaper.shape(call, trace)
            hidden = await hide(call, trace)
            call = hidden.call
            if plan.cache_ttl_s is None:
                answer = await self._route(call, plan, trace)
            else:
                shaped = counted(call.body)
                key = cache_key(shaped, self._owner(call.caller))
                answer = await self._cache.answer(
                    key,
                    plan.cache_ttl_s,
                    trace,
                    lambda: self._route(call, plan, trace),
                    lambda: self._recent.compare(
                        call.caller, key, shaped if call.body is asked else counted(asked), call.body.get("prompt")
                    ),
                    whole=not call.streams,
                )
        except asyncio.CancelledError:
            trace.end("cancelled", None)
            raise
        except Exception as error:
            trace.end("failed", status_of(error))
            raise
        trace.model = answer.model
        answer = hidden.restored(answer)
        return replace(answer, batches=TracedBatches(answer.batches, trace))

    async def _route(self, call: Call, plan: Plan, trace: Trace) -> Answer:
        async def ask(target: str) -> Answer:
            return await with_retries(
                lambda: self._attempt(replace(call, model=target, notes=trace), plan, trace), plan.retry, self._clock, self._rng, trace
            )

        targets = (self._draw(call, plan, trace), *plan.fallbacks)
        try:
            return await first_success(targets, ask, plan.fallback_on_codes, trace)
        except SpoiledAnswer as spoiled:
            return spoiled.answer

    def _draw(self, call: Call, plan: Plan, trace: Trace) -> str:
        if not plan.balanced:
            return call.model
        drawn = draw(plan.balanced, self._rng)
        weights = [
            {"model": model, "share": round(share, 6)}
            for (model, _), share in zip(plan.balanced, shares([weight for _, weight in plan.balanced]), strict=True)
        ]
        trace.note("draw", models=weights, drawn=drawn)
        return drawn

    async def _attempt(self, call: Call, plan: Plan, trace: Trace) -> Answer:
        record = AttemptRecord(trace, call.model)
        try:
            model = self._models.find(call.model)
        except Exception as error:
            record.end(status_of(error))
            raise
        return await begin_attempt(model, call, Deadline(self._clock, plan.call_timeout_ms), record)
