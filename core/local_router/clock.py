"""Time as the routing policies see it: passed in, so that tests need not wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """``now`` gives monotonic seconds, ``sleep`` waits so many, ``limit`` ends what runs inside it after so many, by ``TimeoutError``."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    limit: Callable[[float], asyncio.Timeout] = asyncio.timeout


SYSTEM_CLOCK = Clock()
