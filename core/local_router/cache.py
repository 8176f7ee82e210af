"""Answering the same request again without the model: exact match, in memory, bounded in bytes; beyond a restart where storage is given."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.local_router.answer import Answer, Piece, Pieces
from core.local_router.canonical_json import canonical
from core.local_router.clock import Clock
from core.local_router.kept_answers import KeptAnswers, packed
from core.local_router.single_flight import Flight
from core.local_router.trace import Trace

CAPACITY_BYTES = 64 * 1024 * 1024
BATCH_PIECES = 32
"""A stored answer is replayed at once; others have their turn after this many pieces."""

SAYS_NOTHING = frozenset({"stream", "name", "user", "cache"})
LABELS = frozenset({"identity", "contact", "thread"})


def cache_key(asked: Mapping[str, Any], caller: str) -> str:
    """What makes two requests the same: what they ask (the ``counted`` part of their bodies), and whose they are. 64 hexadecimal digits."""
    return hashlib.sha256(canonical([caller, asked])).hexdigest()


def counted(body: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a settled ``body`` that can change the answer, ``orq`` always in it.

    Also ``retry``, ``timeout``, ``fallbacks`` and ``load_balancer``, for they decide which model answers. Exact: case counts, null and
    left out differ; 3 and 3.0 are alike.
    """
    asked = {name: _plain(value) for name, value in body.items() if name not in SAYS_NOTHING}
    asked["orq"] = {name: _plain(value) for name, value in (body.get("orq") or {}).items() if name not in LABELS}
    return asked


def _plain(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case _:
            return value


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A whole answer, ``stored_at`` by the cache's clock; ``size`` is about what it takes in memory, in bytes."""

    model: str
    fingerprint: str | None
    prompt_tokens: int | None
    pieces: tuple[Piece, ...]
    stored_at: float
    ttl_s: float
    size: int

    def answer(self) -> Answer:
        """The answer again, all of it ready."""
        return Answer(self.model, self.fingerprint, self.prompt_tokens, _replay(self.pieces))


async def _replay(pieces: Sequence[Piece]) -> AsyncGenerator[Pieces, None]:
    for start in range(0, len(pieces), BATCH_PIECES):
        yield pieces[start : start + BATCH_PIECES]
        await asyncio.sleep(0)


class AnswerCache:
    """Answers by their keys, the ones used longest ago leave first; requests that ask the same at once share one flight.

    What memory does not have is looked for in ``kept``.
    """

    def __init__(self, clock: Clock, capacity_bytes: int = CAPACITY_BYTES, kept: KeptAnswers | None = None) -> None:
        self._kept = kept
        self._clock = clock
        self._capacity = capacity_bytes
        self._size = 0
        self._stored: OrderedDict[str, StoredAnswer] = OrderedDict()
        self._flights: dict[str, Flight] = {}

    async def answer(
        self,
        key: str,
        ttl_s: float,
        trace: Trace,
        begin: Callable[[], Coroutine[Any, Any, Answer]],
        compare: Callable[[], Mapping[str, Any]] = dict,
        *,
        whole: bool = False,
    ) -> Answer:
        """The stored answer, or one that another request is getting, or what ``begin`` gives: that is stored when it ends well.

        An answer is used while it is younger than both the ``ttl_s`` it was stored with and the one given here, in seconds.
        ``compare`` is asked on a miss; what it gives goes into the trace, unless an answer was there and had expired. ``whole``: nobody
        hears of the answer before its end.
        """
        expired = self._expired(key, ttl_s)
        if self._kept is not None and key not in self._stored and key not in self._flights:
            await self._recall(key, self._kept)
        stored = self._look_up(key, ttl_s)
        if stored is not None:
            trace.cache = "hit"
            trace.note("cache", result="hit", key=key[:16], age_ms=round((self._clock.now() - stored.stored_at) * 1000, 3))
            return stored.answer()
        flight = self._flights.get(key)
        if flight is not None:
            trace.cache = "hit"
            trace.note("cache", result="hit", key=key[:16], shared=True)
            return await flight.join()
        trace.cache = "miss"
        compared = compare()
        trace.note("cache", result="miss", key=key[:16], **(expired or compared))
        return await self._take_off(key, ttl_s, begin, whole=whole).join()

    def _take_off(self, key: str, ttl_s: float, begin: Callable[[], Coroutine[Any, Any, Answer]], *, whole: bool) -> Flight:
        def landed(answer: Answer, batches: Sequence[Pieces]) -> None:
            self._store(key, ttl_s, answer, batches)

        def gone(flight: Flight) -> None:
            if self._flights.get(key) is flight:
                del self._flights[key]

        flight = self._flights[key] = Flight(begin, landed, gone, whole=whole)
        return flight

    def _expired(self, key: str, ttl_s: float) -> dict[str, Any]:
        """That the answer under ``key`` is too old, and how old, for the trace; empty where it is not, or there is none."""
        stored = self._stored.get(key)
        age_s = 0.0 if stored is None else self._clock.now() - stored.stored_at
        if stored is None or age_s < min(ttl_s, stored.ttl_s):
            return {}
        return {"expired": True, "age_ms": round(age_s * 1000, 3)}

    def _look_up(self, key: str, ttl_s: float) -> StoredAnswer | None:
        stored = self._stored.get(key)
        if stored is None:
            return None
        age_s = self._clock.now() - stored.stored_at
        if age_s >= stored.ttl_s:
            self._drop(key)
            return None
        if age_s >= ttl_s:
            return None
        self._stored.move_to_end(key)
        return stored

    def _store(self, key: str, ttl_s: float, answer: Answer, batches: Sequence[Pieces]) -> None:
        pieces = tuple(piece for batch in batches for piece in batch)
        self._put(
            key, StoredAnswer(answer.model, answer.fingerprint, answer.prompt_tokens, pieces, self._clock.now(), ttl_s, _size(pieces))
        )
        if self._kept is not None and key in self._stored:
            self._kept.keep(key, packed(answer.model, answer.fingerprint, answer.prompt_tokens, pieces, ttl_s), ttl_s)

    async def _recall(self, key: str, kept: KeptAnswers) -> None:
        """Take an answer from storage into memory; what came meanwhile is newer."""
        found = await kept.find(key)
        if found is None or key in self._stored:
            return
        stored_at = self._clock.now() - found.age_s
        pieces = found.pieces
        self._put(key, StoredAnswer(found.model, found.fingerprint, found.prompt_tokens, pieces, stored_at, found.ttl_s, _size(pieces)))

    def _put(self, key: str, stored: StoredAnswer) -> None:
        self._drop(key)
        if stored.size > self._capacity:
            return
        self._stored[key] = stored
        self._size += stored.size
        while self._size > self._capacity:
            self._drop(next(iter(self._stored)))

    def _drop(self, key: str) -> None:
        stored = self._stored.pop(key, None)
        self._size -= stored.size if stored else 0


def _size(pieces: Sequence[Piece]) -> int:
    return sum(sys.getsizeof(piece) + sys.getsizeof(piece.text) + 8 for piece in pieces) + 500
