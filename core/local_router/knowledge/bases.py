"""The rows of knowledge bases: made, found, changed and deleted on a given connection."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from core.local_router.knowledge import keywords
from core.local_router.knowledge.records import LOCAL_EMBEDDING, SEARCH_TYPES, Base, BaseSettings, UnknownBase

LONGEST_KEY = 60
_KEY = re.compile(r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*")
_COLUMNS = """
SELECT number, id, key, description, created, settings, built_from, revision,
    (SELECT count(*) FROM documents WHERE base = bases.number) AS documents,
    (SELECT coalesce(sum(chunks), 0) FROM documents WHERE base = bases.number) AS chunks
FROM bases"""


@dataclass(frozen=True, slots=True)
class BaseRow:
    """A base with what only the store needs: its ``number`` in other tables, and a ``revision`` that grows when its chunks change."""

    number: int
    revision: int
    base: Base


def every(connection: sqlite3.Connection) -> list[BaseRow]:
    """All bases, the built-in one first, then in the order they were made."""
    return [_row(row) for row in connection.execute(f"{_COLUMNS} ORDER BY built_from IS NULL, number")]


def find(connection: sqlite3.Connection, id_or_key: str) -> BaseRow:
    """The base with this id, or else this key; raises `UnknownBase`."""
    if isinstance(id_or_key, str) and id_or_key.isprintable():
        for column in ("id", "key"):
            if row := connection.execute(f"{_COLUMNS} WHERE {column} = ?", (id_or_key,)).fetchone():
                return _row(row)
    raise UnknownBase(f"There is no knowledge base {str(id_or_key)[:60]!r}; pick one that GET /v2/knowledge lists.")


def find_changeable(connection: sqlite3.Connection, id_or_key: str) -> BaseRow:
    """`find`, for a change; ValueError for the built-in base."""
    row = find(connection, id_or_key)
    if row.base.built_in:
        raise ValueError(f"The knowledge base {row.base.key} is built in and cannot be changed; make one of your own.")
    return row


def insert(
    connection: sqlite3.Connection, id: str, key: str, description: str, settings: BaseSettings, created: int, built_from: str | None = None
) -> BaseRow:
    """A new, empty base; ValueError when the key or a setting is not good, or the key is taken."""
    check_key(key)
    check_settings(settings)
    if connection.execute("SELECT 1 FROM bases WHERE ? IN (key, id)", (key,)).fetchone():
        raise ValueError(f"A knowledge base with the key {key} exists already; choose another key.")
    fields = (id, key, _described(description), created, _settings_text(settings), built_from)
    connection.execute("INSERT INTO bases (id, key, description, created, settings, built_from) VALUES (?, ?, ?, ?, ?, ?)", fields)
    row = find(connection, id)
    keywords.create(connection, row.number)
    return row


def update(connection: sqlite3.Connection, row: BaseRow, description: str | None, settings: BaseSettings | None) -> None:
    """Change what is not None; ValueError for settings that are not good."""
    if description is not None:
        connection.execute("UPDATE bases SET description = ? WHERE number = ?", (_described(description), row.number))
    if settings is not None:
        check_settings(settings)
        connection.execute("UPDATE bases SET settings = ? WHERE number = ?", (_settings_text(settings), row.number))


def delete(connection: sqlite3.Connection, row: BaseRow) -> None:
    """Take the base away, with all that is in it."""
    number = (row.number,)
    keywords.drop(connection, row.number)
    connection.execute("DELETE FROM vectors WHERE chunk IN (SELECT number FROM chunks WHERE base = ?)", number)
    connection.execute("DELETE FROM field_values WHERE field IN (SELECT number FROM fields WHERE base = ?)", number)
    for table in ("fields", "chunks", "documents"):
        connection.execute(f"DELETE FROM {table} WHERE base = ?", number)  # noqa: S608 (one of three names)
    connection.execute("DELETE FROM bases WHERE number = ?", number)


def changed(connection: sqlite3.Connection, row: BaseRow) -> None:
    """Note that the base's chunks are no longer what they were."""
    connection.execute("UPDATE bases SET revision = revision + 1 WHERE number = ?", (row.number,))


def check_key(key: str) -> None:
    """ValueError, with what would be right, for text that cannot be a key."""
    if not isinstance(key, str) or len(key) > LONGEST_KEY or not _KEY.fullmatch(key):
        raise ValueError(f"A key is 1 to {LONGEST_KEY} letters and digits, with single - _ or . between them, such as team-handbook.")


def check_settings(settings: BaseSettings) -> None:
    """ValueError, with what would be right, for settings out of range."""
    if settings.search_type not in SEARCH_TYPES:
        raise ValueError(f"search_type must be one of {', '.join(SEARCH_TYPES)}.")
    check_limits(settings.top_k, settings.threshold)
    if not settings.embedding_model.partition("/")[2]:
        raise ValueError(f"embedding_model must be {LOCAL_EMBEDDING}, or name/model of a server with embeddings.")


def check_limits(top_k: int, threshold: float) -> None:
    """ValueError for a ``top_k`` outside 1…100 or a ``threshold`` outside 0…1."""
    if isinstance(top_k, bool) or not isinstance(top_k, int) or not 1 <= top_k <= 100:
        raise ValueError("top_k must be a whole number between 1 and 100.")
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise ValueError("threshold must be a number between 0 and 1.")


def _described(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _settings_text(settings: BaseSettings) -> str:
    return json.dumps(asdict(settings))


def _row(row: tuple[Any, ...]) -> BaseRow:
    number, id, key, description, created, settings, built_from, revision, documents, chunks = row
    base = Base(id, key, description, created, BaseSettings(**json.loads(settings)), documents, chunks, built_from is not None)
    return BaseRow(number, revision, base)
