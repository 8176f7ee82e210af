"""Which field makes a request another one than those before it: digests of fields, never what stands in them."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from core.local_router.canonical_json import canonical

MOST_CALLERS = 128
MOST_REQUESTS = 32
"""How many requests of one caller are remembered, the newest. All of it takes about 5 MB at most."""

MOST_CHANGES = 3
"""A request that differs in more fields than these is another request, not this one changed."""

BLOCKS = frozenset({"retry", "timeout", "thinking"})
"""Objects whose fields are told apart; every other field is one, however deep."""

SHAPED = ""
"""The name under which the prompt stands as models get it."""

Digests = Mapping[str, bytes]


class RecentRequests:
    """The newest requests of each caller that the cache had no answer for."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)
        self._callers: OrderedDict[str, OrderedDict[str, Digests]] = OrderedDict()

    def compare(self, caller: str, key: str, asked: Mapping[str, Any], shaped: Any) -> dict[str, Any]:
        """What tells a request from the most similar one before it; it is remembered under ``key``, what the cache knows it by.

        ``asked`` is the part of its body that counts, as it was sent; ``shaped`` the prompt as models get it. One of:
        ``first``: nothing similar came before. ``unkept``: the same came before, but its answer was not kept. ``changed``: the names
        of the fields that differ, at most ``MOST_CHANGES``. ``reshaped``: the same fields gave another prompt (knowledge, a stored prompt).
        """
        now = self._digests(asked, shaped)
        recent = self._of(caller)
        if key in recent:
            told: dict[str, Any] = {"unkept": True}
        else:
            told = _told(_fewest(recent, now), now)
        recent[key] = now
        recent.move_to_end(key)
        if len(recent) > MOST_REQUESTS:
            recent.popitem(last=False)
        return told

    def _of(self, caller: str) -> OrderedDict[str, Digests]:
        found = self._callers.setdefault(caller, OrderedDict())
        self._callers.move_to_end(caller)
        if len(self._callers) > MOST_CALLERS:
            self._callers.popitem(last=False)
        return found

    def _digests(self, asked: Mapping[str, Any], shaped: Any) -> Digests:
        found = {}
        for name, value in asked.items():
            if name == "orq" or (name in BLOCKS and isinstance(value, dict) and value):
                found.update({f"{name}.{inner}": self._digest(part) for inner, part in value.items()})
            else:
                found[name] = self._digest(value)
        return found | {SHAPED: self._digest(shaped)}

    def _digest(self, value: Any) -> bytes:
        return hashlib.blake2b(canonical(value), digest_size=8, key=self._key).digest()


def changes(before: Digests, now: Digests) -> set[str]:
    """The fields that are different, or in one only; ``SHAPED`` where nothing else explains another prompt."""
    found = {name for name, _ in before.items() ^ now.items()}
    return found - {SHAPED} or {SHAPED}


def _fewest(recent: OrderedDict[str, Digests], now: Digests) -> set[str] | None:
    """What tells ``now`` from the request it is most like, of equals the newest; None where there are none."""
    fewest: set[str] | None = None
    for before in reversed(recent.values()):
        found = changes(before, now)
        if len(found) == 1:
            return found  # no two are more alike
        if fewest is None or len(found) < len(fewest):
            fewest = found
    return fewest


def _told(found: set[str] | None, now: Digests) -> dict[str, Any]:
    if found is None or len(found) > MOST_CHANGES or {"model", "prompt"} & now.keys() <= found:
        return {"first": True}
    return {"reshaped": True} if found == {SHAPED} else {"changed": sorted(found)}
