"""The time one attempt may take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from core.local_router.api_error import ApiError
from core.local_router.clock import Clock

T = TypeVar("T")


class Deadline:
    """``limit_ms`` from now on for everything that goes ``within``, to the attempt's end; None for no limit."""

    def __init__(self, clock: Clock, limit_ms: float | None) -> None:
        self._clock = clock
        self._limit_ms = limit_ms
        self._at = clock.now() + (limit_ms or 0) / 1000

    async def within(self, work: Callable[[], Awaitable[T]]) -> T:
        """What ``work`` gives; ``ApiError`` 504 and the work cancelled when the time is over first."""
        if self._limit_ms is None:
            return await work()
        limit = self._clock.limit(self._left_s())
        try:
            async with limit:
                return await work()
        except TimeoutError:
            if limit.expired():
                raise self._error() from None
            raise

    def check(self) -> None:
        """Between two steps of the work, for one that never waits: raises ``ApiError`` 504 when the time is over."""
        if self._limit_ms is not None:
            self._left_s()

    def _left_s(self) -> float:
        left_s = self._at - self._clock.now()
        if left_s <= 0:
            raise self._error()
        return left_s

    def _error(self) -> ApiError:
        return ApiError(504, f"The model did not finish within call_timeout, {self._limit_ms:.15g} ms.", param="timeout.call_timeout")
