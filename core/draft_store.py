"""Drafts that outlive a browser session: kept in memory, bounded, found by an unguessable id."""

from __future__ import annotations

import copy
import secrets
import threading
from collections import OrderedDict
from typing import Any


class DraftStore:
    """The newest ``limit`` drafts; the one not touched for longest goes first. Safe to call from any thread."""

    def __init__(self, limit: int = 500) -> None:
        self._limit = limit
        self._drafts: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def save(self, draft_id: str, draft: dict[str, Any]) -> None:
        """Keep ``draft`` under ``draft_id``, replacing what was there."""
        kept = copy.deepcopy(draft)
        with self._lock:
            self._drafts[draft_id] = kept
            self._drafts.move_to_end(draft_id)
            while len(self._drafts) > self._limit:
                self._drafts.popitem(last=False)

    def load(self, draft_id: str) -> dict[str, Any] | None:
        """A copy of the draft, or ``None`` when it is not (or no longer) here."""
        with self._lock:
            draft = self._drafts.get(draft_id)
            if draft is None:
                return None
            self._drafts.move_to_end(draft_id)
            return copy.deepcopy(draft)


def new_draft_id() -> str:
    """An id nobody guesses: 96 bits, safe in a URL."""
    return secrets.token_urlsafe(12)
