"""The three searches over one base: by words, by meaning, and both fused.

A search reads twice: which chunks there are, so that the embeddings can be brought up to date without holding a connection, and then the
hits. A chunk that is deleted in between is not found; one that is added in between may be found by its words only.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass

import numpy as np

from core.contract.filters import Filter
from core.local_router.knowledge import bases, documents, field_index, keywords
from core.local_router.knowledge.bases import BaseRow
from core.local_router.knowledge.database import Database
from core.local_router.knowledge.fusion import fuse
from core.local_router.knowledge.latent import Matrix
from core.local_router.knowledge.question_words import without_question_words
from core.local_router.knowledge.records import Match, SearchType
from core.local_router.knowledge.roster import Mask, Roster
from core.local_router.knowledge.vectors import VectorIndex, VectorIndexes

FUSION_DEPTH = 100
"""How many of each search's best chunks a hybrid search ranks; what lies deeper adds nothing."""

_MOST_COUNTED_WORDS = 50_000

Hits = list[tuple[int, float]]
"""Chunk numbers with their scores, best first."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one base; see `KnowledgeStore.search`."""

    query: str
    search_type: SearchType
    top_k: int
    threshold: float
    filter: Filter | None
    include_vectors: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What is kept of a base at one revision: its roster, in how many chunks words were, and which chunks passed comparisons."""

    roster: Roster
    frequencies: dict[str, int]
    masks: dict[str, Mask]


@dataclass(frozen=True, slots=True, eq=False)
class _Meaning:
    """A base's embeddings and the query's."""

    index: VectorIndex
    query: Matrix


class Searcher:
    """Searches bases; thread-safe."""

    def __init__(self, database: Database, indexes: VectorIndexes) -> None:
        self._database = database
        self._indexes = indexes
        self._known: dict[int, _Known] = {}
        self._lock = threading.Lock()

    def search(self, base_id: str, question: Question) -> list[Match]:
        """The matches, best first; raises `UnknownBase`, and what an embedding server's caller raises."""
        with self._database.reading() as connection:
            row = bases.find(connection, base_id)
            roster = self._at(connection, row).roster
        if not question.query.strip() or not len(roster.numbers):
            return []
        meaning = self._meaning(row, roster, question)
        with self._database.reading() as connection:
            row = bases.find(connection, row.base.id)
            known = self._at(connection, row)
            allowed = _allowed(connection, row, known, question.filter)
            hits, parts = _found(connection, row, known, allowed, question, meaning)
            hits = [(number, score) for number, score in hits[: question.top_k] if score >= question.threshold]
            chunks = documents.by_number(connection, row, [number for number, _ in hits])
        vectors = meaning.index if meaning is not None and question.include_vectors else None
        return [
            Match(chunks[number], score, parts.get(number, {}), vectors.vector(number) if vectors else None)
            for number, score in hits
            if number in chunks
        ]

    def forget(self, base: int) -> None:
        """Let go of what is kept for a base that was deleted."""
        with self._lock:
            self._known.pop(base, None)
        self._indexes.forget(base)

    def _meaning(self, row: BaseRow, roster: Roster, question: Question) -> _Meaning | None:
        if question.search_type == "keyword_search" and not question.include_vectors:
            return None
        index = self._indexes.current(row.number, row.base.settings.embedding_model, roster)
        query = index.source.query(question.query) if question.search_type != "keyword_search" else np.zeros(0, dtype=np.float32)
        return _Meaning(index, query)

    def _at(self, connection: sqlite3.Connection, row: BaseRow) -> _Known:
        known = self._known.get(row.number)
        if known is None or known.roster.revision != row.revision:
            known = _Known(Roster.read(connection, row.number, row.revision), {}, {})
            with self._lock:
                self._known[row.number] = known
        return known


def _allowed(connection: sqlite3.Connection, row: BaseRow, known: _Known, condition: Filter | None) -> Mask | None:
    """The chunks that may be found; None for all of them."""
    mask = known.roster.enabled
    if condition is not None:
        mask = mask & field_index.select(connection, row.number, condition, known.roster, known.masks)
    return None if mask.all() else mask


def _found(
    connection: sqlite3.Connection, row: BaseRow, known: _Known, allowed: Mask | None, question: Question, meaning: _Meaning | None
) -> tuple[Hits, dict[int, dict[str, float]]]:
    """The hits of the search that was asked for, and for each chunk its scores by kind."""
    if allowed is not None and not allowed.any():
        return [], {}
    depth = FUSION_DEPTH if question.search_type == "hybrid_search" else question.top_k
    by: dict[str, Hits] = {}
    if question.search_type != "vector_search":
        by["keyword"] = _by_words(connection, row, known, allowed, question.query, depth)
    if question.search_type != "keyword_search" and meaning is not None:
        rows = None if allowed is None else known.roster.carried(allowed, meaning.index.numbers)
        by["vector"] = meaning.index.search(meaning.query, depth, rows)
    if question.search_type == "hybrid_search":
        by = {"hybrid": fuse([[number for number, _ in hits] for hits in by.values()])} | by
    parts: dict[int, dict[str, float]] = {}
    for kind, hits in by.items():
        for number, score in hits:
            parts.setdefault(number, {})[kind] = score
    return next(iter(by.values())), parts


def _by_words(connection: sqlite3.Connection, row: BaseRow, known: _Known, allowed: Mask | None, query: str, depth: int) -> Hits:
    def frequency(word: str) -> int:
        count = known.frequencies.get(word)
        if count is None:
            count = keywords.frequency(connection, row.number, word)
            if len(known.frequencies) < _MOST_COUNTED_WORDS:
                known.frequencies[word] = count
        return count

    terms = keywords.choose(without_question_words(query), len(known.roster.numbers), frequency)
    return keywords.search(connection, row.number, terms, depth, None if allowed is None else _bytes(known.roster, allowed))


def _bytes(roster: Roster, allowed: Mask) -> keywords.Allowed:
    first = int(roster.numbers[0])
    table = np.zeros(int(roster.numbers[-1]) - first + 1, dtype=bool)
    table[roster.numbers - first] = allowed
    return keywords.Allowed(first, table.tobytes())
