"""Virtual seconds pass by waiting only, and at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from core.virtual_time import VirtualTimeLoop


def played(work: Coroutine[Any, Any, float]) -> float:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)


async def now() -> float:
    return asyncio.get_running_loop().time()


def test_an_hour_of_sleep_is_over_at_once() -> None:
    async def sleep() -> float:
        await asyncio.gather(asyncio.sleep(3600), asyncio.sleep(1800))
        return await now()

    began = time.monotonic()
    assert played(sleep()) == pytest.approx(3600)
    assert time.monotonic() - began < 60


def test_a_time_limit_ends_a_longer_wait_when_it_is_due() -> None:
    async def limited() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5):
                await asyncio.sleep(60)
        return await now()

    assert played(limited()) == pytest.approx(2.5)


def test_no_time_passes_without_waiting() -> None:
    assert played(now()) == 0


def test_work_in_another_thread_is_waited_for() -> None:
    async def elsewhere() -> float:
        return await asyncio.to_thread(lambda: time.sleep(0.01) or 7.0)

    assert played(elsewhere()) == 7.0
