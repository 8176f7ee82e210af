"""What our own router tells afterwards about a request: its trace (contract §3), read once the answer has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import orjson

from core.client.client import RouterClient
from core.errors import PlaygroundError

REQUEST_ID_HEADER: Final = "x-router-request-id"
"""Only a router that keeps traces sends it."""

TRACE_S: Final = 5.0
"""How long the trace may take in all; nobody waits for it. On a busy machine one second was not always enough."""

LARGEST_TRACE: Final = 256 * 1024
_PAUSES_S: Final = (0.02, 0.08, 0.3)


async def read_trace(client: RouterClient, request_id: str, *, timeout_s: float) -> Mapping[str, Any] | None:
    """The trace of a request that has ended, or None where there is none, it is no trace, or it did not come in time.

    A router learns that a client left a moment after it did: a trace that is still under way is asked for again, a few times.
    """
    found: Mapping[str, Any] | None = None
    try:
        async with asyncio.timeout(timeout_s):
            for pause_s in (*_PAUSES_S, None):
                found = _trace(await client.call("GET", f"/v2/router/traces/{quote(request_id[:200], safe='')}"))
                if found is None or found.get("state") != "under_way" or pause_s is None:
                    break
                await asyncio.sleep(pause_s)
    except (PlaygroundError, TimeoutError):
        pass  # a run is what it is without its trace
    return found


def _trace(value: Any) -> Mapping[str, Any] | None:
    """``value`` where it is a trace of a size that can be kept."""
    if not isinstance(value, dict) or not isinstance(value.get("events"), list):
        return None
    return value if len(orjson.dumps(value)) <= LARGEST_TRACE else None
