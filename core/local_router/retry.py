"""Trying the same target again."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx

from core.client.rejection import retry_after_s
from core.local_router.api_error import ApiError
from core.local_router.clock import Clock
from core.local_router.plan import Retry
from core.local_router.trace import Trace

T = TypeVar("T")
BACK_OFF_S = (1, 2, 4, 8, 16)
JITTER = 0.25
"""Before retry k (from 0) the router waits ``BACK_OFF_S[k]`` seconds, up to a quarter more or less (contract, section 3)."""


async def with_retries(attempt: Callable[[], Awaitable[T]], retry: Retry, clock: Clock, rng: random.Random, trace: Trace) -> T:
    """What the first attempt that succeeds gives; raises the last one's ``ApiError``."""
    for number in range(retry.count):
        try:
            return await attempt()
        except ApiError as error:
            if error.status not in retry.on_codes:
                raise
            wait_s, reason = back_off(number, error, rng)
        trace.note("back_off", wait_ms=round(wait_s * 1000, 3), reason=reason)
        await clock.sleep(wait_s)
    return await attempt()


def back_off(number: int, error: ApiError, rng: random.Random) -> tuple[float, str]:
    """Seconds to wait before retry ``number`` (from 0), and what decided: ``Retry-After`` where it asks for longer."""
    wait_s = BACK_OFF_S[number] * rng.uniform(1 - JITTER, 1 + JITTER)
    asked_s = retry_after_s(httpx.Headers(error.headers)) or 0.0
    return (asked_s, "retry-after") if asked_s > wait_s else (wait_s, "back-off")
