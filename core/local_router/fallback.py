"""Going on to the next target."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import pairwise
from typing import TypeVar

from core.local_router.api_error import ApiError
from core.local_router.trace import Trace

T = TypeVar("T")


async def first_success(targets: Sequence[str], ask: Callable[[str], Awaitable[T]], on_codes: Collection[int], trace: Trace) -> T:
    """What the first target that succeeds gives; raises the ``ApiError`` of the last one that was asked.

    The next target is asked only after a status of ``on_codes``.
    """
    for target, following in pairwise(targets):
        try:
            return await ask(target)
        except ApiError as error:
            if error.status not in on_codes:
                raise
            trace.note("fallback", after=error.status, target=following)
    return await ask(targets[-1])
