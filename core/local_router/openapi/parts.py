"""What the document is built of: objects, answers, operations and parameters, in the short."""

from __future__ import annotations

from typing import Any

SCHEMAS = "#/components/schemas/"
Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
TEXTS: Schema = {"type": "array", "items": TEXT}


EVENT: Schema = {
    "type": "object",
    "description": "A server-sent event; `data` is a JSON object, or `[DONE]` after the last one.",
    "properties": {"data": TEXT, "event": TEXT},
    "required": ["data"],
}


def object_of(fields: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    """An object that has all ``fields`` but the ``optional`` ones."""
    return {"type": "object", "properties": fields, "required": [name for name in fields if name not in optional]}


def nullable(kind: str) -> Schema:
    """A value of that JSON type, or null."""
    return {"type": [kind, "null"]}


def named(name: str) -> Schema:
    """The schema of that name among the document's."""
    return {"$ref": SCHEMAS + name}


def list_of(item: Schema) -> Schema:
    """One page of a list."""
    return object_of({"object": {"const": "list"}, "data": {"type": "array", "items": item}, "has_more": FLAG})


def answer(description: str, schema: Schema, *, streams: bool = False) -> Schema:
    """An answer of 200; one that ``streams`` may also come as server-sent events."""
    content = {"application/json": {"schema": schema}} | ({"text/event-stream": {"schema": EVENT}} if streams else {})
    return {"description": description, "content": content}


def operation(
    name: str, summary: str, ok: Schema | None, *, body: str | None = None, parameters: tuple[Schema, ...] = (), open_to_all: bool = False
) -> Schema:
    """One operation: ``ok`` is its answer of 200 (None: it answers 204, with nothing), ``body`` the schema's name of what it takes.

    Errors have the contract's form.
    """
    error = {"description": "An error, in the contract's form.", "content": {"application/json": {"schema": named("Error")}}}
    good = {"204": {"description": "It is done."}} if ok is None else {"200": ok}
    found: Schema = {"operationId": name, "summary": summary, "responses": {**good, "4XX": error, "5XX": error}}
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": named(body)}}}
    if parameters:
        found["parameters"] = list(parameters)
    return found | ({"security": []} if open_to_all else {})


def path_parameter(name: str, description: str) -> Schema:
    """A part of the path."""
    return {"name": name, "in": "path", "required": True, "description": description, "schema": {"type": "string", "minLength": 1}}


def query_parameter(name: str, description: str, schema: Schema) -> Schema:
    """An optional part of the query."""
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def limit(most: int, usual: int) -> Schema:
    """The query's ``limit``: how many rows a page has."""
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": usual}
    return query_parameter("limit", "How many come, at most.", schema)


AFTER = query_parameter("starting_after", "The id of the row before the page's first.", TEXT)
BEFORE = query_parameter("ending_before", "The id of the row after the page's last; not together with `starting_after`.", TEXT)
