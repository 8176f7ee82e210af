"""Vector search: cosine between the query's embedding and each chunk's, all in one matrix per base that is kept in memory.

**When embeddings are made.** With `LOCAL_EMBEDDING` the first search of a base fits it, and searches that come meanwhile wait for that fit.
Later the matrix follows the base: up to `REFIT_AT_ONCE` chunks it is fitted anew; in larger bases new chunks are folded in (milliseconds
each), and once the chunks that are new and those that are gone exceed `REFIT_SHARE` of the fitted ones (a chunk in another's place is
both) a thread fits anew while searches go on with what there is. With a server's embedding a chunk is embedded when it is added, and its
vector kept in the database; what is missing, as after a change of the base's model, is embedded by the next search. The first search
after a start reads the vectors, or fits.

**The score** is the cosine, at least 0 and at most 1. A chunk with 0 has nothing in common with the query and is no match.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from core.local_router.knowledge.database import Database
from core.local_router.knowledge.embedding import LatentSource, ServerSource
from core.local_router.knowledge.latent import Matrix
from core.local_router.knowledge.records import LOCAL_EMBEDDING, Embed
from core.local_router.knowledge.roster import Mask, Numbers, Roster

REFIT_AT_ONCE = 500
"""Chunks that are fitted anew (in about 0.1 s) rather than folded in."""
REFIT_SHARE = 0.25
"""How much of a base may change before it is fitted anew in the background: chunks since added and since deleted, by those fitted."""


class EmbeddingSource(Protocol):
    """Where embeddings come from."""

    def query(self, text: str) -> Matrix:
        """The embedding of a query, of unit length, or 0."""
        ...

    def chunks(self, base: int, numbers: Numbers) -> Matrix:
        """A row of unit length per chunk; 0 for one without a known word, and for one that is gone."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class VectorIndex:
    """The embeddings of a base's chunks at one moment: ``matrix`` has a row for each of ``numbers`` (ascending). ``fitted`` are the chunks
    there were when ``source`` was made, and ``changed`` how many are new or gone since."""

    numbers: Numbers
    matrix: Matrix
    source: EmbeddingSource
    fitted: Numbers
    changed: int = 0

    def search(self, query: Matrix, limit: int, allowed: Mask | None = None) -> list[tuple[int, float]]:
        """The ``limit`` best chunks as (number, score), best first; ``allowed`` has a truth value per row."""
        if not len(self.numbers) or query.shape[-1] != self.matrix.shape[1]:
            return []
        scores = np.clip(self.matrix @ query, 0, 1)
        if allowed is not None:
            scores[~allowed] = 0
        best = np.argpartition(-scores, min(limit, len(scores)) - 1)[:limit]
        best = best[np.lexsort((best, -scores[best]))]
        return [(int(self.numbers[row]), float(scores[row])) for row in best if scores[row] > 0]

    def vector(self, number: int) -> list[float] | None:
        """The embedding of one chunk; None for a chunk that came later."""
        row = int(np.searchsorted(self.numbers, number))
        return self.matrix[row].tolist() if row < len(self.numbers) and self.numbers[row] == number else None


@dataclass(slots=True, eq=False)
class _Kept:
    """What is in memory for one base and model."""

    lock: threading.Lock
    index: VectorIndex | None = None
    refit: threading.Thread | None = None


class VectorIndexes:
    """The matrices of all bases, made and brought up to date when they are asked for."""

    def __init__(self, database: Database, embed: Embed | None) -> None:
        self._database = database
        self._embed = embed
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, str], _Kept] = {}

    def current(self, base: int, model: str, roster: Roster) -> VectorIndex:
        """The embeddings of the chunks in ``roster``. May take seconds, and asks the database: hold no connection meanwhile."""
        with self._lock:
            kept = self._kept.setdefault((base, model), _Kept(threading.Lock()))
        with kept.lock:
            index = kept.index
            if index is None or (model == LOCAL_EMBEDDING and _is_small(index, roster)):
                index = self._made(base, model, roster)
            elif not np.array_equal(index.numbers, roster.numbers):
                index = _followed(base, index, roster)
            kept.index = index
            if model == LOCAL_EMBEDDING and kept.refit is None and _is_stale(index):
                kept.refit = threading.Thread(target=self._refit, args=(base, roster, kept), name="knowledge-fit", daemon=True)
                kept.refit.start()
            return index

    def forget(self, base: int) -> None:
        """Let go of what is kept for a base that was deleted."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == base]:
                del self._kept[key]

    def _made(self, base: int, model: str, roster: Roster) -> VectorIndex:
        source: EmbeddingSource
        if model == LOCAL_EMBEDDING:
            source = LatentSource.fit(self._database, base, roster.numbers)
        else:
            source = ServerSource(self._database, self._embed, model)
        return VectorIndex(roster.numbers, source.chunks(base, roster.numbers), source, roster.numbers)

    def _refit(self, base: int, roster: Roster, kept: _Kept) -> None:
        try:
            index = self._made(base, LOCAL_EMBEDDING, roster)
            with kept.lock:
                kept.index = index  # the next search brings it up to date, should the base have changed meanwhile
        finally:
            kept.refit = None


def _is_small(index: VectorIndex, roster: Roster) -> bool:
    return len(roster.numbers) <= REFIT_AT_ONCE and not np.array_equal(index.numbers, roster.numbers)


def _is_stale(index: VectorIndex) -> bool:
    return index.changed > REFIT_SHARE * len(index.fitted)


def _followed(base: int, index: VectorIndex, roster: Roster) -> VectorIndex:
    """``index`` with the rows of chunks that are gone left out and those of new chunks put in, by the same fit."""
    stay = np.isin(index.numbers, roster.numbers, assume_unique=True)
    new = np.setdiff1d(roster.numbers, index.numbers, assume_unique=True)
    changed = len(np.setxor1d(index.fitted, roster.numbers, assume_unique=True))
    if not len(new):
        return replace(index, numbers=index.numbers[stay], matrix=index.matrix[stay], changed=changed)
    rows = index.source.chunks(base, new)
    if not stay.any():
        return replace(index, numbers=new, matrix=rows, changed=changed)
    numbers = np.concatenate((index.numbers[stay], new))
    order = np.argsort(numbers, kind="stable")
    return replace(index, numbers=numbers[order], matrix=np.concatenate((index.matrix[stay], rows))[order], changed=changed)
