"""Blocking work in threads that may ask the loop they came from for something, and is given up with whoever waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextvars import ContextVar
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MOST_THREADS: Final = 64
"""How many of a router's threads may wait for other servers at once, and hold up nobody else."""


class GivenUp(Exception):
    """Nobody waits for what this thread does."""


class _Errand:
    """What one call of `in_thread` asks of its loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._asked: Future[Any] | None = None
        self._given_up = False

    def give_up(self) -> None:
        """Stop what is being asked; nothing more will be."""
        self._given_up = True
        if self._asked is not None:
            self._asked.cancel()

    def ask(self, work: Coroutine[Any, Any, T]) -> T:
        asked = asyncio.run_coroutine_threadsafe(work, self.loop)
        self._asked = asked
        if self._given_up:
            asked.cancel()
        try:
            return asked.result()
        finally:
            self._asked = None


_errand: ContextVar[_Errand] = ContextVar("errand")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``function`` gives, called in a thread; inside it `wait_for` works, and is given up when this is cancelled."""
    errand = _Errand()
    _errand.set(errand)
    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    except asyncio.CancelledError:
        errand.give_up()
        raise


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives, run on the loop that the current `in_thread` was called on; the thread waits.

    Raises ``GivenUp`` when nobody waits for the thread any more.
    """
    try:
        return _errand.get().ask(work)
    except CancelledError:
        raise GivenUp from None
