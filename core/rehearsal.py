"""A draft's own routing, tried on models that fail on purpose, in virtual time: nothing is sent and nobody waits."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final

from core.contract.request import parse_request
from core.lane.lane import Lane, router_lane
from core.local_router.answer import Answer, AnswerCut, Call, Model, Piece, Pieces
from core.local_router.api_error import ApiError
from core.local_router.cache import AnswerCache
from core.local_router.clock import Clock
from core.local_router.models.rehearsal import LONGEST_DELAY_MS, RehearsalModel
from core.local_router.pipeline import Pipeline
from core.local_router.plan import Plan, read_plan, settled
from core.local_router.trace import Trace
from core.local_router.worst_case import WorstCase, worst_case
from core.virtual_time import VirtualTimeLoop

ROUTING: Final = ("retry", "fallbacks", "fallback_on_codes", "timeout", "load_balancer")
"""The fields that are rehearsed. Not the cache: it would answer the second rehearsal."""

REFUSAL_MS: Final = 80
SLOW_MS: Final = 8_000
FALLBACK_MS: Final = 500
WORD_S: Final = 0.04
WORDS: Final = 20


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How it went: ``status`` 200 or that of the last failure, ``model`` that was asked last, ``attempts`` made, ``lane`` in router time.

    ``twins`` are the models and the scripts (``models/rehearsal.py``) that stood in for them; ``worst`` is what the routing allows.
    """

    lane: Lane
    worst: WorstCase
    twins: tuple[tuple[str, str], ...]
    status: int
    model: str
    attempts: int


def rehearse(body: Mapping[str, Any], *, seed: int = 1) -> Rehearsal:
    """Rehearse the routing of ``body``; everything else in it does not matter. Raises ``InvalidRequest`` where the routing is not valid.

    The first model fails twice with 429 and then is slow, past ``call_timeout`` where there is one; fallbacks answer. ``seed`` is for
    the load balancer and the jitter. To be called from a thread without a running loop; takes a few milliseconds.
    """
    whole = settled(body)
    routing = {name: whole[name] for name in ROUTING if name in whole}
    model = whole.get("model")
    asked = {"model": model if isinstance(model, str) and model else "model", "prompt": "Rehearsal", "stream": True, **routing}
    checked = parse_request(asked).to_wire()
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_rehearsed(checked, seed))


async def _rehearsed(body: dict[str, Any], seed: int) -> Rehearsal:
    plan = read_plan(body)
    clock = Clock(now=asyncio.get_running_loop().time, sleep=asyncio.sleep, limit=asyncio.timeout)
    scripts = _scripts(body["model"], plan)
    cast = Cast({model: Twin(script, clock) for model, script in scripts.items()})
    trace = Trace("rehearsal", "rehearsal", body, clock)
    pipeline = Pipeline(cast, clock, random.Random(seed), AnswerCache(clock))  # noqa: S311 - shares and waits, no secrets
    try:
        answer = await pipeline.answer(Call(body["model"], body, "rehearsal"), trace)
        async with aclosing(answer.batches) as batches:
            async for _ in batches:
                pass
    except (ApiError, AnswerCut):
        pass  # the trace has it
    return Rehearsal(router_lane(trace.view()), worst_case(plan), tuple(scripts.items()), trace.status or 500, trace.model, trace.attempts)


def _scripts(model: str, plan: Plan) -> dict[str, str]:
    """The script of each model: those that may come first fail and dawdle, fallbacks answer."""
    limit_ms = plan.call_timeout_ms
    slow_ms = SLOW_MS if limit_ms is None else min(2 * limit_ms + 1, LONGEST_DELAY_MS)
    quick_ms = FALLBACK_MS if limit_ms is None else min(FALLBACK_MS, limit_ms / 4)
    first = [name for name, _ in plan.balanced] or [model]
    refusal_ms = REFUSAL_MS if limit_ms is None else min(REFUSAL_MS, limit_ms / 4)
    refusal = f"slow-{refusal_ms:.0f}ms-429"
    scripts = dict.fromkeys(first, f"{refusal}-{refusal}-slow-{slow_ms:.0f}ms")
    return scripts | {name: f"slow-{quick_ms:.0f}ms" for name in plan.fallbacks if name not in scripts}


class Cast:
    """The twins, by the names of the models they stand in for."""

    def __init__(self, twins: Mapping[str, Twin]) -> None:
        self._twins = twins

    def find(self, model: str) -> Model:
        """The twin of a model."""
        return self._twins[model]


class Twin:
    """Plays a script under the name of the model it was asked as."""

    def __init__(self, script: str, clock: Clock) -> None:
        self._script = f"rehearsal/{script}"
        self._model = RehearsalModel(Speaker(clock), clock.sleep)

    async def answer(self, call: Call) -> Answer:
        """The next step of the script."""
        answer = await self._model.answer(replace(call, model=self._script))
        return replace(answer, model=call.model)


class Speaker:
    """Says twenty words, a word at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def answer(self, call: Call) -> Answer:
        """An answer without content, for its times alone."""
        return Answer(call.model, "rehearsal", 1, self._words(call))

    async def _words(self, call: Call) -> AsyncGenerator[Pieces, None]:
        limit_ms = (call.body.get("timeout") or {}).get("call_timeout")
        pause_s = WORD_S if limit_ms is None else min(WORD_S, limit_ms / 1000 / (4 * WORDS))
        for number in range(1, WORDS + 1):
            yield [Piece(0, " word", "stop" if number == WORDS else None, 1)]
            await self._clock.sleep(pause_s)
