"""Turns what a check found into `Problem`\\ s: one path, one plain sentence each."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from core.contract.containers import Block
from core.contract.rules import Refusal, Rule, show
from core.errors import Problem

Loc = tuple[str | int, ...]

LONGEST_NAME = 60
"""Characters of an unknown field's name that a path or a message repeats."""


@dataclass(frozen=True, slots=True)
class Node:
    """One place in the contract's tree.

    ``path`` has no indices (``orq.knowledge_bases.top_k``); ``rule`` says what is right there; ``info`` is the field that declares it
    (the first, where the members of a union share a name; none for the whole); ``children`` are the names of its fields, in order.
    """

    path: str
    rule: Rule
    info: FieldInfo | None
    children: list[str] = field(default_factory=list)

    @property
    def description(self) -> str:
        """What the field means, from the one place that says it."""
        return (self.info and self.info.description) or ""

    @property
    def required(self) -> bool:
        """Whether a body (or block) without it is refused."""
        return self.info is None or self.info.is_required()

    @property
    def deprecated(self) -> bool:
        """Whether the contract advises against it."""
        extra = self.info.json_schema_extra if self.info else None
        return isinstance(extra, dict) and bool(extra.get("deprecated"))


def tree(model: type[BaseModel]) -> dict[str, Node]:
    """Every place below ``model`` by its path without indices, in contract order; ``""`` is the whole."""
    nodes = {"": Node("", Block(), None)}
    _grow(model, "", nodes)
    return nodes


def _grow(model: type[BaseModel], prefix: str, nodes: dict[str, Node]) -> None:
    for name, info in model.model_fields.items():
        path = f"{prefix}.{name}" if prefix else name
        if path not in nodes:
            nodes[path] = Node(path, next(part for part in info.metadata if isinstance(part, Rule)), info)
            nodes[prefix].children.append(name)
        for nested in _models(info.annotation):
            _grow(nested, path, nodes)


def _models(annotation: Any) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def as_problems(refusal: Refusal, *, whole: str, base: Loc = ()) -> tuple[Problem, ...]:
    """The refusal's faults as problems below ``base``; ``whole`` is the subject of a fault at no place."""
    return tuple(_problem((*base, *fault.loc), fault.text, whole) for fault in refusal.faults)


def _problem(loc: Loc, text: str, whole: str) -> Problem:
    return Problem(".".join(_cut(str(part)) for part in loc), f"{subject(loc) or whole} {text}")


def _cut(name: str) -> str:
    """``name`` at a length that a sentence can bear; every name of the contract is shorter."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def subject(loc: Loc) -> str:
    """What a sentence about ``loc`` calls it: its last name, and the item's number, counted from 1, inside a list."""
    if not loc:
        return ""
    *parents, last = loc
    if isinstance(last, str):
        return _cut(last if last.isprintable() else json.dumps(last))
    return f"{subject(tuple(parents))} item {last + 1}".strip()


class Translator:
    """Knows the tree of one model and says pydantic's findings in the contract's words.

    ``tags`` are the words a union puts into pydantic's paths although the wire has none there, by the path of the union.
    """

    def __init__(self, model: type[BaseModel], *, whole: str, tags: dict[str, Sequence[str]]) -> None:
        self.nodes = tree(model)
        self._whole = whole
        self._tags = tags

    def problems(self, error: ValidationError) -> tuple[Problem, ...]:
        """Every problem, in contract order, unknown fields after the known ones of their block."""
        return tuple(problem for details in error.errors(include_url=False) for problem in self._of(details))

    def _of(self, details: ErrorDetails) -> tuple[Problem, ...]:
        loc, tag = self._wire_loc(details["loc"])
        refusal = details.get("ctx", {}).get("error")
        if isinstance(refusal, Refusal):
            return as_problems(refusal, whole=self._whole, base=loc)
        match details["type"]:
            case "missing":
                text = self._missing(loc)
            case "extra_forbidden" if plain_path(loc) in self.nodes:
                text = f"does not go with type {tag}; remove it or choose another type"
            case "extra_forbidden" | "invalid_key":
                loc = (*loc[:-1], str(loc[-1]))  # in Python, unlike JSON, a name may be a number
                text = self._unknown(loc)
            case "union_tag_not_found" | "union_tag_invalid":
                text = self._wrong_tag(loc, details["input"])
                loc = (*loc, "type")
            case _:
                text = f"must be {self._expected(loc)}, got {show(details['input'])}"
        return (_problem(loc, text, self._whole),)

    def _wire_loc(self, loc: Loc) -> tuple[Loc, str]:
        for index in range(1, len(loc)):
            if loc[index] in self._tags.get(plain_path(loc[:index]), ()):
                return loc[:index] + loc[index + 1 :], str(loc[index])
        return loc, ""

    def _expected(self, loc: Loc) -> str:
        node = self.nodes.get(plain_path(loc))
        if node is None:
            return "text"
        return "an object" if loc and isinstance(loc[-1], int) else node.rule.expected

    def _missing(self, loc: Loc) -> str:
        expected = self._expected(loc)
        return "is required" if expected == "text" else f"is required: {expected}"

    def _unknown(self, loc: Loc) -> str:
        owner = subject(loc[:-1]) or self._whole
        known = self.nodes[plain_path(loc[:-1])].children
        close = difflib.get_close_matches(str(loc[-1]), known, 1)
        if close:
            return f"is not a field of {owner}; did you mean {close[0]}?"
        return f"is not a field of {owner}; " + ("remove it" if len(known) > 8 else f"its fields are {', '.join(known)}")

    def _wrong_tag(self, loc: Loc, value: Mapping[str, Any]) -> str:
        types = f"one of {', '.join(self._tags[plain_path(loc)])}"
        if "type" not in value:
            return f"is required: {types}"
        if value["type"] is None:
            return f"cannot be null; {subject(loc)} as a whole can"
        return f"must be {types}, got {show(value['type'])}"


def plain_path(loc: Loc) -> str:
    """The place in the tree: names only, no indices."""
    return ".".join(part for part in loc if isinstance(part, str))
