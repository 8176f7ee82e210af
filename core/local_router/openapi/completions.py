"""Completions, models, traces and health."""

from __future__ import annotations

from core.local_router.openapi.parts import TEXT, WHOLE, Schema, answer, named, nullable, object_of, operation, path_parameter

CHOICE = object_of({"index": WHOLE, "text": TEXT, "finish_reason": {"enum": ["stop", "length", "content_filter", "tool_calls", None]}})
USAGE = object_of(
    {
        "prompt_tokens": WHOLE,
        "completion_tokens": WHOLE,
        "total_tokens": WHOLE,
        "completion_tokens_details": {"anyOf": [object_of({"reasoning_tokens": WHOLE}), {"type": "null"}]},
    },
    ("completion_tokens_details",),
)
COMPLETION = object_of(
    {
        "id": TEXT,
        "object": {"const": "text_completion"},
        "created": WHOLE,
        "model": TEXT,
        "choices": {"type": "array", "items": CHOICE},
        "usage": {"anyOf": [named("Usage"), {"type": "null"}]},
        "system_fingerprint": nullable("string"),
    },
    ("usage", "system_fingerprint"),
)
MODELS = object_of(
    {
        "object": {"const": "list"},
        "data": {"type": "array", "items": object_of({"id": TEXT, "object": {"const": "model"}, "created": WHOLE, "owned_by": TEXT})},
    }
)
TRACE = object_of(
    {
        "id": TEXT,
        "object": {"const": "router.trace"},
        "state": TEXT,
        "status": nullable("integer"),
        "model": TEXT,
        "attempts": WHOLE,
        "cache": {"enum": ["hit", "miss", "bypass"]},
        "events": {"type": "array", "items": object_of({"type": TEXT, "at_ms": {"type": "number"}})},
    }
)
HEALTH = object_of({"status": {"const": "ok"}, "under_way": WHOLE})
ERROR = object_of(
    {
        "error": object_of(
            {
                "code": TEXT,
                "message": TEXT,
                "param": nullable("string"),
                "type": TEXT,
                "failures": {"type": "array", "items": object_of({"param": TEXT, "message": TEXT})},
            },
            ("failures",),
        ),
        "message": TEXT,
    }
)
SCHEMAS: dict[str, Schema] = {"Completion": COMPLETION, "Usage": USAGE, "Trace": TRACE, "Error": ERROR}


def _completion(name: str) -> Schema:
    ok = answer("The completion; server-sent events where `stream` is true.", named("Completion"), streams=True)
    return {"post": operation(name, "Continue a prompt.", ok, body="CompletionRequest")}


def _models(name: str) -> Schema:
    return {"get": operation(name, "The models on offer.", answer("The models.", MODELS))}


PATHS: dict[str, Schema] = {
    "/v2/router/completions": _completion("complete"),
    "/v3/router/completions": _completion("complete_v3"),
    "/v1/completions": _completion("complete_openai"),
    "/v2/router/traces/{request_id}": {
        "get": operation(
            "trace",
            "What the router did for a request.",
            answer("The trace.", named("Trace")),
            parameters=(path_parameter("request_id", "The `x-router-request-id` of the answer."),),
        )
    },
    "/v3/router/models": _models("models"),
    "/v1/models": _models("models_openai"),
    "/healthz": {"get": operation("health", "Whether the router answers.", answer("It does.", HEALTH), open_to_all=True)},
}
