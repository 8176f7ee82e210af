"""Fields of the contract that the local router cannot honour yet: refused by name, never ignored in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.local_router.api_error import ApiError

ORQ_FIELDS = ("prompt", "inputs")


def refuse_unsupported(body: Mapping[str, Any]) -> None:
    """Raise ``ApiError`` 501 when ``body`` asks for something that is not built. Null, an empty list and an empty ``orq`` ask for
    nothing."""
    asked = list(_asked(body))
    if asked:
        others = f" Neither can it do {', '.join(asked[1:])}." if len(asked) > 1 else ""
        raise ApiError(501, f"The local router does not honour {asked[0]} yet; take it out of the request.{others}", param=asked[0])


def _asked(body: Mapping[str, Any]) -> Iterator[str]:
    orq = body.get("orq") or {}
    yield from (f"orq.{name}" for name in ORQ_FIELDS if _is_set(orq.get(name)))


def _is_set(value: Any) -> bool:
    return value is not None and value != []
