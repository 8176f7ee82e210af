"""What the connected router can look for with ``pii_redaction`` (contract §4), as data for the pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from core.client.client import RouterClient
from core.errors import RouterRejected

PATH: Final = "/v2/pii/capabilities"
NOT_SERVED: Final = (404, 405, 501)
"""How a server says that it does not have an address."""


@dataclass(frozen=True, slots=True)
class PiiCapabilities:
    """Each list is in the router's order and may be empty. ``entities`` are of every region; ``regions`` include ``all``."""

    languages: tuple[str, ...]
    entities: tuple[str, ...]
    regions: tuple[str, ...]


async def pii_capabilities(client: RouterClient) -> PiiCapabilities | None:
    """What the router tells; None where it does not serve it. Raises what ``RouterClient.call`` raises otherwise."""
    try:
        told = await client.call("GET", PATH)
    except RouterRejected as error:
        if error.status in NOT_SERVED:
            return None
        raise
    fields = told if isinstance(told, dict) else {}
    return PiiCapabilities(
        _texts(fields.get("languages")),
        _texts([*_list(fields.get("base_entities")), *_list(fields.get("all_entities"))]),
        _texts(fields.get("regions")),
    )


async def listed_capabilities(client: RouterClient) -> tuple[PiiCapabilities, ...] | None:
    """As a list of one, for what keeps lists."""
    found = await pii_capabilities(client)
    return None if found is None else (found,)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: Any) -> tuple[str, ...]:
    found: Iterable[Any] = _list(value)
    return tuple(dict.fromkeys(text for text in found if isinstance(text, str) and text))
