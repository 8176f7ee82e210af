"""Blocking work in threads that may ask the loop they came from for something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_loop: ContextVar[asyncio.AbstractEventLoop] = ContextVar("loop")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``function`` gives, called in a thread; inside it `wait_for` works."""
    _loop.set(asyncio.get_running_loop())
    return await asyncio.to_thread(function, *args, **kwargs)


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives, run on the loop that the current `in_thread` was called on; the thread waits."""
    return asyncio.run_coroutine_threadsafe(work, _loop.get()).result()
