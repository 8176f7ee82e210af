"""Bases, documents, chunks and matches as JSON, in the shapes of contract §4 and of the official SDK's ``client.knowledge``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core.local_router.knowledge.records import Base, BaseSettings, Chunk, Document
from core.local_router.retrieval.search import Found
from core.local_router.retrieval.wanted import RERANK_THRESHOLD, RERANK_TOP_K, Wanted

DOMAIN = "local"
"""The only project there is; the SDK demands one."""


def base_view(base: Base) -> dict[str, Any]:
    """A base. ``built_in``, ``documents_count`` and ``chunks_count`` are ours."""
    return {
        "_id": base.id,
        "created": _time(base.created),
        "updated": _time(base.created),
        "key": base.key,
        "domain_id": DOMAIN,
        "description": base.description,
        "type": "internal",
        "model": base.settings.embedding_model,
        "retrieval_settings": settings_view(base.settings),
        "metadata": {"document_count": base.documents},
        "built_in": base.built_in,
        "documents_count": base.documents,
        "chunks_count": base.chunks,
    }


def settings_view(settings: BaseSettings) -> dict[str, Any]:
    """A base's own settings, under the names of contract §4; a config that is not there is left out."""
    view: dict[str, Any] = {"retrieval_type": settings.search_type, "top_k": settings.top_k, "threshold": settings.threshold}
    if settings.rerank:
        view["rerank_config"] = {
            "rerank_model": settings.rerank["model"],
            "top_k": settings.rerank.get("top_k", RERANK_TOP_K),
            "rerank_threshold": settings.rerank.get("threshold", RERANK_THRESHOLD),
        }
    if settings.agentic:
        view["agentic_rag_config"] = {"model": settings.agentic["model"]}
    return view


def document_view(document: Document) -> dict[str, Any]:
    """A document: the SDK's word is datasource. ``characters`` and ``fields`` (its metadata) are ours."""
    return {
        "_id": document.id,
        "display_name": document.name,
        "status": "completed",
        "created": _time(document.created),
        "updated": _time(document.created),
        "knowledge_id": document.base_id,
        "chunks_count": document.chunks,
        "characters": document.characters,
        "fields": document.metadata,
    }


def chunk_view(chunk: Chunk, created: int) -> dict[str, Any]:
    """A chunk; ``created`` is its document's time. ``datasource_id`` and ``position`` are ours."""
    return {
        "_id": chunk.id,
        "text": chunk.text,
        "enabled": chunk.enabled,
        "status": "completed",
        "created": _time(created),
        "updated": _time(created),
        "metadata": chunk.metadata,
        "datasource_id": chunk.document_id,
        "position": chunk.position,
    }


def match_view(found: Found, wanted: Wanted) -> dict[str, Any]:
    """A match, with what the search's options ask for. ``datasource_id`` is ours."""
    view: dict[str, Any] = {"id": found.chunk.id, "text": found.chunk.text, "datasource_id": found.chunk.document_id}
    if wanted.include_vectors and found.match.vector is not None:
        view["vector"] = found.match.vector
    if wanted.include_metadata:
        view["metadata"] = found.chunk.metadata
    if wanted.include_scores:
        view["scores"] = {name: round(score, 6) for name, score in found.scores().items()}
    return view


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
