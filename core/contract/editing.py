"""How each field is edited: group, widget, step and placeholder. The table behind ``parameters``; what a field *is*, ``request`` says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

Group = Literal[
    "Request",
    "Sampling",
    "Length and stopping",
    "Routing",
    "Cache and timeout",
    "Knowledge",
    "Prompt and inputs",
    "Thinking",
    "Identity and trace",
    "PII",
    "orq twins",
]
WidgetKind = Literal[
    "model",
    "prompt",
    "boolean",
    "number",
    "integer",
    "text",
    "choice",
    "stops",
    "models",
    "codes",
    "weights",
    "tags",
    "metadata",
    "inputs",
    "filter",
    "thresholds",
    "constant",
]

GROUPS: tuple[Group, ...] = get_args(Group)
"""The groups in the order in which a form shows them."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds when the field at ``path`` (without indices; inside a list: of the same item) has one of the values ``any_of``."""

    path: str
    any_of: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """How a leaf is edited: a row of the table."""

    path: str
    group: Group
    widget: WidgetKind
    step: float | None = None
    placeholder: str = ""
    openai: bool = False
    editor: str = ""
    when: Condition | None = None


_ENABLED = Condition("thinking.type", ("enabled",))
_MODEL_PLACEHOLDER = "provider/model"

_REQUEST = (
    Edit("model", "Request", "model", placeholder=_MODEL_PLACEHOLDER, openai=True),
    Edit("prompt", "Request", "prompt", placeholder="Write the beginning; the model goes on from there", openai=True),
    Edit("echo", "Length and stopping", "boolean", openai=True),
    Edit("frequency_penalty", "Sampling", "number", step=0.1, openai=True),
    Edit("max_tokens", "Length and stopping", "integer", step=16, openai=True),
    Edit("presence_penalty", "Sampling", "number", step=0.1, openai=True),
    Edit("seed", "Sampling", "integer", step=1, placeholder="a new one each time", openai=True),
    Edit("stop", "Length and stopping", "stops", placeholder="none", openai=True),
    Edit("temperature", "Sampling", "number", step=0.05, openai=True),
    Edit("top_p", "Sampling", "number", step=0.05, openai=True),
    Edit("n", "Sampling", "integer", step=1, openai=True),
    Edit("user", "Identity and trace", "text", placeholder="user-1234", openai=True),
)

_ROUTED = (
    Edit("name", "Identity and trace", "text", placeholder="the router's own"),
    Edit("fallbacks[].model", "Routing", "models", placeholder=_MODEL_PLACEHOLDER, editor="fallbacks"),
    Edit("fallback_on_codes[]", "Routing", "codes", step=1),
    Edit("retry.count", "Routing", "number", step=1),
    Edit("retry.on_codes[]", "Routing", "codes", step=1),
    Edit("cache.type", "Cache and timeout", "constant"),
    Edit("cache.ttl", "Cache and timeout", "number", step=60),
    Edit("load_balancer.type", "Routing", "constant"),
    Edit("load_balancer.models[].model", "Routing", "weights", placeholder=_MODEL_PLACEHOLDER, editor="load_balancer.models"),
    Edit("load_balancer.models[].weight", "Routing", "weights", step=0.05, editor="load_balancer.models"),
    Edit("timeout.call_timeout", "Cache and timeout", "number", step=500, placeholder="required, such as 30000"),
)

_THINKING_AND_PII = (
    Edit("thinking.type", "Thinking", "choice"),
    Edit("thinking.budget_tokens", "Thinking", "number", step=256, placeholder="required, from 1024", when=_ENABLED),
    Edit("thinking.thinking_level", "Thinking", "choice", placeholder="the model's own", when=_ENABLED),
    Edit("plugins[].id", "PII", "constant"),
    Edit("plugins[].language", "PII", "text"),
    Edit("plugins[].regions[]", "PII", "tags", placeholder="nl, gb, …"),
    Edit("plugins[].entities[]", "PII", "tags", placeholder="EMAIL_ADDRESS, IBAN_CODE, …"),
    Edit("plugins[].entity_thresholds{}", "PII", "thresholds", step=0.05),
    Edit("plugins[].threshold", "PII", "number", step=0.05, placeholder="the detector's own"),
    Edit("plugins[].on_failure", "PII", "choice"),
)

_PARTY = (
    Edit("id", "Identity and trace", "text", placeholder="required, such as customer-42"),
    Edit("display_name", "Identity and trace", "text", placeholder="Ada Lovelace"),
    Edit("email", "Identity and trace", "text", placeholder="ada@example.com"),
    Edit("logo_url", "Identity and trace", "text", placeholder="https://example.com/logo.png"),
    Edit("metadata[]", "Identity and trace", "metadata", placeholder='{"plan": "pro"}'),
    Edit("tags[]", "Identity and trace", "tags", placeholder="add a tag"),
)

_ORQ = (
    Edit("orq.prompt.id", "Prompt and inputs", "text", placeholder="required, a stored prompt's id"),
    Edit("orq.prompt.version", "Prompt and inputs", "constant"),
    *(replace(edit, path=f"orq.{party}.{edit.path}") for party in ("identity", "contact") for edit in _PARTY),
    Edit("orq.thread.id", "Identity and trace", "text", placeholder="required, such as thread-7"),
    Edit("orq.thread.tags[]", "Identity and trace", "tags", placeholder="add a tag"),
    Edit("orq.inputs", "Prompt and inputs", "inputs", placeholder="a value for each {{name}}"),
)

_KNOWLEDGE = tuple(
    replace(edit, path=f"orq.knowledge_bases[].{edit.path}")
    for edit in (
        Edit("knowledge_id", "Knowledge", "text", placeholder="required, a knowledge base's id"),
        Edit("top_k", "Knowledge", "integer", step=1, placeholder="the base's own"),
        Edit("threshold", "Knowledge", "number", step=0.05, placeholder="the base's own"),
        Edit("search_type", "Knowledge", "choice", placeholder="the base's own"),
        Edit("filter_by", "Knowledge", "filter", placeholder='{"year": {"gte": 2020}}'),
        Edit("search_options.include_vectors", "Knowledge", "boolean"),
        Edit("search_options.include_metadata", "Knowledge", "boolean"),
        Edit("search_options.include_scores", "Knowledge", "boolean"),
        Edit("rerank_config.model", "Knowledge", "model", placeholder=_MODEL_PLACEHOLDER),
        Edit("rerank_config.threshold", "Knowledge", "number", step=0.05),
        Edit("rerank_config.top_k", "Knowledge", "integer", step=1),
        Edit("agentic_rag_config.model", "Knowledge", "model", placeholder=_MODEL_PLACEHOLDER),
        Edit("query", "Knowledge", "text", placeholder="the prompt"),
    )
)


def _twin(edit: Edit) -> Edit:
    return replace(edit, path=f"orq.{edit.path}", group="orq twins", editor=f"orq.{edit.editor}" if edit.editor else "")


EDITS = (
    *_REQUEST,
    *_ROUTED,
    *_THINKING_AND_PII,
    *map(_twin, _ROUTED),
    *_ORQ,
    *_KNOWLEDGE,
    Edit("stream", "Request", "boolean", openai=True),
)
"""One row for each of the 75 leaves, in the order of ``tests/parameters.json``."""
