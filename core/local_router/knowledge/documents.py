"""The rows of documents and chunks: added, listed, switched and deleted on a given connection, with their search indexes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.local_router.knowledge import bases, field_index, keywords
from core.local_router.knowledge.bases import BaseRow
from core.local_router.knowledge.records import Chunk, Document

_DOCUMENT = "SELECT id, name, characters, chunks, created, metadata FROM documents"
_CHUNK = """
SELECT chunks.number, chunks.id, documents.id, position, text, chunks.metadata, enabled
FROM chunks JOIN documents ON documents.number = chunks.document"""
_DELETED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk on its way in."""

    id: str
    text: str
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document on its way in; ``characters`` counts its text before it was cut."""

    id: str
    name: str
    characters: int
    created: int
    metadata: dict[str, Any]
    chunks: Sequence[NewChunk]


def add(connection: sqlite3.Connection, base: BaseRow, document: NewDocument) -> list[int]:
    """Store and index a document; the numbers of its chunks, in order. The caller notes that the base changed."""
    fields = (document.id, base.number, document.name, document.characters, len(document.chunks), document.created)
    number = connection.execute(
        "INSERT INTO documents (id, base, name, characters, chunks, created, metadata) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*fields, json.dumps(document.metadata)),
    ).lastrowid
    numbers: list[int] = []
    for position, chunk in enumerate(document.chunks):
        row = (chunk.id, base.number, number, position, chunk.text, json.dumps(chunk.metadata))
        query = "INSERT INTO chunks (id, base, document, position, text, metadata) VALUES (?, ?, ?, ?, ?, ?)"
        numbers.append(connection.execute(query, row).lastrowid or 0)
    keywords.add(connection, base.number, zip(numbers, (chunk.text for chunk in document.chunks), strict=True))
    field_index.add(connection, base.number, zip(numbers, (chunk.metadata for chunk in document.chunks), strict=True))
    return numbers


def every(connection: sqlite3.Connection, base: BaseRow) -> list[Document]:
    """All documents of a base in the order they came."""
    return [_document(base, row) for row in connection.execute(f"{_DOCUMENT} WHERE base = ? ORDER BY number", (base.number,))]


def find(connection: sqlite3.Connection, base: BaseRow, id: str) -> Document:
    """One document; ValueError when the base has none with this id."""
    _number(connection, base, id)
    return _document(base, connection.execute(f"{_DOCUMENT} WHERE id = ?", (id,)).fetchone())


def delete(connection: sqlite3.Connection, base: BaseRow, id: str) -> None:
    """Take a document out, with its chunks; ValueError when the base has none with this id."""
    number = _number(connection, base, id)
    rows = connection.execute("SELECT number, text, metadata FROM chunks WHERE document = ?", (number,))
    while some := rows.fetchmany(_DELETED_AT_ONCE):
        keywords.remove(connection, base.number, ((chunk, text) for chunk, text, _ in some))
        field_index.remove(connection, base.number, ((chunk, json.loads(metadata)) for chunk, _, metadata in some))
    connection.execute("DELETE FROM vectors WHERE chunk IN (SELECT number FROM chunks WHERE document = ?)", (number,))
    connection.execute("DELETE FROM chunks WHERE document = ?", (number,))
    connection.execute("DELETE FROM documents WHERE number = ?", (number,))


def chunks(connection: sqlite3.Connection, base: BaseRow, document: str | None, after: str | None, limit: int) -> list[Chunk]:
    """A page of chunks in the order they came, those after the chunk with the id ``after``."""
    first = _chunk_number(connection, base, after) if after is not None else 0
    condition, parameters = "chunks.base = ?", [base.number]
    if document is not None:
        condition, parameters = "chunks.document = ?", [_number(connection, base, document)]
    query = f"{_CHUNK} WHERE {condition} AND chunks.number > ? ORDER BY chunks.number LIMIT ?"
    return [chunk for _, chunk in _chunks(base, connection.execute(query, (*parameters, first, limit)))]


def by_number(connection: sqlite3.Connection, base: BaseRow, numbers: Sequence[int]) -> dict[int, Chunk]:
    """The chunks with these numbers, as far as they are there."""
    marks = ", ".join("?" * len(numbers))
    return dict(_chunks(base, connection.execute(f"{_CHUNK} WHERE chunks.number IN ({marks})", tuple(numbers))))


def find_chunk(connection: sqlite3.Connection, base: BaseRow, id: str) -> Chunk:
    """One chunk; ValueError when the base has none with this id."""
    number = _chunk_number(connection, base, id)
    return by_number(connection, base, [number])[number]


def set_enabled(connection: sqlite3.Connection, base: BaseRow, chunk: str, enabled: bool) -> None:
    """Switch a chunk on or off; ValueError when the base has none with this id."""
    number = _chunk_number(connection, base, chunk)
    connection.execute("UPDATE chunks SET enabled = ? WHERE number = ?", (int(enabled), number))
    bases.changed(connection, base)


def _chunks(base: BaseRow, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, Chunk]]:
    for number, id, document, position, text, metadata, enabled in rows:
        yield number, Chunk(id, base.base.id, document, position, text, json.loads(metadata), bool(enabled))


def _document(base: BaseRow, row: tuple[Any, ...]) -> Document:
    id, name, characters, chunks, created, metadata = row
    return Document(id, base.base.id, name, characters, chunks, created, json.loads(metadata))


def _number(connection: sqlite3.Connection, base: BaseRow, id: str) -> int:
    return _only(connection.execute("SELECT number FROM documents WHERE id = ? AND base = ?", (id, base.number)), base, "document", id)


def _chunk_number(connection: sqlite3.Connection, base: BaseRow, id: str) -> int:
    return _only(connection.execute("SELECT number FROM chunks WHERE id = ? AND base = ?", (id, base.number)), base, "chunk", id)


def _only(rows: sqlite3.Cursor, base: BaseRow, what: str, id: str) -> int:
    row = rows.fetchone()
    if row is None:
        raise ValueError(f"The knowledge base {base.base.key} has no {what} {id[:60]!r}; it may have been deleted. Load the list again.")
    return int(row[0])
