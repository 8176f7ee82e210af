"""Where the embeddings of chunks and queries come from: a model fitted to the base, or a server that is asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

import numpy as np

from core.local_router.knowledge.database import Database
from core.local_router.knowledge.latent import DIMENSIONS, FITTED_ON, LatentModel, Matrix, unit
from core.local_router.knowledge.question_words import without_question_words
from core.local_router.knowledge.records import Embed
from core.local_router.knowledge.roster import Numbers

_READ_AT_ONCE = 2_000  # chunks
_SENT_AT_ONCE = 64  # texts in one request to a server


class LatentSource:
    """`LatentModel` over the chunks of one base."""

    def __init__(self, database: Database, model: LatentModel) -> None:
        self._database = database
        self._model = model

    @classmethod
    def fit(cls, database: Database, base: int, numbers: Numbers) -> LatentSource:
        """Fitted to these chunks, or, when they are more than `FITTED_ON`, to so many of them."""
        if len(numbers) > FITTED_ON:
            numbers = numbers[np.linspace(0, len(numbers) - 1, FITTED_ON).astype(int)]
        texts = [text for batch in _texts(database, base, numbers) for text in batch]
        return cls(database, LatentModel.fit(texts))

    def query(self, text: str) -> Matrix:
        return np.asarray(self._model.embed([without_question_words(text)])[0])

    def chunks(self, base: int, numbers: Numbers) -> Matrix:
        rows = [self._model.embed(batch) for batch in _texts(self._database, base, numbers)]
        return np.concatenate(rows) if rows else np.zeros((0, DIMENSIONS), dtype=np.float32)


class ServerSource:
    """A server's embeddings. Chunks have theirs in the database; those that lack them are sent, and what comes back is kept."""

    def __init__(self, database: Database, embed: Embed | None, model: str) -> None:
        self._database = database
        self._embed = embed
        self._model = model

    def embed(self, texts: Sequence[str]) -> Matrix:
        """One row of unit length per text; raises what the server's caller raises, and ValueError for an answer that does not fit."""
        if self._embed is None:
            raise ValueError(f"{self._model} cannot embed: no server is configured; add it to the upstreams, or use the local embedding.")
        rows: list[list[float]] = []
        for begin in range(0, len(texts), _SENT_AT_ONCE):
            rows += self._embed(self._model, texts[begin : begin + _SENT_AT_ONCE])
        if len(rows) != len(texts) or len({len(row) for row in rows}) > 1:
            raise ValueError(
                f"{self._model} answered with {len(rows)} vectors for {len(texts)} texts, or with uneven ones; check the server."
            )
        return unit(np.array(rows, dtype=np.float32).reshape(len(rows), -1))

    def query(self, text: str) -> Matrix:
        return np.asarray(self.embed([text])[0])

    def chunks(self, base: int, numbers: Numbers) -> Matrix:
        with self._database.reading() as connection:
            kept = stored(connection, base, self._model)
        missing = np.array([number for number in numbers.tolist() if number not in kept], dtype=np.int64)
        for part in np.array_split(missing, range(_READ_AT_ONCE, len(missing), _READ_AT_ONCE)):
            texts = [text for batch in _texts(self._database, base, part) for text in batch]
            there = {number: text for number, text in zip(part.tolist(), texts, strict=True) if text}
            new = dict(zip(there, self.embed(list(there.values())), strict=True)) if there else {}
            with self._database.writing() as connection:
                store(connection, self._model, new)
            kept |= new
        lengths = {len(vector) for vector in kept.values()}
        if len(lengths) > 1:
            raise ValueError(f"{self._model} no longer gives vectors of one length; give the base another embedding_model, then this one.")
        nothing = np.zeros(max(lengths, default=1), dtype=np.float32)
        return np.array([kept.get(number, nothing) for number in numbers.tolist()], dtype=np.float32).reshape(len(numbers), len(nothing))


def stored(connection: sqlite3.Connection, base: int, model: str) -> dict[int, Matrix]:
    """The vectors a base's chunks have from ``model``, by chunk number."""
    rows = connection.execute(
        "SELECT chunk, vector FROM vectors JOIN chunks ON chunks.number = chunk WHERE base = ? AND model = ?", (base, model)
    )
    return {number: np.frombuffer(blob, dtype="<f4") for number, blob in rows}


def store(connection: sqlite3.Connection, model: str, vectors: dict[int, Matrix]) -> None:
    """Keep vectors of ``model``, in place of what the chunks had; chunks that are gone are left out."""
    connection.executemany(
        "INSERT OR REPLACE INTO vectors (chunk, model, vector) SELECT number, ?, ? FROM chunks WHERE number = ?",
        ((model, vector.astype("<f4").tobytes(), number) for number, vector in vectors.items()),
    )


def _texts(database: Database, base: int, numbers: Numbers) -> Iterator[list[str]]:
    """The chunks' texts in the order of ``numbers`` (ascending), in batches; empty for a chunk that is gone."""
    for begin in range(0, len(numbers), _READ_AT_ONCE):
        batch = numbers[begin : begin + _READ_AT_ONCE].tolist()
        with database.reading() as connection:
            query = "SELECT number, text FROM chunks WHERE base = ? AND number BETWEEN ? AND ?"
            found = dict(connection.execute(query, (base, batch[0], batch[-1])))
        yield [found.get(number, "") for number in batch]
