"""Knowledge bases, their documents and chunks, and the search for them."""

from __future__ import annotations

from core.local_router.knowledge_api import bodies
from core.local_router.knowledge_api.routes import LISTED, MOST_LISTED
from core.local_router.openapi.parts import (
    AFTER,
    FLAG,
    NUMBER,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    answer,
    limit,
    list_of,
    named,
    object_of,
    operation,
    path_parameter,
    query_parameter,
)

BODIES = (bodies.NewBase, bodies.ChangedBase, bodies.NewDocument, bodies.Switch, bodies.Search)
"""What the operations take, as the checks themselves know it."""

SETTINGS = object_of(
    {
        "retrieval_type": {"enum": ["vector_search", "keyword_search", "hybrid_search"]},
        "top_k": WHOLE,
        "threshold": NUMBER,
        "rerank_config": object_of({"rerank_model": TEXT, "top_k": WHOLE, "rerank_threshold": NUMBER}),
        "agentic_rag_config": object_of({"model": TEXT}),
    },
    ("rerank_config", "agentic_rag_config"),
)
BASE = object_of(
    {
        "_id": TEXT,
        "created": TIME,
        "updated": TIME,
        "key": TEXT,
        "domain_id": TEXT,
        "description": TEXT,
        "type": {"const": "internal"},
        "model": TEXT,
        "retrieval_settings": SETTINGS,
        "metadata": object_of({"document_count": WHOLE}),
        "built_in": FLAG,
        "documents_count": WHOLE,
        "chunks_count": WHOLE,
    }
)
DOCUMENT = object_of(
    {
        "_id": TEXT,
        "display_name": TEXT,
        "status": {"const": "completed"},
        "created": TIME,
        "updated": TIME,
        "knowledge_id": TEXT,
        "chunks_count": WHOLE,
        "characters": WHOLE,
        "fields": {"type": "object"},
    }
)
CHUNK = object_of(
    {
        "_id": TEXT,
        "text": TEXT,
        "enabled": FLAG,
        "status": {"const": "completed"},
        "created": TIME,
        "updated": TIME,
        "metadata": {"type": "object"},
        "datasource_id": TEXT,
        "position": WHOLE,
    }
)
MATCH = object_of(
    {
        "id": TEXT,
        "text": TEXT,
        "datasource_id": TEXT,
        "vector": {"type": "array", "items": NUMBER},
        "metadata": {"type": "object"},
        "scores": {"type": "object", "additionalProperties": NUMBER},
    },
    ("vector", "metadata", "scores"),
)
SCHEMAS: dict[str, Schema] = {"Base": BASE, "Document": DOCUMENT, "Chunk": CHUNK, "Match": MATCH}

_BASES = "/v2/knowledge"
_ONE = f"{_BASES}/{{knowledge_id}}"
_SOURCES = f"{_ONE}/datasources"
_SOURCE = f"{_SOURCES}/{{datasource_id}}"
_base = (path_parameter("knowledge_id", "The base's id or key."),)
_document = (*_base, path_parameter("datasource_id", "The document's id."))
_chunk = (*_document, path_parameter("chunk_id", "The chunk's id."))
_page = (limit(MOST_LISTED, LISTED), AFTER)


def _ok(name: str) -> Schema:
    return answer(f"The {name.lower()}.", named(name))


PATHS: dict[str, Schema] = {
    _BASES: {
        "get": operation(
            "list_bases",
            "The knowledge bases.",
            answer("One page.", list_of(named("Base"))),
            parameters=(*_page, query_parameter("search", "A part of the key, in any case.", TEXT)),
        ),
        "post": operation("create_base", "Make a base.", _ok("Base"), body="NewBase"),
    },
    _ONE: {
        "get": operation("show_base", "One base.", _ok("Base"), parameters=_base),
        "patch": operation("change_base", "Change a base; what is left out stays.", _ok("Base"), body="ChangedBase", parameters=_base),
        "delete": operation("delete_base", "Delete a base with all its documents.", None, parameters=_base),
    },
    f"{_ONE}/search": {
        "post": operation(
            "search_base",
            "The chunks that a request would find.",
            answer("The matches, best first.", object_of({"matches": {"type": "array", "items": named("Match")}})),
            body="Search",
            parameters=_base,
        )
    },
    f"{_ONE}/documents": {"post": operation("add_document", "Add a file.", _ok("Document"), body="NewDocument", parameters=_base)},
    _SOURCES: {
        "get": operation(
            "list_documents",
            "A base's documents.",
            answer("One page.", list_of(named("Document"))),
            parameters=(*_base, *_page, query_parameter("q", "A part of the name, in any case.", TEXT)),
        )
    },
    _SOURCE: {
        "get": operation("show_document", "One document.", _ok("Document"), parameters=_document),
        "delete": operation("delete_document", "Delete a document with its chunks.", None, parameters=_document),
    },
    f"{_SOURCE}/chunks": {
        "get": operation(
            "list_chunks", "A document's chunks.", answer("One page.", list_of(named("Chunk"))), parameters=(*_document, *_page)
        )
    },
    f"{_SOURCE}/chunks/{{chunk_id}}/enabled": {
        "patch": operation("switch_chunk", "Let a chunk be found, or not.", _ok("Chunk"), body="Switch", parameters=_chunk)
    },
}
