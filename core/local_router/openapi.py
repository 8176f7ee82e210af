"""The router's OpenAPI document: ``GET /openapi.json``."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from core.contract.json_schema import request_schema

SCHEMAS = "#/components/schemas/"
Schema = dict[str, Any]


def _object(fields: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    return {"type": "object", "properties": fields, "required": [name for name in fields if name not in optional]}


def _nullable(kind: str) -> Schema:
    return {"type": [kind, "null"]}


TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
ERROR = _object(
    {
        "error": _object(
            {
                "code": TEXT,
                "message": TEXT,
                "param": _nullable("string"),
                "type": TEXT,
                "failures": {"type": "array", "items": _object({"param": TEXT, "message": TEXT})},
            },
            ("failures",),
        )
    }
)
CHOICE = _object({"index": WHOLE, "text": TEXT, "finish_reason": {"enum": ["stop", "length", "content_filter", "tool_calls", None]}})
USAGE = _object({"prompt_tokens": WHOLE, "completion_tokens": WHOLE, "total_tokens": WHOLE})
COMPLETION = _object(
    {
        "id": TEXT,
        "object": {"const": "text_completion"},
        "created": WHOLE,
        "model": TEXT,
        "choices": {"type": "array", "items": CHOICE},
        "usage": {"anyOf": [{"$ref": f"{SCHEMAS}Usage"}, {"type": "null"}]},
    },
    ("usage",),
)
MODELS = _object(
    {
        "object": {"const": "list"},
        "data": {"type": "array", "items": _object({"id": TEXT, "object": {"const": "model"}, "created": WHOLE, "owned_by": TEXT})},
    }
)
TRACE = _object({"id": TEXT, "object": {"const": "router.trace"}, "state": TEXT, "events": {"type": "array", "items": {"type": "object"}}})
HEALTH = _object({"status": {"const": "ok"}, "under_way": WHOLE})


def answer(description: str, schema: Schema, *, streams: bool = False) -> Schema:
    """An answer of 200; one that ``streams`` may also come as server-sent events."""
    content = {"application/json": {"schema": schema}} | ({"text/event-stream": {"schema": TEXT}} if streams else {})
    return {"description": description, "content": content}


def operation(
    name: str, summary: str, ok: Schema, *, body: Schema | None = None, parameters: tuple[Schema, ...] = (), open_to_all: bool = False
) -> Schema:
    """One operation: ``ok`` is its answer of 200; errors have the contract's form."""
    error = {"description": "An error, in the contract's form.", "content": {"application/json": {"schema": {"$ref": f"{SCHEMAS}Error"}}}}
    found: Schema = {"operationId": name, "summary": summary, "responses": {"200": ok, "4XX": error, "5XX": error}}
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if parameters:
        found["parameters"] = list(parameters)
    return found | ({"security": []} if open_to_all else {})


def path_parameter(name: str, description: str) -> Schema:
    """A part of the path."""
    return {"name": name, "in": "path", "required": True, "description": description, "schema": TEXT}


def query_parameter(name: str, description: str, schema: Schema) -> Schema:
    """An optional part of the query."""
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _completion(name: str) -> Schema:
    ok = answer("The completion; server-sent events where `stream` is true.", {"$ref": f"{SCHEMAS}Completion"}, streams=True)
    return {"post": operation(name, "Continue a prompt.", ok, body={"$ref": f"{SCHEMAS}CompletionRequest"})}


def _models(name: str) -> Schema:
    return {"get": operation(name, "The models on offer.", answer("The models.", MODELS))}


def _paths() -> dict[str, Schema]:
    trace_id = path_parameter("request_id", "The `x-router-request-id` of the answer.")
    return {
        "/v2/router/completions": _completion("complete"),
        "/v3/router/completions": _completion("complete_v3"),
        "/v1/completions": _completion("complete_openai"),
        "/v2/router/traces/{request_id}": {
            "get": operation("trace", "What the router did for a request.", answer("The trace.", TRACE), parameters=(trace_id,))
        },
        "/v3/router/models": _models("models"),
        "/v1/models": _models("models_openai"),
        "/healthz": {"get": operation("health", "Whether the router answers.", answer("It does.", HEALTH), open_to_all=True)},
    }


@cache
def document() -> Schema:
    """The document, OpenAPI 3.1. Shared: copy it before you change it."""
    request = dict(request_schema(SCHEMAS))
    parts = request.pop("$defs")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Local router",
            "version": "1",
            "description": "Router.Completions on this machine, with a small model of its own.",
        },
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {**parts, "CompletionRequest": request, "Completion": COMPLETION, "Usage": USAGE, "Error": ERROR},
        },
    }


async def show_openapi(_request: Request) -> Response:
    """The document as JSON."""
    return Response(orjson.dumps(document()), media_type="application/json")
