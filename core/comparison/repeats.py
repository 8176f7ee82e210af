"""The requests that a slot's repeats send, and whether the router's cache would make them one."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any


def repeated(body: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    """The bodies of ``count`` repeats: where a seed is set it counts up by one, so that they are not one answer again and again."""
    seed = body.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool):
        return [copy.deepcopy(dict(body)) for _ in range(count)]
    return [{**copy.deepcopy(dict(body)), "seed": seed + number} for number in range(count)]


def is_cached(body: Mapping[str, Any]) -> bool:
    """Whether the request asks for the router's exact-match cache; at the top it takes precedence over its twin in ``orq``."""
    orq = body.get("orq")
    cache = body["cache"] if "cache" in body else orq.get("cache") if isinstance(orq, Mapping) else None
    return isinstance(cache, Mapping)


def uncached(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body without the exact-match cache."""
    rest = {name: value for name, value in body.items() if name != "cache"}
    orq = rest.get("orq")
    if isinstance(orq, Mapping) and "cache" in orq:
        kept = {name: value for name, value in orq.items() if name != "cache"}
        rest = {name: value for name, value in rest.items() if name != "orq"} | ({"orq": kept} if kept else {})
    return rest


def cache_trap(bodies: Sequence[Mapping[str, Any]], repeats: int) -> tuple[int, ...]:
    """The places of slots that would send the same request more than once with the exact-match cache on.

    All but the first of those answers would be copies of it. Two slots that are set alike fall into it, too.
    """
    return tuple(
        place for place, body in enumerate(bodies) if is_cached(body) and (_sent_again(body, repeats) or list(bodies).count(body) > 1)
    )


def _sent_again(body: Mapping[str, Any], repeats: int) -> bool:
    sent = repeated(body, min(repeats, 2))
    return len(sent) > 1 and sent[0] == sent[1]
