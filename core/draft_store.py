"""Drafts that outlive a browser session, and the process: kept in memory, bounded, saved behind, found by an unguessable id."""

from __future__ import annotations

import copy
import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, Protocol

from core.errors import StorageProblem
from core.write_behind import StorageHealth, WriteBehind

SAVED_AFTER_S: Final = 0.5
"""How long an edit waits for the next one before both are saved."""

log = logging.getLogger(__name__)


class DraftKeeper(Protocol):
    """Where drafts outlive the process; StorageProblem while that cannot be."""

    def save(self, changed: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep drafts by their ids."""
        ...

    def find(self, draft_id: str) -> dict[str, Any] | None:
        """A draft, or ``None``."""
        ...


class DraftStore:
    """The newest ``limit`` drafts; the one not touched for longest goes first. Safe to call from any thread.

    With a ``keeper``, between ``open`` and ``close``, what changed is saved by a thread of its own, and what is not in memory is
    looked up there.
    """

    def __init__(self, limit: int = 500, *, keeper: DraftKeeper | None = None, saved_after_s: float = SAVED_AFTER_S) -> None:
        self._limit = limit
        self._keeper = keeper
        self._drafts: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._saving: WriteBehind[dict[str, Any]] | None = None
        if keeper is not None:
            self._saving = WriteBehind(keeper.save, name="drafts", interval_s=saved_after_s)

    def open(self) -> None:
        """Begin to save."""
        if self._saving is not None:
            self._saving.open()

    async def close(self) -> None:
        """Save what is not saved yet."""
        if self._saving is not None:
            await self._saving.close()

    @property
    def health(self) -> StorageHealth:
        """Whether drafts are being saved."""
        return StorageHealth() if self._saving is None else self._saving.health

    def save(self, draft_id: str, draft: dict[str, Any]) -> None:
        """Keep ``draft`` under ``draft_id``, replacing what was there."""
        with self._lock:
            known = self._drafts.get(draft_id)
            if known != draft:
                known = copy.deepcopy(draft)
                self._drafts[draft_id] = known
                if self._saving is not None:
                    self._saving.note(draft_id, known)
            self._drafts.move_to_end(draft_id)
            while len(self._drafts) > self._limit:
                self._drafts.popitem(last=False)

    def load(self, draft_id: str) -> dict[str, Any] | None:
        """A copy of the draft, or ``None`` when it is not (or no longer) here."""
        with self._lock:
            draft = self._drafts.get(draft_id)
            if draft is not None:
                self._drafts.move_to_end(draft_id)
                return copy.deepcopy(draft)
        waiting = self._saving.value(draft_id) if self._saving is not None else None
        return copy.deepcopy(waiting) if waiting is not None else self._look_up(draft_id)

    def _look_up(self, draft_id: str) -> dict[str, Any] | None:
        if self._keeper is None:
            return None
        try:
            return self._keeper.find(draft_id)
        except StorageProblem as problem:
            log.warning("a draft cannot be looked up: %s", problem.cause)
            return None


def new_draft_id() -> str:
    """An id nobody guesses: 96 bits, safe in a URL."""
    return secrets.token_urlsafe(12)
