"""What a knowledge base is made of, as callers see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

SearchType = Literal["vector_search", "keyword_search", "hybrid_search"]
SEARCH_TYPES: tuple[SearchType, ...] = get_args(SearchType)

LOCAL_EMBEDDING = "local/tfidf-svd"
"""The embedding that needs no server: fitted to the base itself."""

Embed = Callable[[str, Sequence[str]], list[list[float]]]
"""``embed("name/model", texts)``: one vector per text, all of one length. Blocks; raises an error whose text is a sentence."""


class UnknownBase(LookupError):
    """No knowledge base has this id or key."""


@dataclass(frozen=True, slots=True)
class BaseSettings:
    """How a base is searched when the request does not say.

    ``top_k`` is 1…100, ``threshold`` 0…1 (a score must reach it). ``rerank`` and ``agentic`` are kept as they are given, for those who
    apply them. ``embedding_model`` is `LOCAL_EMBEDDING`, or ``name/model`` of an upstream that serves ``/v1/embeddings``.
    """

    search_type: SearchType = "hybrid_search"
    top_k: int = 5
    threshold: float = 0.0
    rerank: dict[str, Any] | None = None
    agentic: dict[str, Any] | None = None
    embedding_model: str = LOCAL_EMBEDDING


@dataclass(frozen=True, slots=True)
class Base:
    """One knowledge base. ``created`` is in seconds since 1970; ``documents`` and ``chunks`` are counts. A ``built_in`` one is fixed."""

    id: str
    key: str
    description: str
    created: int
    settings: BaseSettings
    documents: int
    chunks: int
    built_in: bool


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a base. ``characters`` counts its extracted text, ``chunks`` what it was cut into."""

    id: str
    base_id: str
    name: str
    characters: int
    chunks: int
    created: int
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of a document; ``position`` counts from 0 within it. A chunk that is not ``enabled`` is never found."""

    id: str
    base_id: str
    document_id: str
    position: int
    text: str
    metadata: dict[str, Any]
    enabled: bool


@dataclass(frozen=True, slots=True)
class Match:
    """A chunk that was found. ``score`` is 0…1, of the search that was asked for.

    ``scores`` holds it again by kind (``keyword``, ``vector``, ``hybrid``), with those that a hybrid score was made of. ``vector`` is the
    chunk's embedding when it was asked for, of unit length for `LOCAL_EMBEDDING`.
    """

    chunk: Chunk
    score: float
    scores: dict[str, float] = field(default_factory=dict)
    vector: list[float] | None = None
