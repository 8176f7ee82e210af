"""What a run took, and what is meant by tokens per second: defined here, once.

All durations are seconds of a monotonic clock, counted from the moment the run was asked for, so a wait in the hub's queue shows in
every one of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Timings:
    """How long a run took. ``None`` where it never came to that; an answer that came whole, not as a stream, has no first token.

    ``queued_s`` until the request left; ``first_token_s`` until the first text came; ``total_s`` until the end, or until now while
    it runs; ``tokens_per_s`` as ``tokens_per_second`` defines it.
    """

    queued_s: float | None = None
    first_token_s: float | None = None
    total_s: float | None = None
    tokens_per_s: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """The four figures under their names, rounded to a tenth of a millisecond and a tenth of a token."""
        return {
            "queued_s": _rounded(self.queued_s, 4),
            "first_token_s": _rounded(self.first_token_s, 4),
            "total_s": _rounded(self.total_s, 4),
            "tokens_per_s": _rounded(self.tokens_per_s, 1),
        }


def seconds(value: float) -> str:
    """A duration in seconds as people read it: ``92 ms`` below a second, ``1.24 s`` above."""
    return f"{value * 1000:.0f} ms" if value < 0.9995 else f"{value:.2f} s"


def tokens_per_second(completion_tokens: int | None, first_token_s: float | None, total_s: float | None) -> float | None:
    """Completion tokens after the first ÷ seconds after the first: the speed of writing, without the wait before it.

    ``completion_tokens`` are those of all choices together, as the router counted them (pieces with text, where it did not tell).
    ``None`` when fewer than two tokens came or no time passed between them.
    """
    if completion_tokens is None or first_token_s is None or total_s is None:
        return None
    elapsed_s = total_s - first_token_s
    return (completion_tokens - 1) / elapsed_s if completion_tokens > 1 and elapsed_s > 0 else None


class Stopwatch:
    """Takes a run's times as they happen; each mark counts the first time only. ``clock`` gives monotonic seconds."""

    __slots__ = ("_clock", "_ended", "_first_token", "_queued", "_sent")

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._queued = clock()
        self._sent: float | None = None
        self._first_token: float | None = None
        self._ended: float | None = None

    def sent(self) -> None:
        """The request leaves."""
        self._sent = self._clock() if self._sent is None else self._sent

    def first_token(self) -> None:
        """Text came."""
        self._first_token = self._clock() if self._first_token is None else self._first_token

    def ended(self) -> None:
        """Nothing more will come."""
        self._ended = self._clock() if self._ended is None else self._ended

    def timings(self, completion_tokens: int | None) -> Timings:
        """The times so far. ``completion_tokens`` as for ``tokens_per_second``."""
        now = self._clock() if self._ended is None else self._ended
        total_s = now - self._queued
        first_token_s = None if self._first_token is None else self._first_token - self._queued
        return Timings(
            queued_s=None if self._sent is None else self._sent - self._queued,
            first_token_s=first_token_s,
            total_s=total_s,
            tokens_per_s=tokens_per_second(completion_tokens, first_token_s, total_s),
        )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
