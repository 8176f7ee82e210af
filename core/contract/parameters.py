"""Every parameter as data: what the form, the search box, the snippets and the documentation know about a field.

The table below says how a field is *edited* (group, widget, step, placeholder). What a field *is* (help, bounds, choices, default, null,
required, deprecated) is read from ``request``, so that the two cannot disagree. Paths are those of ``tests/parameters.json``:
``[]`` marks a list's items, ``{}`` an object's values. Nothing here draws.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.contract.containers import Blocks, Each, Table
from core.contract.editing import EDITS, GROUPS, Condition, Edit, Group, WidgetKind
from core.contract.problems import Node
from core.contract.request import TREE
from core.contract.routing import TWINS
from core.contract.rules import Choice, Number, Rule
from core.contract.thinking import THINKING_TYPES

__all__ = ["BLOCKS", "GROUPS", "PARAMETERS", "BlockSpec", "Condition", "Group", "ParameterSpec", "WidgetKind", "block", "parameter"]


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """One leaf of the request.

    ``label`` is the wire name; ``required`` counts within its block, ``nullable`` for the leaf itself (``thinking`` is so as a block).
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


def _spec(edit: Edit) -> ParameterSpec:
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


PARAMETERS: tuple[ParameterSpec, ...] = tuple(map(_spec, EDITS))
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
