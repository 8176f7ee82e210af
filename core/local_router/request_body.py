"""A request's body, read to an end: what is too large is refused, not kept; what is wrong in it is told in the contract's words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.requests import Request

from core.contract.parts import Part
from core.contract.problems import Translator
from core.local_router.api_error import ApiError

P = TypeVar("P", bound=Part)

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


def read_body(kind: type[P], raw: bytes, **known: Any) -> P:
    """The body as ``kind``, with the fields already ``known`` from the address; ``ApiError`` 400 with every problem otherwise."""
    try:
        body = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ApiError(400, "The request must be JSON in UTF-8.") from None
    if not isinstance(body, Mapping):
        raise ApiError(400, "The request must be a JSON object.")
    given = {name: value for name, value in body.items() if name not in known} | known
    try:
        return kind.model_validate(given, context={"lenient": True})
    except ValidationError as error:
        problems = _translator(kind).problems(error)
    failures = [{"param": problem.path, "message": problem.message} for problem in problems]
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    raise ApiError(400, failures[0]["message"] + more, param=failures[0]["param"] or None, failures=failures)


@cache
def _translator(kind: type[Part]) -> Translator:
    return Translator(kind, whole="the request", tags={})


def _no_constant(name: str) -> None:
    raise ValueError(name)
