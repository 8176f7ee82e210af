"""Stored prompts, identities, threads, and what personal data can be looked for."""

from __future__ import annotations

from core.local_router.identities import routes as identities
from core.local_router.openapi.parts import (
    AFTER,
    BEFORE,
    FLAG,
    NUMBER,
    TEXT,
    TEXTS,
    TIME,
    WHOLE,
    Schema,
    answer,
    limit,
    list_of,
    named,
    nullable,
    object_of,
    operation,
    path_parameter,
    query_parameter,
)
from core.local_router.prompts import bodies
from core.local_router.prompts import routes as prompts

BODIES = (bodies.NewPrompt, bodies.ChangedPrompt)
"""What the operations take, as the checks themselves know it."""

_content = {
    "description": nullable("string"),
    "prompt": object_of({"messages": {"type": "array", "items": {"type": "object"}}}),
    "metadata": {"type": "object"},
    "version": WHOLE,
    "text": TEXT,
}
PROMPT = object_of(
    {
        "_id": TEXT,
        "type": {"const": "prompt"},
        "owner": TEXT,
        "domain_id": TEXT,
        "created": TIME,
        "updated": TIME,
        "display_name": TEXT,
        **_content,
    }
)
VERSION = object_of({"_id": TEXT, "timestamp": TIME, **_content})
PARTY_USAGE = object_of(
    {"requests": WHOLE, "failed": WHOLE, "prompt_tokens": WHOLE, "completion_tokens": WHOLE, "total_tokens": WHOLE, "last_seen": TIME}
)
IDENTITY = object_of(
    {
        "_id": TEXT,
        "external_id": TEXT,
        "workspace_id": TEXT,
        "created": TIME,
        "updated": TIME,
        "display_name": TEXT,
        "email": TEXT,
        "avatar_url": TEXT,
        "tags": TEXTS,
        "metadata": {"type": "object"},
        "usage": PARTY_USAGE,
        "metrics": object_of({"total_requests": WHOLE, "total_tokens": WHOLE, "total_cost": NUMBER, "error_rate": NUMBER}),
    },
    ("display_name", "email", "avatar_url", "tags", "metadata", "metrics"),
)
THREAD = object_of({"_id": TEXT, "object": {"const": "router.thread"}, "id": TEXT, "created": TIME, "tags": TEXTS, "usage": PARTY_USAGE})
CAPABILITIES = object_of(
    {
        "languages": TEXTS,
        "base_entities": TEXTS,
        "all_entities": TEXTS,
        "regions": TEXTS,
        "region_entities": {"type": "object", "additionalProperties": object_of({"entities": TEXTS})},
        "entity_thresholds": {"type": "object", "additionalProperties": NUMBER},
        "default_threshold": NUMBER,
        "max_text_chars": WHOLE,
    }
)
SCHEMAS: dict[str, Schema] = {"Prompt": PROMPT, "PromptVersion": VERSION, "Identity": IDENTITY, "RouterThread": THREAD}

_ONE = "/v2/prompts/{prompt_id}"
_prompt = (path_parameter("prompt_id", "The prompt's id."),)
_version = (*_prompt, path_parameter("version_id", "The version's id."))
_party = (path_parameter("id", "Its own id, or the one that requests name it by."),)
_prompts_page = (limit(prompts.MOST_LISTED, prompts.LISTED), AFTER, BEFORE)
_parties_page = (
    limit(identities.MOST_LISTED, identities.LISTED),
    AFTER,
    BEFORE,
    query_parameter("search", "A part of the id or the name, in any case.", TEXT),
    query_parameter("filter_by.tags", "A tag that it has; may be given several times.", TEXTS),
)
_metrics = query_parameter("include_metrics", "Whether `metrics` come with it.", FLAG)
_one_prompt = answer("The prompt, with its newest version.", named("Prompt"))
_gone = answer("It is done.", {"type": "object"})

PATHS: dict[str, Schema] = {
    "/v2/prompts": {
        "get": operation("list_prompts", "The stored prompts.", answer("One page.", list_of(named("Prompt"))), parameters=_prompts_page),
        "post": operation("create_prompt", "Store a prompt.", _one_prompt, body="NewPrompt"),
    },
    _ONE: {
        "get": operation("show_prompt", "One prompt.", _one_prompt, parameters=_prompt),
        "patch": operation("change_prompt", "Save a new version.", _one_prompt, body="ChangedPrompt", parameters=_prompt),
        "delete": operation("delete_prompt", "Delete a prompt with its versions.", _gone, parameters=_prompt),
    },
    f"{_ONE}/versions": {
        "get": operation(
            "list_versions",
            "A prompt's versions, newest first.",
            answer("One page.", list_of(named("PromptVersion"))),
            parameters=(*_prompt, *_prompts_page),
        )
    },
    f"{_ONE}/versions/{{version_id}}": {
        "get": operation("show_version", "One version.", answer("The version.", named("PromptVersion")), parameters=_version)
    },
    "/v2/identities": {
        "get": operation(
            "list_identities",
            "The identities that requests named.",
            answer("One page.", list_of(named("Identity"))),
            parameters=(*_parties_page, _metrics),
        )
    },
    "/v2/identities/{id}": {
        "get": operation(
            "show_identity",
            "One identity.",
            answer("The identity.", object_of({"identity": named("Identity")})),
            parameters=(*_party, _metrics),
        ),
        "delete": operation("delete_identity", "Forget an identity.", _gone, parameters=_party),
    },
    "/v2/router/threads": {
        "get": operation(
            "list_threads",
            "The threads that requests named.",
            answer("One page.", list_of(named("RouterThread"))),
            parameters=_parties_page,
        )
    },
    "/v2/router/threads/{id}": {
        "get": operation("show_thread", "One thread.", answer("The thread.", named("RouterThread")), parameters=_party)
    },
    "/v2/pii/capabilities": {
        "get": operation("pii_capabilities", "What personal data can be looked for.", answer("What can.", CAPABILITIES))
    },
}
