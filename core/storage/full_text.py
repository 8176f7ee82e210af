"""Finding runs by words of their prompt and their output, alike on FTS5 and on PostgreSQL.

Words are letters and digits, without case and accents; we split and fold them ourselves, so that both databases find the same.
A change of ``words_of`` needs a migration that indexes every run anew.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, column, func, literal_column, select, table, text

INDEXED_BYTES: Final = 200_000
"""So much of a run's words is searched, prompt first; PostgreSQL takes no more than a megabyte in one vector, positions included."""
SPAN: Final = 50_000
_WORD: Final = re.compile(r"[^\W_]+")
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
_TERM: Final = re.compile(r'"([^"]*)"|(\S+)')
_LONGEST_WORD: Final = 500

_INDEX_SQLITE: Final = text("INSERT INTO run_words (rowid, words) VALUES (:pk, :words)")
_INDEX_POSTGRESQL: Final = text(
    "INSERT INTO run_words (run_pk, words) SELECT pk, to_tsvector('simple', words) "
    "FROM unnest(CAST(:pks AS bigint[]), CAST(:words AS text[])) AS found (pk, words)"
)

run_words = table("run_words", column("rowid"), column("run_pk"), column("words"))


def words_of(texts: Iterable[str]) -> str:
    """The words of ``texts`` as they are indexed: folded, with one space between, at most ``INDEXED_BYTES`` of UTF-8."""
    found = " ".join(_split(" ".join(text[:INDEXED_BYTES] for text in texts)))
    return found if len(found) * 4 <= INDEXED_BYTES else found.encode()[:INDEXED_BYTES].decode(errors="ignore")


def _split(text: str) -> list[str]:
    if not text.isascii():
        text = _BEYOND_ASCII.sub(lambda found: _without_accents(found[0]), text)
    return [word[:_LONGEST_WORD] for word in _WORD.findall(text.casefold())]


@lru_cache(4_096)
def _without_accents(text: str) -> str:
    """Decomposed, and without what combines: each character by itself, so a stretch of a text may be folded alone."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def terms_of(query: str) -> list[tuple[tuple[str, ...], bool]]:
    """What a query asks for: each a phrase (one word is a phrase, too) and whether its last word is only a beginning (``pre*``).

    ``"two words"`` is a phrase; ``a-b`` also, because punctuation only separates. Without any letter or digit: nothing.
    """
    terms = []
    for match in _TERM.finditer(query):
        words = tuple(_split(match[1] if match[1] is not None else match[2]))
        if words:
            terms.append((words, match[2] is not None and match[2].endswith("*")))
    return terms


def matches(dialect: str, run_pk: ColumnElement[int], asked: str) -> ColumnElement[bool] | None:
    """The condition that a run has every term of ``asked``; ``None`` when that has no word."""
    found = _found(dialect, asked)
    return None if found is None else run_pk.in_(found)


def first(connection: Connection, asked: str, count: int) -> list[int]:
    """The keys of at most ``count`` runs (of whatever owner) that have every term of ``asked``."""
    found = _found(connection.dialect.name, asked)
    return [] if found is None else [*connection.execute(found.limit(count)).scalars()]


def among(connection: Connection, asked: str, pks: Sequence[int]) -> list[int]:
    """Those of the runs ``pks`` that have every term of ``asked``, which has words."""
    found = _found(connection.dialect.name, asked)
    if found is None or not pks:
        return []
    (pk,) = found.selected_columns
    least, most = min(pks), max(pks)
    if connection.dialect.name == "sqlite" and most - least < SPAN:  # one way through the index instead of one for each run
        within: set[int] = {*connection.execute(found.where(pk.between(least, most))).scalars()}
        return [one for one in pks if one in within]
    return [*connection.execute(found.where(pk.in_(pks))).scalars()]


def _found(dialect: str, asked: str) -> Select[Any] | None:
    """The keys of the runs that have every term."""
    terms = terms_of(asked)
    if not terms:
        return None
    if dialect == "sqlite":
        match = " ".join(f'"{" ".join(words)}"' + ("*" if begins else "") for words, begins in terms)
        return select(run_words.c.rowid).where(text("run_words MATCH :words").bindparams(words=match))
    vector = " & ".join(f"({' <-> '.join(words)}{':*' if begins else ''})" for words, begins in terms)
    query = func.to_tsquery(literal_column("'simple'"), vector)
    return select(run_words.c.run_pk).where(run_words.c.words.bool_op("@@")(query))


def index(connection: Connection, words: Mapping[int, str]) -> None:
    """Make runs findable, by their keys; once in their life, when they have ended."""
    if not words:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(_INDEX_SQLITE, [{"pk": pk, "words": found} for pk, found in words.items()])
    else:
        connection.execute(_INDEX_POSTGRESQL, {"pks": [*words], "words": [*words.values()]})


def forget(connection: Connection, words: Mapping[int, str]) -> None:
    """Take runs out of SQLite's index; ``words`` must be what they were indexed with. PostgreSQL does it with the run's row."""
    statement = text("INSERT INTO run_words (run_words, rowid, words) VALUES ('delete', :pk, :words)")
    connection.execute(statement, [{"pk": pk, "words": found} for pk, found in words.items()])
