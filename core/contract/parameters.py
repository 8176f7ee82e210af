"""Every parameter as data: what the form, the search box, the snippets and the documentation know about a field.

The table below says how a field is *edited* (group, widget, step, placeholder). What a field *is* (help, bounds, choices, default, null,
required, deprecated) is read from ``request``, so that the two cannot disagree. Paths are those of ``tests/parameters.json``:
``[]`` marks a list's items, ``{}`` an object's values. Nothing here draws.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from core.contract.problems import Node
from core.contract.request import THINKING_TYPES, TREE, TWINS
from core.contract.rules import Blocks, Choice, Each, Number, Rule, Table

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

GROUPS: tuple[Group, ...] = (
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
)
"""The groups in the order in which a form shows them."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds when the field at ``path`` (without indices; inside a list: of the same item) has one of the values ``any_of``."""

    path: str
    any_of: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """One leaf of the request.

    ``label`` is the wire name; ``required`` counts within its block, ``nullable`` for the leaf itself (``thinking`` is nullable as a block).
    ``default`` is what the server does when the field is absent, ``None`` where it has none; ``minimum`` and ``maximum`` are inclusive,
    of the items where the leaf is a list. ``unit`` is ``"ms"``, ``"s"`` or empty. ``placeholder`` is shown in an empty widget.
    ``editor`` is the path of the widget that edits the leaf. ``openai`` tells that an OpenAI-compatible ``/v1/completions`` takes it too.
    """

    path: str
    group: Group
    label: str
    widget: WidgetKind
    nullable: bool
    required: bool
    default: Any
    minimum: float | None
    maximum: float | None
    step: float | None
    unit: str
    help: str
    placeholder: str
    choices: tuple[str, ...]
    visible_when: Condition | None
    deprecated: bool
    openai: bool
    editor: str


@dataclass(frozen=True, slots=True)
class BlockSpec:
    """An object with a switch: off is not sent, on starts with ``template`` (copy it before use).

    ``empty_legal`` tells that ``{}`` may be sent; ``repeated`` that the block is a list of such objects, one template each.
    ``orq`` itself has no switch: it is sent when something in it is set.
    """

    path: str
    group: Group
    label: str
    help: str
    deprecated: bool
    nullable: bool
    empty_legal: bool
    repeated: bool
    template: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Edit:
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
    _Edit("model", "Request", "model", placeholder=_MODEL_PLACEHOLDER, openai=True),
    _Edit("prompt", "Request", "prompt", placeholder="Write the beginning; the model goes on from there", openai=True),
    _Edit("echo", "Length and stopping", "boolean", openai=True),
    _Edit("frequency_penalty", "Sampling", "number", step=0.1, openai=True),
    _Edit("max_tokens", "Length and stopping", "integer", step=16, openai=True),
    _Edit("presence_penalty", "Sampling", "number", step=0.1, openai=True),
    _Edit("seed", "Sampling", "integer", step=1, placeholder="a new one each time", openai=True),
    _Edit("stop", "Length and stopping", "stops", placeholder="none", openai=True),
    _Edit("temperature", "Sampling", "number", step=0.05, openai=True),
    _Edit("top_p", "Sampling", "number", step=0.05, openai=True),
    _Edit("n", "Sampling", "integer", step=1, openai=True),
    _Edit("user", "Identity and trace", "text", placeholder="user-1234", openai=True),
)

_ROUTED = (
    _Edit("name", "Identity and trace", "text", placeholder="the router's own"),
    _Edit("fallbacks[].model", "Routing", "models", placeholder=_MODEL_PLACEHOLDER, editor="fallbacks"),
    _Edit("fallback_on_codes[]", "Routing", "codes", step=1),
    _Edit("retry.count", "Routing", "number", step=1),
    _Edit("retry.on_codes[]", "Routing", "codes", step=1),
    _Edit("cache.type", "Cache and timeout", "constant"),
    _Edit("cache.ttl", "Cache and timeout", "number", step=60),
    _Edit("load_balancer.type", "Routing", "constant"),
    _Edit("load_balancer.models[].model", "Routing", "weights", placeholder=_MODEL_PLACEHOLDER, editor="load_balancer.models"),
    _Edit("load_balancer.models[].weight", "Routing", "weights", step=0.05, editor="load_balancer.models"),
    _Edit("timeout.call_timeout", "Cache and timeout", "number", step=500, placeholder="required, such as 30000"),
)

_THINKING_AND_PII = (
    _Edit("thinking.type", "Thinking", "choice"),
    _Edit("thinking.budget_tokens", "Thinking", "number", step=256, placeholder="required, from 1024", when=_ENABLED),
    _Edit("thinking.thinking_level", "Thinking", "choice", placeholder="the model's own", when=_ENABLED),
    _Edit("plugins[].id", "PII", "constant"),
    _Edit("plugins[].language", "PII", "text"),
    _Edit("plugins[].regions[]", "PII", "tags", placeholder="nl, gb, …"),
    _Edit("plugins[].entities[]", "PII", "tags", placeholder="EMAIL_ADDRESS, PERSON, …"),
    _Edit("plugins[].entity_thresholds{}", "PII", "thresholds", step=0.05),
    _Edit("plugins[].threshold", "PII", "number", step=0.05, placeholder="the detector's own"),
    _Edit("plugins[].on_failure", "PII", "choice"),
)

_PARTY = (
    _Edit("id", "Identity and trace", "text", placeholder="required, such as customer-42"),
    _Edit("display_name", "Identity and trace", "text", placeholder="Ada Lovelace"),
    _Edit("email", "Identity and trace", "text", placeholder="ada@example.com"),
    _Edit("logo_url", "Identity and trace", "text", placeholder="https://example.com/logo.png"),
    _Edit("metadata[]", "Identity and trace", "metadata", placeholder='{"plan": "pro"}'),
    _Edit("tags[]", "Identity and trace", "tags", placeholder="add a tag"),
)

_ORQ = (
    _Edit("orq.prompt.id", "Prompt and inputs", "text", placeholder="required, a stored prompt's id"),
    _Edit("orq.prompt.version", "Prompt and inputs", "constant"),
    *(replace(edit, path=f"orq.{party}.{edit.path}") for party in ("identity", "contact") for edit in _PARTY),
    _Edit("orq.thread.id", "Identity and trace", "text", placeholder="required, such as thread-7"),
    _Edit("orq.thread.tags[]", "Identity and trace", "tags", placeholder="add a tag"),
    _Edit("orq.inputs", "Prompt and inputs", "inputs", placeholder="a value for each {{name}}"),
)

_KNOWLEDGE = tuple(
    replace(edit, path=f"orq.knowledge_bases[].{edit.path}")
    for edit in (
        _Edit("knowledge_id", "Knowledge", "text", placeholder="required, a knowledge base's id"),
        _Edit("top_k", "Knowledge", "integer", step=1, placeholder="the knowledge base's own"),
        _Edit("threshold", "Knowledge", "number", step=0.05, placeholder="the knowledge base's own"),
        _Edit("search_type", "Knowledge", "choice", placeholder="the knowledge base's own"),
        _Edit("filter_by", "Knowledge", "filter", placeholder='{"year": {"gte": 2020}}'),
        _Edit("search_options.include_vectors", "Knowledge", "boolean"),
        _Edit("search_options.include_metadata", "Knowledge", "boolean"),
        _Edit("search_options.include_scores", "Knowledge", "boolean"),
        _Edit("rerank_config.model", "Knowledge", "model", placeholder=_MODEL_PLACEHOLDER),
        _Edit("rerank_config.threshold", "Knowledge", "number", step=0.05),
        _Edit("rerank_config.top_k", "Knowledge", "integer", step=1),
        _Edit("agentic_rag_config.model", "Knowledge", "model", placeholder=_MODEL_PLACEHOLDER),
        _Edit("query", "Knowledge", "text", placeholder="the prompt"),
    )
)


def _twin(edit: _Edit) -> _Edit:
    return replace(edit, path=f"orq.{edit.path}", group="orq twins", editor=f"orq.{edit.editor}" if edit.editor else "")


_EDITS = (
    *_REQUEST,
    *_ROUTED,
    *_THINKING_AND_PII,
    *map(_twin, _ROUTED),
    *_ORQ,
    *_KNOWLEDGE,
    _Edit("stream", "Request", "boolean", openai=True),
)

_TEMPLATES: dict[str, dict[str, Any]] = {
    "cache": {"type": "exact_match"},
    "load_balancer": {"type": "weight_based"},
    "thinking": {"type": "adaptive"},
    "plugins": {"id": "pii_redaction"},
    "orq.prompt": {"version": "latest"},
}


def _plain(path: str) -> str:
    """``path`` without ``[]``, ``{}`` and indices: the key of `TREE`."""
    return re.sub(r"\[\]|\{\}|\.\d+(?=\.|$)", "", path)


def _spec(edit: _Edit) -> ParameterSpec:
    node = TREE[_plain(edit.path)]
    rule = _leaf_rule(node.rule)
    numbers = rule if isinstance(rule, Number) else None
    return ParameterSpec(
        path=edit.path,
        group=edit.group,
        label=node.path.rpartition(".")[2],
        widget=edit.widget,
        nullable=node.rule.null,
        required=node.required,
        default=node.rule.default,
        minimum=numbers.minimum if numbers else None,
        maximum=numbers.maximum if numbers else None,
        step=edit.step,
        unit={"seconds": "s"}.get(numbers.unit, numbers.unit) if numbers else "",
        help=node.description,
        placeholder=edit.placeholder or _placeholder(node),
        choices=_choices(node),
        visible_when=edit.when,
        deprecated=_is_deprecated(node),
        openai=edit.openai,
        editor=edit.editor or _plain(edit.path),
    )


def _leaf_rule(rule: Rule) -> Rule:
    return rule.item if isinstance(rule, Each | Table) else rule


def _placeholder(node: Node) -> str:
    default = node.rule.default
    match default:
        case None:
            return "required" if node.required else "not sent"
        case bool():
            return "default true" if default else "default false"
        case tuple():
            return "default " + ", ".join(map(str, default))
        case _:
            return f"default {default}"


def _choices(node: Node) -> tuple[str, ...]:
    if node.path == "thinking.type":
        return THINKING_TYPES
    return node.rule.values if isinstance(node.rule, Choice) else ()


def _is_deprecated(node: Node) -> bool:
    """A leaf is deprecated with its block; ``orq`` as a whole is not counted, for every field of it works."""
    parts = node.path.split(".")
    return any(TREE[".".join(parts[:end])].deprecated for end in range(1, len(parts) + 1))


PARAMETERS: tuple[ParameterSpec, ...] = tuple(map(_spec, _EDITS))
"""All 75 leaves, in the order of ``tests/parameters.json``."""


def _blocks() -> Iterator[BlockSpec]:
    for node in TREE.values():
        if node.children and node.path not in ("", "orq", "fallbacks", "orq.fallbacks", "load_balancer.models", "orq.load_balancer.models"):
            yield _block(node)


def _block(node: Node) -> BlockSpec:
    first = next(spec for spec in PARAMETERS if _plain(spec.path).startswith(f"{node.path}."))
    return BlockSpec(
        path=first.path[: _spelt_length(first.path, node.path)].removesuffix("[]"),
        group=first.group,
        label=node.path.rpartition(".")[2],
        help=node.description,
        deprecated=_is_deprecated(node),
        nullable=node.rule.null,
        empty_legal=not any(TREE[f"{node.path}.{child}"].required for child in node.children),
        repeated=isinstance(node.rule, Blocks),
        template=_TEMPLATES.get(node.path.removeprefix("orq.") if node.path.removeprefix("orq.") in TWINS else node.path, {}),
    )


def _spelt_length(leaf: str, plain: str) -> int:
    """How many characters of ``leaf`` (with ``[]``) spell the plain path of one of its parents."""
    return next(end for end in range(len(leaf) + 1) if _plain(leaf[:end]) == plain and leaf[end] in ".[")


BLOCKS: tuple[BlockSpec, ...] = tuple(_blocks())
"""Every block with a switch, parents before children, in contract order."""

_BY_PATH = {spec.editor: spec for spec in reversed(PARAMETERS)} | {_plain(spec.path): spec for spec in PARAMETERS}
_BLOCK_BY_PATH = {_plain(spec.path): spec for spec in BLOCKS}


def parameter(path: str) -> ParameterSpec:
    """The leaf at ``path``, spelt with ``[]``, without, or with indices (``orq.knowledge_bases.0.top_k``); raises ``KeyError``.

    The path of a widget that edits several leaves (``load_balancer.models``) gives the first of them.
    """
    return _BY_PATH[_plain(path)]


def block(path: str) -> BlockSpec:
    """The block at ``path``, spelt like `parameter`'s; raises ``KeyError``."""
    return _BLOCK_BY_PATH[_plain(path)]
