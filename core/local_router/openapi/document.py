"""``GET /openapi.json``: the whole document."""

from __future__ import annotations

from functools import cache

import orjson
from starlette.requests import Request
from starlette.responses import Response

from core.contract.json_schema import part_schema
from core.contract.parts import Part
from core.contract.request import CompletionRequest
from core.local_router.openapi import completions, knowledge, library
from core.local_router.openapi.parts import SCHEMAS, Schema

GROUPS = (completions, knowledge, library)


@cache
def document() -> Schema:
    """The document, OpenAPI 3.1. Shared: copy it before you change it."""
    schemas: dict[str, Schema] = {}
    for kind in (CompletionRequest, *knowledge.BODIES, *library.BODIES):
        schemas |= _with_parts(kind)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Local router",
            "version": "1",
            "description": "Router.Completions on this machine, with a small model of its own.",
        },
        "security": [{"key": []}],
        "paths": {path: operations for group in GROUPS for path, operations in group.PATHS.items()},
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas | {name: schema for group in GROUPS for name, schema in group.SCHEMAS.items()},
        },
    }


def _with_parts(kind: type[Part]) -> dict[str, Schema]:
    """A body's schema and those of its parts, by name."""
    schema = dict(part_schema(kind, SCHEMAS))
    parts: dict[str, Schema] = schema.pop("$defs", {})
    return {**parts, kind.__name__: schema}


async def show_openapi(_request: Request) -> Response:
    """The document as JSON."""
    return Response(orjson.dumps(document()), media_type="application/json")
