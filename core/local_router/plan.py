"""What a request asks of the router itself, as opposed to the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.contract.routing import TWINS

FALLBACK_ON_CODES = (408, 429, 500, 502, 503, 504, 529)
RETRY_COUNT = 3
RETRY_ON_CODES = (429,)
WEIGHT = 0.5
CACHE_TTL_S = 3600
"""The contract's defaults (section 2), taken where a block is there without the field."""


def settled(body: Mapping[str, Any]) -> dict[str, Any]:
    """``body`` with each twin in one place, the top level; a top-level block wins as a whole, also an empty one."""
    orq = dict(body.get("orq") or {})
    twins = {name: orq.pop(name) for name in TWINS if name in orq}
    rest = {name: value for name, value in body.items() if name != "orq"}
    return {**twins, **rest, **({"orq": orq} if orq else {})}


@dataclass(frozen=True, slots=True)
class Retry:
    """``count`` retries after the first try, while the status is one of ``on_codes``."""

    count: int
    on_codes: frozenset[float]


NO_RETRY = Retry(0, frozenset())


@dataclass(frozen=True, slots=True)
class Plan:
    """The routing fields with their defaults. ``balanced`` holds models and weights as given, empty without a load balancer."""

    balanced: tuple[tuple[str, float], ...]
    fallbacks: tuple[str, ...]
    fallback_on_codes: frozenset[int]
    retry: Retry
    call_timeout_ms: float | None
    cache_ttl_s: float | None


def read_plan(body: Mapping[str, Any]) -> Plan:
    """The plan of a settled ``body``."""
    retry, cache, timeout = body.get("retry"), body.get("cache"), body.get("timeout")
    balancer = body.get("load_balancer") or {}
    return Plan(
        balanced=tuple((row["model"], row.get("weight", WEIGHT)) for row in balancer.get("models", ())),
        fallbacks=tuple(row["model"] for row in body.get("fallbacks") or ()),
        fallback_on_codes=frozenset(body.get("fallback_on_codes", FALLBACK_ON_CODES)),
        retry=NO_RETRY if retry is None else Retry(int(retry.get("count", RETRY_COUNT)), frozenset(retry.get("on_codes", RETRY_ON_CODES))),
        call_timeout_ms=None if timeout is None else timeout["call_timeout"],
        cache_ttl_s=None if cache is None else cache.get("ttl", CACHE_TTL_S),
    )
