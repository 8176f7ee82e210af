"""The knowledge store: bases of documents, kept in one SQLite file or in memory, and searched from many threads.

Everything here blocks; asynchronous callers use ``asyncio.to_thread``. How chunks are found and scored is said where it is done:
`keywords` (bm25), `vectors` (cosine), `fusion` (both), `field_index` (filters).
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.contract.filters import Filter
from core.local_router.knowledge import bases, chunking, documents, extraction, keywords, metadata, python_reference
from core.local_router.knowledge.database import Database
from core.local_router.knowledge.documents import NewChunk, NewDocument
from core.local_router.knowledge.records import (
    LOCAL_EMBEDDING,
    SEARCH_TYPES,
    Base,
    BaseSettings,
    Chunk,
    Document,
    Embed,
    Match,
    SearchType,
    UnknownBase,
)

if TYPE_CHECKING:
    from core.local_router.knowledge.search import Searcher

__all__ = [
    "LOCAL_EMBEDDING",
    "SEARCH_TYPES",
    "Base",
    "BaseSettings",
    "Chunk",
    "Document",
    "Embed",
    "KnowledgeStore",
    "Match",
    "SearchType",
    "UnknownBase",
]

FILE_NAME = "knowledge.db"
_LONGEST_NAME = 200


class KnowledgeStore:
    """All knowledge bases of a router. ``data_dir`` None keeps them in memory; ``embedders`` embeds for bases that name a server's model.

    Making one is cheap: the file is opened, and the built-in base made, at first use. Methods that take a base take its id or its key and
    raise `UnknownBase`; those that change something, apart from `set_enabled`, raise ValueError for the built-in base, and all of them do
    whenever a sentence can say what is wrong.
    """

    def __init__(self, data_dir: Path | None = None, embedders: Embed | None = None) -> None:
        self._database = Database(None if data_dir is None else data_dir / FILE_NAME)
        self._embed = embedders
        self._making = threading.Lock()
        self._made = False
        self._search: Searcher | None = None

    def close(self) -> None:
        """Close the file. Searches that are under way end; later calls raise RuntimeError."""
        self._database.close()

    def bases(self) -> list[Base]:
        """All bases, the built-in one first, then in the order they were made."""
        self._prepare()
        with self._database.reading() as connection:
            return [row.base for row in bases.every(connection)]

    def base(self, id_or_key: str) -> Base:
        """One base."""
        self._prepare()
        with self._database.reading() as connection:
            return bases.find(connection, id_or_key).base

    def create(self, key: str, description: str = "", settings: BaseSettings = BaseSettings()) -> Base:  # noqa: B008 (frozen)
        """A new, empty base; ValueError for a key that is taken or no key, and for settings out of range."""
        self._prepare()
        with self._database.writing() as connection:
            return bases.insert(connection, _new_id("kb"), key, description, settings, _now()).base

    def update(self, id: str, description: str | None = None, settings: BaseSettings | None = None) -> Base:
        """The base with what is not None changed. A new ``embedding_model`` embeds the chunks at the next search."""
        self._prepare()
        with self._database.writing() as connection:
            row = bases.find_changeable(connection, id)
            bases.update(connection, row, description, settings)
            return bases.find(connection, row.base.id).base

    def delete(self, id: str) -> None:
        """Take a base away, with its documents."""
        self._prepare()
        with self._database.writing() as connection:
            row = bases.find_changeable(connection, id)
            bases.delete(connection, row)
        self._searcher().forget(row.number)

    def add_document(self, base_id: str, name: str, content: bytes, metadata: Mapping[str, Any] | None = None) -> Document:
        """Read a file, cut it and index it; all of it or, when something is wrong, nothing.

        ``metadata`` (JSON values by name) goes to the document and to each of its chunks, beside what a chunk has of its own:
        ``document`` (the name), ``position`` (from 0), ``characters``. ValueError for a file that cannot be read; where the base uses a
        server's embedding, also what that raises. Two documents may have one name.
        """
        self._prepare()
        with self._database.reading() as connection:
            row = bases.find_changeable(connection, base_id)
        document = _cut(name, content, metadata or {})
        model = row.base.settings.embedding_model
        vectors = None
        if model != LOCAL_EMBEDDING:
            from core.local_router.knowledge.embedding import ServerSource, store  # brings numpy

            vectors = ServerSource(self._database, self._embed, model).embed([chunk.text for chunk in document.chunks])
        with self._database.writing() as connection:
            row = bases.find_changeable(connection, row.base.id)
            numbers = documents.add(connection, row, document)
            if vectors is not None:
                store(connection, model, dict(zip(numbers, vectors, strict=True)))
            bases.changed(connection, row)
            return documents.find(connection, row, document.id)

    def documents(self, base_id: str) -> list[Document]:
        """All documents of a base in the order they came."""
        self._prepare()
        with self._database.reading() as connection:
            return documents.every(connection, bases.find(connection, base_id))

    def delete_document(self, base_id: str, document_id: str) -> None:
        """Take a document out, with its chunks."""
        self._prepare()
        with self._database.writing() as connection:
            row = bases.find_changeable(connection, base_id)
            documents.delete(connection, row, document_id)
            bases.changed(connection, row)

    def chunks(self, base_id: str, document_id: str | None = None, after: str | None = None, limit: int = 100) -> list[Chunk]:
        """A page of at most ``limit`` chunks in the order they came: those after the chunk with the id ``after``, or the first."""
        self._prepare()
        with self._database.reading() as connection:
            return documents.chunks(connection, bases.find(connection, base_id), document_id, after, limit)

    def set_enabled(self, base_id: str, chunk_id: str, enabled: bool) -> None:
        """Switch a chunk on or off, in the built-in base too; one that is off is never found."""
        self._prepare()
        with self._database.writing() as connection:
            documents.set_enabled(connection, bases.find(connection, base_id), chunk_id, enabled)

    def search(
        self,
        base_id: str,
        query: str,
        *,
        search_type: SearchType,
        top_k: int,
        threshold: float,
        filter: Filter | None = None,
        include_vectors: bool = False,
    ) -> list[Match]:
        """The ``top_k`` (1…100) best chunks whose score reaches ``threshold`` (0…1), best first.

        Only chunks that are switched on and whose metadata passes ``filter`` are looked at. Any text is a query; a blank one finds
        nothing. The first search of a base by meaning may take seconds (see `vectors`).
        """
        from core.local_router.knowledge.search import Question

        bases.check_limits(top_k, threshold)
        if search_type not in SEARCH_TYPES:
            raise ValueError(f"search_type must be one of {', '.join(SEARCH_TYPES)}.")
        self._prepare()
        return self._searcher().search(base_id, Question(query, search_type, top_k, threshold, filter, include_vectors))

    def chunk(self, base_id: str, chunk_id: str) -> Chunk:
        """One chunk of a base; ValueError when it has none with this id."""
        self._prepare()
        with self._database.reading() as connection:
            return documents.find_chunk(connection, bases.find(connection, base_id), chunk_id)

    def frequencies(self, base_id: str, words: Sequence[str]) -> list[int]:
        """In how many of a base's chunks each of the ``words`` (see `keywords`) is."""
        self._prepare()
        with self._database.reading() as connection:
            row = bases.find(connection, base_id)
            return [keywords.frequency(connection, row.number, word) for word in words]

    def _searcher(self) -> Searcher:
        from core.local_router.knowledge.search import Searcher
        from core.local_router.knowledge.vectors import VectorIndexes

        with self._making:
            if self._search is None:
                self._search = Searcher(self._database, VectorIndexes(self._database, self._embed))
            return self._search

    def _prepare(self) -> None:
        """Make the built-in base, or make it anew when this Python's reference is another than the stored one's."""
        with self._making:
            if self._made:
                return
            edition = python_reference.edition()
            with self._database.reading() as connection:
                stored = connection.execute("SELECT built_from FROM bases WHERE id = ?", (python_reference.KEY,)).fetchone()
            if stored is None or stored[0] != edition:
                with self._database.writing() as connection:
                    _build_reference(connection, edition)
            self._made = True


def _build_reference(connection: sqlite3.Connection, edition: str) -> None:
    with suppress(UnknownBase):
        bases.delete(connection, bases.find(connection, python_reference.KEY))
    key = python_reference.KEY
    row = bases.insert(connection, key, key, python_reference.DESCRIPTION, BaseSettings(), _now(), built_from=edition)
    for topic, chunks in python_reference.topics():
        new = [NewChunk(chunk.id, chunk.text, chunk.metadata) for chunk in chunks]
        characters = sum(len(chunk.text) for chunk in new)
        documents.add(connection, row, NewDocument(f"doc_python-{topic}", topic, characters, _now(), {"topic": topic}, new))
    bases.changed(connection, row)


def _cut(name: str, content: bytes, given: Mapping[str, Any]) -> NewDocument:
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise ValueError(f"A document's name is 1 to {_LONGEST_NAME} printable characters, with its kind at the end, such as guide.md.")
    kept = metadata.checked(given)
    text = extraction.extract(name, content)
    chunks = [
        NewChunk(_new_id("chunk"), piece, kept | {"document": name, "position": position, "characters": len(piece)})
        for position, piece in enumerate(chunking.chunks(text))
    ]
    if not chunks:
        raise ValueError(f"{name} holds no text; choose a file with text in it.")
    return NewDocument(_new_id("doc"), name, len(text), _now(), kept, chunks)


def _new_id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(10)}"


def _now() -> int:
    return int(time.time())
