"""Waiting for something to become true."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
WITHIN_S = 45.0
"""How long a condition may take to come true on a busy machine. Nobody waits for it but a test that fails."""

_INTERVAL_S = 0.01


def eventually(condition: Callable[[], T], *, within_s: float = WITHIN_S, what: str = "") -> T:
    """The first truthy value of ``condition``, asked every 10 ms; AssertionError when there was none ``within_s`` seconds."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what or condition}; last value {value!r}")
        time.sleep(_INTERVAL_S)


async def comes_true(condition: Callable[[], T], *, within_s: float = WITHIN_S, what: str = "") -> T:
    """`eventually`, while the running loop goes on."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what or condition}; last value {value!r}")
        await asyncio.sleep(_INTERVAL_S)
    return value
