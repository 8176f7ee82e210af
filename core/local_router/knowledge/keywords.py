"""Keyword search: SQLite's FTS5, one index per base, ranked by bm25.

Any text is a query. Its words (letters, digits, underscores) are looked up as they are, case, diacritics and English endings aside, and
a chunk is found when it holds at least one of them. Of a long text the `MOST_TERMS` rarest words count, so that a whole prompt can be
the query. Words in more than half of the chunks count only when there are no rarer ones: their bm25 weight is 0.

**The score.** SQLite's bm25 has no upper end, so it is divided by what the query could reach at most: with ``k1 = 1.2`` each word adds
``idf * f * (k1 + 1) / (f + k1 * …)``, which stays below ``idf * (k1 + 1)``. So 0 is nothing, a chunk of average length that holds each
word once gets 1 / (k1 + 1) = 0.45, and 1 is never quite reached. It grows with bm25, so the order is bm25's.
Formula of bm25: https://www.sqlite.org/fts5.html#the_bm25_function (read 2026-11-24).
"""

from __future__ import annotations

import math
import re
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

MOST_TERMS = 32
"""Words of a query that are searched for; of more, the rarest."""

_MOST_CANDIDATES = 500  # different words of a query whose frequency is looked up
_LONGEST_QUERY = 100_000  # characters; the rest of a longer text is not read
_LONGEST_TERM = 100
_BM25_K1 = 1.2
_SMALLEST_IDF = 1e-6  # what FTS5 takes for words in more than half of the rows
_TOKENIZER = "porter unicode61 remove_diacritics 2"

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Terms:
    """The words to search for, and the highest bm25 a chunk could get from them."""

    words: tuple[str, ...]
    best: float

    @property
    def expression(self) -> str:
        """As FTS5 takes it: quoted, so that no word is an operator."""
        return " OR ".join(f'"{word}"' for word in self.words)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which chunks may be found: a byte for each number from ``first`` on, 1 for yes. SQLite looks a byte up without calling Python."""

    first: int
    bits: bytes


def create(connection: sqlite3.Connection, base: int) -> None:
    """Make the index of a base. It keeps no text of its own: the chunks' table has it."""
    connection.execute(
        f"CREATE VIRTUAL TABLE {_table(base)} USING fts5(text, content='chunks', content_rowid='number', tokenize='{_TOKENIZER}')"
    )


def drop(connection: sqlite3.Connection, base: int) -> None:
    """Take the index of a base away."""
    connection.execute(f"DROP TABLE {_table(base)}")


def add(connection: sqlite3.Connection, base: int, chunks: Iterable[tuple[int, str]]) -> None:
    """Index chunks, given as (number, text)."""
    connection.executemany(f"INSERT INTO {_table(base)} (rowid, text) VALUES (?, ?)", chunks)  # noqa: S608 (the name is ours and a number)


def remove(connection: sqlite3.Connection, base: int, chunks: Iterable[tuple[int, str]]) -> None:
    """Take chunks out, given as (number, text); the text must be the one that was added."""
    connection.executemany(f"INSERT INTO {_table(base)} ({_table(base)}, rowid, text) VALUES ('delete', ?, ?)", chunks)  # noqa: S608


def words(query: str) -> list[str]:
    """The different words of a query in the order they come, at most `_MOST_CANDIDATES`."""
    text = unicodedata.normalize("NFC", query[:_LONGEST_QUERY]).casefold()
    found: dict[str, None] = {}
    for word in _WORD.finditer(text):
        found.setdefault(word.group()[:_LONGEST_TERM])
        if len(found) == _MOST_CANDIDATES:
            break
    return list(found)


def choose(query: str, chunks: int, frequency: Callable[[str], int]) -> Terms:
    """Those words of a query that tell chunks apart; ``frequency`` is in how many of the base's ``chunks`` a word is."""
    counted = [(count, word) for word in words(query) if (count := frequency(word))]
    counted.sort(key=lambda pair: pair[0])  # stable: of equally rare words the first in the query
    rare = [pair for pair in counted if 2 * pair[0] <= chunks]
    chosen = (rare or counted)[:MOST_TERMS]
    best = sum(_idf(count, chunks) * (_BM25_K1 + 1) for count, _ in chosen)
    return Terms(tuple(word for _, word in chosen), best)


def frequency(connection: sqlite3.Connection, base: int, word: str) -> int:
    """In how many chunks of the base ``word`` is."""
    table = _table(base)
    row = connection.execute(f"SELECT count(*) FROM {table} WHERE {table} MATCH ?", (f'"{word}"',)).fetchone()  # noqa: S608
    return int(row[0])


def search(connection: sqlite3.Connection, base: int, terms: Terms, limit: int, allowed: Allowed | None = None) -> list[tuple[int, float]]:
    """The ``limit`` best chunks as (number, score), best first; only those that are ``allowed``."""
    if not terms.words:
        return []
    table = _table(base)
    condition = ""
    parameters: tuple[Any, ...] = (terms.expression, limit)
    if allowed is not None:
        condition, parameters = "AND substr(?3, rowid - ?4, 1) = x'01'", (terms.expression, limit, allowed.bits, allowed.first - 1)
    rows = connection.execute(
        f"SELECT rowid, bm25({table}) AS rank FROM {table} WHERE {table} MATCH ?1 {condition} ORDER BY rank, rowid LIMIT ?2",  # noqa: S608
        parameters,
    )
    return [(number, min(1.0, max(0.0, -rank / terms.best))) for number, rank in rows]


def _idf(count: int, chunks: int) -> float:
    return max(_SMALLEST_IDF, math.log((chunks - count + 0.5) / (count + 0.5)))


def _table(base: int) -> str:
    return f"keywords_{base:d}"
