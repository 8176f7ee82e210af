"""The worst case is exact: no execution of a plan exceeds it, and the worst execution reaches it."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.local_router.answer import Answer, AnswerCut, Call, Piece
from core.local_router.api_error import ApiError
from core.local_router.cache import AnswerCache
from core.local_router.clock import Clock
from core.local_router.pipeline import Pipeline
from core.local_router.plan import read_plan
from core.local_router.trace import Trace
from core.local_router.worst_case import WorstCase, worst_case
from core.virtual_time import VirtualTimeLoop

STATUSES = (400, 408, 429, 500, 502, 503, 504, 529)


class Worst(random.Random):
    """Chance that always makes one wait longest."""

    def uniform(self, a: float, b: float) -> float:
        return b


class Unreliable:
    """Models that wait, and then fail, break off, hang or answer slowly, by a list of ``(seconds, outcome)``; then the list again."""

    def __init__(self, steps: list[tuple[float, Any]]) -> None:
        self.steps = steps
        self.calls = 0

    def find(self, model: str) -> Unreliable:
        return self

    async def answer(self, call: Call) -> Answer:
        wait_s, outcome = self.steps[self.calls % len(self.steps)]
        self.calls += 1
        await asyncio.sleep(wait_s)
        if isinstance(outcome, int):
            raise ApiError(outcome)
        return Answer(call.model, "fp", 1, self._say(outcome, wait_s))

    async def _say(self, outcome: str, wait_s: float):  # type: ignore[no-untyped-def]
        for number in range(3):
            if outcome == "silent":
                await asyncio.sleep(wait_s)
                yield [Piece(0, "", None, 1)]
            elif outcome == "cut" and number == 0:
                raise AnswerCut
            else:
                yield [Piece(0, " word", None, 1)]
                await asyncio.sleep(wait_s)
        yield [Piece(0, "", "stop", 0)]


def executed(body: dict[str, Any], steps: list[tuple[float, Any]], rng: random.Random) -> tuple[int, float]:
    """The calls of models that were made, and the virtual seconds it took to the end."""
    models = Unreliable(steps)

    async def run() -> float:
        loop = asyncio.get_running_loop()
        clock = Clock(now=loop.time, sleep=asyncio.sleep, limit=asyncio.timeout)
        pipeline = Pipeline(models, clock, rng, AnswerCache(clock))
        try:
            answer = await pipeline.answer(Call(body["model"], body, "me"), Trace("r", "me", body, clock))
            async for _ in answer.batches:
                pass
        except (ApiError, AnswerCut):
            pass
        return loop.time()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        seconds = runner.run(run())
    return models.calls, seconds


codes = st.lists(st.sampled_from((*STATUSES, 200, 429.5)), min_size=1, max_size=4)
retries = st.fixed_dictionaries({}, optional={"count": st.integers(1, 5), "on_codes": codes})
bodies = st.fixed_dictionaries(
    {"model": st.just("a"), "prompt": st.just("p"), "stream": st.booleans()},
    optional={
        "retry": retries,
        "fallbacks": st.lists(st.fixed_dictionaries({"model": st.sampled_from("abc")}), max_size=5),
        "fallback_on_codes": st.lists(st.sampled_from(STATUSES), max_size=4, unique=True),
        "timeout": st.fixed_dictionaries({"call_timeout": st.sampled_from([1, 250, 1000.5, 60_000])}),
    },
)
outcomes = st.sampled_from([*STATUSES, "words", "cut", "silent"])
steps = st.lists(st.tuples(st.sampled_from([0.0, 0.2, 1.0, 59.0, 120.0]), outcomes), min_size=1, max_size=6)


@settings(deadline=None, max_examples=100)
@given(body=bodies, steps=steps, seed=st.integers(0, 99))
def test_no_execution_exceeds_the_worst_case(body: dict[str, Any], steps: list[tuple[float, Any]], seed: int) -> None:
    case = worst_case(read_plan(body))
    calls, seconds = executed(body, steps, Worst() if seed == 0 else random.Random(seed))
    assert calls <= case.attempts
    if case.wall_s is not None:
        assert seconds <= case.wall_s + 1e-6


def test_unlimited_without_a_call_timeout() -> None:
    case = worst_case(read_plan({"model": "a", "retry": {"count": 1}}))
    assert case == WorstCase(targets=1, attempts=2, attempts_s=None, waits_s=1.25)
    assert case.wall_s is None


@pytest.mark.parametrize(
    ("routing", "attempts", "waits_s"),
    [
        ({}, 1, 0),
        ({"retry": {}}, 4, 7 * 1.25),
        ({"retry": {"count": 5}, "fallbacks": [{"model": "b"}] * 5}, 36, 6 * 31 * 1.25),
        ({"retry": {"count": 5, "on_codes": [200, 429.5]}}, 1, 0),
        ({"fallbacks": [{"model": "b"}], "fallback_on_codes": []}, 1, 0),
    ],
    ids=["nothing", "defaults", "most", "codes that never fail", "no code to fall back on"],
)
def test_worst_case_is_reached_by_the_worst_execution(routing: dict[str, Any], attempts: int, waits_s: float) -> None:
    body = {"model": "a", "prompt": "p", "timeout": {"call_timeout": 2000}, **routing}
    retry = routing.get("retry", {})
    if 429 in retry.get("on_codes", [429]):
        body["retry"] = retry | {"on_codes": [504]} if retry or "retry" in routing else None
        body = {name: value for name, value in body.items() if value is not None}
    case = worst_case(read_plan(body))
    assert (case.attempts, case.attempts_s, case.waits_s) == (attempts, attempts * 2, waits_s)
    calls, seconds = executed(body, [(120.0, "words")], Worst())
    assert calls == attempts
    assert seconds == pytest.approx(case.wall_s)
