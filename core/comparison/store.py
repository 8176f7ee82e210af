"""The comparisons that people work on: in memory, saved behind, the same for every session of the process."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from core.comparison.board import Board
from core.comparison.record import LONGEST_NAME, Comparison, parse_document
from core.draft_store import DraftStore
from core.errors import StorageProblem
from core.write_behind import StorageHealth, WriteBehind

SAVED_AFTER_S: Final = 0.5
"""How long an edit waits for the next one before both are saved."""

log = logging.getLogger(__name__)


class EditedElsewhere(Exception):
    """Somebody else (another tab) changed the comparison since; ``now`` is how it stands."""

    def __init__(self, now: Comparison) -> None:
        super().__init__(now.id)
        self.now = now


class ComparisonKeeper(Protocol):
    """Where comparisons outlive the process; StorageProblem while that cannot be."""

    def save(self, comparisons: Sequence[Comparison]) -> None:
        """Keep comparisons, in place of what was there under their ids."""
        ...

    def find(self, comparison_id: str) -> Comparison | None:
        """A comparison, deleted or not, or ``None``."""
        ...


class ComparisonStore:
    """Comparisons by their unguessable ids. Any thread.

    One that nobody ran, named or marked is a draft: it is kept among ``drafts``, and goes as they go. From then on it is stored with
    every change, by a thread of its own, half a second later at most; ``limit`` is how many that are saved stay in memory.
    Within a process an edit of an old state is told (``EditedElsewhere``); between processes the last one counts.
    """

    def __init__(
        self,
        keeper: ComparisonKeeper,
        drafts: DraftStore,
        *,
        limit: int = 200,
        saved_after_s: float = SAVED_AFTER_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keeper = keeper
        self._drafts = drafts
        self._limit = limit
        self._now = now
        self._held: OrderedDict[str, Comparison] = OrderedDict()
        self._lock = threading.RLock()
        self._writing = threading.Lock()
        self._saving: WriteBehind[Comparison] = WriteBehind(self._write, name="comparisons", interval_s=saved_after_s)

    def open(self) -> None:
        """Begin to save."""
        self._saving.open()

    async def close(self) -> None:
        """Save what is not saved yet."""
        await self._saving.close()

    @property
    def health(self) -> StorageHealth:
        """Whether comparisons are being saved."""
        return self._saving.health

    # Reading

    def current(self, comparison_id: str) -> Comparison | None:
        """The comparison as this process knows it, without looking anywhere else."""
        with self._lock:
            return self._held.get(comparison_id)

    def find(self, comparison_id: str) -> Comparison | None:
        """The comparison as it is now, also where another process changed it; ``None`` when there is none. May wait for storage."""
        with self._lock:
            held = self._held.get(comparison_id)
            if held is not None and (not held.stored or self._saving.waits(comparison_id)):
                return held
        found = self._stored(comparison_id) or held or self._draft(comparison_id)
        if found is None:
            return None
        with self._lock:
            now = self._held.get(comparison_id)
            if now is not None and now is not held:
                return now  # edited, and maybe saved as well, while storage was being read
            return self._hold(found)

    def part(self, comparison_id: str, name: str) -> Any:
        """One part of a comparison (``core.comparison.record``), as it was set; ``None`` where it has none."""
        found = self.current(comparison_id) or self.find(comparison_id)
        return found.parts.get(name) if found else None

    # Changing

    def begin(self, comparison_id: str, board: Board, *, name: str = "", parts: Mapping[str, Any] | None = None) -> Comparison:
        """A comparison under a new id."""
        moment = self._now()
        return self._keep(Comparison(comparison_id, board, moment, moment, name=name, parts=dict(parts or {}), revision=1))

    def edit(self, comparison_id: str, board: Board, *, seen: int) -> Comparison:
        """Put ``board`` in place of the one of revision ``seen``; a deleted comparison comes back by that.

        EditedElsewhere when it is of another revision by now, and not the same as ``board``.
        """
        held = self.current(comparison_id) or self.find(comparison_id)
        if held is None:
            return self.begin(comparison_id, board)
        with self._lock:
            held = self._held.get(comparison_id, held)
            if held.board == board:
                return held
            if replace(held.board, edited=None) == replace(board, edited=None):
                return self._keep(replace(held, board=board))
            if held.revision != seen:
                raise EditedElsewhere(held)
            return self._keep(replace(held, board=board, revision=held.revision + 1, updated_at=self._now(), deleted_at=None))

    def set_part(self, comparison_id: str, name: str, value: Any) -> None:
        """Put JSON ``value`` into the comparison as its part ``name``; ``None`` takes the part out. KeyError for no such comparison."""
        self._change(comparison_id, lambda held: replace(held, parts=_with(held.parts, name, value), updated_at=self._now()))

    def rename(self, comparison_id: str, name: str) -> None:
        """Give it a name; an empty one takes the name away. KeyError for no such comparison."""
        self._change(comparison_id, lambda held: replace(held, name=" ".join(name.split())[:LONGEST_NAME]))

    def star(self, comparison_id: str, starred: bool) -> None:
        """Star it, or take the star away. KeyError for no such comparison."""
        self._change(comparison_id, lambda held: replace(held, starred=starred))

    def annotate(self, comparison_id: str, note: str) -> None:
        """Put a note on it; an empty one takes it away. KeyError for no such comparison."""
        self._change(comparison_id, lambda held: replace(held, note=note.strip()))

    def tag(self, comparison_id: str, tags: Sequence[str]) -> None:
        """Give it these tags, in place of those it has. KeyError for no such comparison."""
        found = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
        self._change(comparison_id, lambda held: replace(held, tags=found))

    def delete(self, ids: Sequence[str]) -> None:
        """Take comparisons out of the history, for ``undelete``; their runs stay. StorageProblem when that cannot be."""
        moment = self._now()
        self._mark(ids, lambda held: replace(held, deleted_at=moment))

    def undelete(self, ids: Sequence[str]) -> None:
        """Bring deleted comparisons back. StorageProblem when that cannot be."""
        self._mark(ids, lambda held: replace(held, deleted_at=None))

    def flush(self) -> None:
        """Save now what waits, so that a list has it. StorageProblem when that cannot be."""
        with self._lock:
            waiting = [key for key, held in self._held.items() if held.stored and self._saving.waits(key)]
        if waiting:
            self._save_now(waiting)

    # Within

    def _mark(self, ids: Sequence[str], how: Callable[[Comparison], Comparison]) -> None:
        known = [key for key in ids if self.current(key) or self.find(key)]
        for key in known:
            self._change(key, how)
        self._save_now(known)

    def _change(self, comparison_id: str, how: Callable[[Comparison], Comparison]) -> None:
        held = self.current(comparison_id) or self.find(comparison_id)
        if held is None:
            raise KeyError(comparison_id)
        with self._lock:
            self._keep(how(self._held.get(comparison_id, held)))

    def _keep(self, comparison: Comparison) -> Comparison:
        """Hold it from now on, and see that it is saved."""
        with self._lock:
            kept = self._hold(replace(comparison, stored=comparison.worth_storing))
            if kept.stored:
                self._saving.note(kept.id, kept)
            else:
                self._drafts.save(kept.id, kept.document)
            return kept

    def _hold(self, comparison: Comparison) -> Comparison:
        self._held[comparison.id] = comparison
        self._held.move_to_end(comparison.id)
        excess = len(self._held) - self._limit
        for key in [key for key in self._held if not self._saving.waits(key)][: max(excess, 0)]:
            if key != comparison.id:
                del self._held[key]
        return comparison

    def _stored(self, comparison_id: str) -> Comparison | None:
        try:
            return self._keeper.find(comparison_id)
        except StorageProblem as problem:
            log.warning("comparison %s cannot be looked up: %s", comparison_id[:40], problem.cause)
        except ValueError as bad:
            log.warning("comparison %s cannot be read: %s", comparison_id[:40], bad)
        return None

    def _draft(self, comparison_id: str) -> Comparison | None:
        document = self._drafts.load(comparison_id)
        if document is None or not ("board" in document or "slots" in document):
            return None
        try:
            board, parts, revision = parse_document(document)
        except ValueError as bad:
            log.warning("comparison %s cannot be read: %s", comparison_id[:40], bad)
            return None
        moment = self._now()
        return Comparison(comparison_id, board, moment, moment, parts=parts, revision=revision)

    def _write(self, changed: Mapping[str, Comparison]) -> None:
        """Save each as it is now: what was noted may have changed since."""
        with self._writing:
            self._keeper.save([self.current(key) or noted for key, noted in changed.items()])

    def _save_now(self, ids: Sequence[str]) -> None:
        with self._writing:
            self._keeper.save([held for key in ids if (held := self.current(key))])


def _with(parts: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    rest = {key: kept for key, kept in parts.items() if key != name}
    return rest if value is None else {**rest, name: value}
