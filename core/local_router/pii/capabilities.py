"""``GET /v2/pii/capabilities``: what can be looked for."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


async def show_capabilities(_request: Request) -> Response:
    """The answer to ``GET``."""
    return JSONResponse(capabilities())


def capabilities() -> dict[str, Any]:
    """The answer, in the form of the official client's ``CapabilitiesResponse``: every kind has the default threshold."""
    from core.local_router.pii.context import LANGUAGES  # patterns are compiled when somebody asks
    from core.local_router.pii.kinds import ALL, BASE, BY_REGION, DEFAULT_THRESHOLD, KINDS, MAX_TEXT_CHARS

    return {
        "languages": list(LANGUAGES),
        "base_entities": list(BASE),
        "all_entities": list(KINDS),
        "regions": [*BY_REGION, ALL],
        "region_entities": {region: {"entities": list(kinds)} for region, kinds in BY_REGION.items()},
        "entity_thresholds": {},
        "default_threshold": DEFAULT_THRESHOLD,
        "max_text_chars": MAX_TEXT_CHARS,
    }
