"""A request's body, read to an end: what is too large is refused, not kept."""

from __future__ import annotations

from starlette.requests import Request

from core.local_router.api_error import ApiError

LARGEST_BODY = 10 * 1024 * 1024
DRAINED = 8
"""A body that is too large is read up to so many times the limit, so that the client gets to read the answer."""


async def read_bytes(request: Request, largest: int = LARGEST_BODY) -> bytes:
    """The body; ``ApiError`` 413 when it has more than ``largest`` bytes, ``ClientDisconnect`` when the client left."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= largest:
            parts.append(part)
        elif size > DRAINED * largest:
            break
    if size > largest:
        raise ApiError(413, f"The request body is larger than {largest // 1024**2} MB.")
    return b"".join(parts)
