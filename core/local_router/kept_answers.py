"""What the cache keeps beyond a restart: answers in storage, found again when memory has none, written behind the requests."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from core.contract.response import parse_usage
from core.errors import StorageProblem
from core.local_router.answer import Piece
from core.write_behind import WriteBehind

FORMAT: Final = 1
PATIENCE_S: Final = 2.0
"""How long a request waits for storage; slower is as good as no answer."""
PAUSE_S: Final = 15.0
"""After storage failed or was slow, nobody asks it for so long."""
PENDING_BYTES: Final = 16 * 1024 * 1024
"""Answers that wait to be written; what comes beyond that is kept in memory only."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it is stored, by the time of day."""

    content: bytes
    stored_at: datetime
    expires_at: datetime


class AnswerStore(Protocol):
    """Where answers lie; StorageProblem when that cannot be used."""

    def find(self, key: str, now: datetime) -> tuple[bytes, datetime] | None:
        """An answer that has not expired, and when it was stored."""
        ...

    def save_all(self, found: Mapping[str, KeptAnswer]) -> None:
        """Keep answers by their keys, as many as there is room for."""
        ...


@dataclass(frozen=True, slots=True)
class RecalledAnswer:
    """An answer from storage and its age, both in seconds where they are times."""

    model: str
    fingerprint: str | None
    prompt_tokens: int | None
    pieces: tuple[Piece, ...]
    ttl_s: float
    age_s: float


class KeptAnswers:
    """Answers in ``store``, which may be slow or gone: no request waits longer than ``patience_s`` for it. ``now`` is the time of day."""

    def __init__(
        self, store: AnswerStore, now: Callable[[], datetime] = lambda: datetime.now(UTC), *, patience_s: float = PATIENCE_S
    ) -> None:
        self._store = store
        self._now = now
        self._patience_s = patience_s
        self._asked_again_at = 0.0
        self._pending: dict[str, int] = {}
        self._writer: WriteBehind[KeptAnswer] = WriteBehind(self._save, name="cache-writer")
        self._opened = False

    async def find(self, key: str) -> RecalledAnswer | None:
        """The answer under ``key`` where storage has one that is still good."""
        if time.monotonic() < self._asked_again_at:
            return None
        now = self._now()
        try:
            found = await asyncio.wait_for(asyncio.to_thread(self._store.find, key, now), self._patience_s)
        except (StorageProblem, TimeoutError) as problem:
            self._asked_again_at = time.monotonic() + PAUSE_S
            log.warning("stored answers are not asked for %.0f s: %s", PAUSE_S, type(problem).__name__)
            return None
        if found is None or found[1] > now:  # kept in the future: the clock was put back, and its age is unknown
            return None
        return _recalled(found[0], (now - found[1]).total_seconds())

    def keep(self, key: str, content: bytes, ttl_s: float) -> None:
        """Write an answer a little later, good for ``ttl_s`` seconds from now."""
        if sum(self._pending.values()) + len(content) > PENDING_BYTES:
            return
        if not self._opened:
            self._opened = True
            self._writer.open()
        self._pending[key] = len(content)
        now = self._now()
        self._writer.note(key, KeptAnswer(content, now, now + timedelta(seconds=ttl_s)))

    async def aclose(self) -> None:
        """Write what waits."""
        if self._opened:
            self._opened = False
            await self._writer.close()

    def _save(self, found: Mapping[str, KeptAnswer]) -> None:
        self._store.save_all(found)
        for key in found:
            self._pending.pop(key, None)


def packed(model: str, fingerprint: str | None, prompt_tokens: int | None, pieces: tuple[Piece, ...], ttl_s: float) -> bytes:
    """An answer as bytes; ``_recalled`` gives an equal one back."""
    listed = [[*piece[:4], _usage(piece), piece.reasoning_tokens] for piece in pieces]
    content = {
        "format": FORMAT,
        "model": model,
        "fingerprint": fingerprint,
        "prompt_tokens": prompt_tokens,
        "ttl_s": ttl_s,
        "pieces": listed,
    }
    return json.dumps(content, separators=(",", ":")).encode("ascii")


def _usage(piece: Piece) -> Mapping[str, Any] | None:
    if piece.usage is None:
        return None
    return piece.usage.to_dict() if piece.usage.raw is None else piece.usage.raw


def _recalled(content: bytes, age_s: float) -> RecalledAnswer | None:
    found = json.loads(content)
    if found.get("format") != FORMAT or age_s >= found["ttl_s"]:
        return None
    pieces = tuple(
        Piece(choice, text, reason, tokens, parse_usage(usage), thought) for choice, text, reason, tokens, usage, thought in found["pieces"]
    )
    return RecalledAnswer(found["model"], found["fingerprint"], found["prompt_tokens"], pieces, found["ttl_s"], age_s)
