"""Rules for values with parts: lists, tables, free-form JSON, and objects that a model of their own checks.

Every fault comes with its place, and all faults of a value come together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from core.contract.rules import Fault, Flag, Number, Refusal, Rule, Text, refuse, show

DEEPEST_JSON = 100
"""Levels of nesting taken in free-form values (metadata, inputs)."""


@dataclass(frozen=True, kw_only=True)
class Each(Rule):
    """A list whose items obey one rule. ``what`` names the items in the plural; ``unique`` refuses the second of two equal ones."""

    item: Rule
    what: str
    at_least: int = 0
    at_most: int | None = None
    unique: bool = False

    @property
    def expected(self) -> str:
        return f"a list of {self.what}"

    def json_schema(self) -> dict[str, Any]:
        bounds = {"minItems": self.at_least or None, "maxItems": self.at_most, "uniqueItems": self.unique or None}
        kept = {name: bound for name, bound in bounds.items() if bound is not None}
        return {"type": "array", "items": self.item.nullable_schema(), **kept}

    def check(self, value: Any) -> tuple[Any, ...]:
        check_list(value, self.what, self.at_least, self.at_most)
        items, faults = [], []
        for index, item in enumerate(value):
            try:
                items.append(self.item.accept(item))
            except Refusal as refusal:
                faults += _below(index, refusal)
        if self.unique:
            faults += _repeated(items)
        if faults:
            raise Refusal(*faults)
        return tuple(items)


def _below(key: str | int, refusal: Refusal) -> list[Fault]:
    return [Fault((key, *fault.loc), fault.text) for fault in refusal.faults]


def _repeated(items: list[Any]) -> Iterator[Fault]:
    seen: set[Any] = set()
    for item in items:
        if item in seen:
            yield Fault((), f"must not repeat a value, got {show(item)} twice")
            return
        seen.add(item)


def check_list(value: Any, what: str, at_least: int = 0, at_most: int | None = None) -> None:
    """Refuses what is no list, or one too short or too long; ``what`` names the items in the plural."""
    if not isinstance(value, list | tuple):
        hint = "; put it into a list" if isinstance(value, Mapping | str | int) and not isinstance(value, bool) else ""
        raise refuse(f"must be a list of {what}, got {show(value)}{hint}")
    if len(value) < at_least:
        raise refuse(f"must be a list of {what}, at least {at_least} of them, got {len(value) or 'an empty list'}")
    if at_most is not None and len(value) > at_most:
        raise refuse(f"must hold at most {at_most} {what}, got {len(value)}")


@dataclass(frozen=True, kw_only=True)
class OneOrEach(Rule):
    """One text, or a list of them; each form is kept as it came."""

    each: Each

    @property
    def expected(self) -> str:
        return f"text or {self.each.expected}"

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [self.each.item.nullable_schema(), self.each.json_schema()]}

    def check(self, value: Any) -> str | tuple[str, ...]:
        if isinstance(value, list | tuple):
            return self.each.check(value)
        if isinstance(value, str):
            return str(self.each.item.check(value))
        raise self.wrong(value)


@dataclass(frozen=True, kw_only=True)
class Table(Rule):
    """An object whose values obey one rule; any text is a key."""

    item: Rule
    what: str

    @property
    def expected(self) -> str:
        return f"an object of {self.what}"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.item.nullable_schema()}

    def check(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise self.wrong(value)
        table, faults = {}, []
        for key, item in value.items():
            try:
                table[_key(key)] = self.item.accept(item)
            except Refusal as refusal:
                faults += _below(str(key), refusal)
        if faults:
            raise Refusal(*faults)
        return table


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise refuse(f"must have text as its name, got {show(key)}")
    return Text().check(key)


@dataclass(frozen=True, kw_only=True)
class Json(Rule):
    """Any JSON value, copied, so that later edits of the caller's object do not reach the request."""

    null: bool = True

    @property
    def expected(self) -> str:
        return "a JSON value"

    def json_schema(self) -> dict[str, Any]:
        return {}

    def check(self, value: Any) -> Any:
        return _copied(value, DEEPEST_JSON)


def _copied(value: Any, depth: int) -> Any:
    if depth == 0:
        raise refuse(f"must not be nested more than {DEEPEST_JSON} levels deep")
    match value:
        case None | bool():
            return value
        case str():
            return Text().check(value)
        case int() | float():
            return Number().check(value)
        case list() | tuple():
            return _collect(enumerate(value), depth, [])
        case Mapping():
            return _collect(value.items(), depth, {})
        case _:
            raise refuse(f"must be a JSON value, got {show(value)}")


def _collect(pairs: Any, depth: int, into: Any) -> Any:
    for key, item in pairs:
        try:
            copy = _copied(item, depth - 1)
            if isinstance(into, dict):
                into[_key(key)] = copy
            else:
                into.append(copy)
        except Refusal as refusal:
            raise Refusal(*_below(key if isinstance(into, list) else str(key), refusal)) from None
    return into


@dataclass(frozen=True, kw_only=True)
class JsonObject(Rule):
    """An object with any JSON values."""

    @property
    def expected(self) -> str:
        return "an object"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "object"}

    def check(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise self.wrong(value)
        return dict(_copied(value, DEEPEST_JSON))


@dataclass(frozen=True, kw_only=True)
class Inputs(Rule):
    """``{name: value, …}``, or a list of ``{key, value, is_pii}``; each form is kept as it came."""

    @property
    def expected(self) -> str:
        return "an object of names and values, or a list of {key, value, is_pii}"

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "object"}, {"type": "array", "items": _InputItem().json_schema()}]}

    def check(self, value: Any) -> dict[str, Any] | tuple[dict[str, Any], ...]:
        if isinstance(value, Mapping):
            return JsonObject().check(value)
        if not isinstance(value, list | tuple):
            raise self.wrong(value)
        return Each(item=_InputItem(), what="{key, value, is_pii}").check(value)


@dataclass(frozen=True, kw_only=True)
class _InputItem(Rule):
    @property
    def expected(self) -> str:
        return 'an object such as {"key": "name", "value": "Ada", "is_pii": true}'

    def json_schema(self) -> dict[str, Any]:
        fields = {"key": {"type": "string", "pattern": r"\S"}, "value": {}, "is_pii": {"type": "boolean"}}
        return {"type": "object", "properties": fields, "required": ["key"], "additionalProperties": False}

    def check(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise self.wrong(value)
        rules: dict[str, Rule] = {"key": Text(what="the name of a placeholder", filled=True), "value": Json(), "is_pii": Flag()}
        faults = [] if "key" in value else [Fault(("key",), "is required: the name of a placeholder")]
        item = {}
        for name, part in value.items():
            try:
                if name not in rules:
                    raise refuse("is not a field of an input; its fields are key, value, is_pii")
                item[name] = rules[name].accept(part)
            except Refusal as refusal:
                faults += _below(str(name), refusal)
        if faults:
            raise Refusal(*faults)
        return {name: item[name] for name in rules if name in item}


@dataclass(frozen=True, kw_only=True)
class Block(Rule):
    """An object with fields of its own, checked by its model; ``null`` says whether it is nullable as a whole."""

    @property
    def expected(self) -> str:
        return "an object"

    def shape(self, value: Any) -> Any:
        """The value, when it can be an object at all."""
        if value is None and not self.null:
            raise refuse("cannot be null; leave it out")
        if value is not None and not isinstance(value, Mapping) and not hasattr(value, "model_fields_set"):
            raise self.wrong(value)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.shape, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return without_null(handler.resolve_ref_schema(handler(core)), self.null)


def without_null(schema: dict[str, Any], null: bool) -> dict[str, Any]:
    """An optional object's schema: pydantic takes null for every field that may be absent, the contract does not."""
    choices = [choice for choice in schema.get("anyOf", ()) if null or choice != {"type": "null"}]
    return schema if len(choices) == len(schema.get("anyOf", ())) else choices[0] if len(choices) == 1 else {"anyOf": choices}


@dataclass(frozen=True, kw_only=True)
class Blocks(Block):
    """A list of objects; ``what`` names them in the plural."""

    what: str
    at_least: int = 0
    at_most: int | None = None

    @property
    def expected(self) -> str:
        return f"a list of {self.what}"

    def shape(self, value: Any) -> Any:
        if value is None:
            raise refuse("cannot be null; leave it out")
        check_list(value, self.what, self.at_least, self.at_most)
        return value

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        bounds = {"minItems": self.at_least or None, "maxItems": self.at_most}
        return super().__get_pydantic_json_schema__(core, handler) | {name: bound for name, bound in bounds.items() if bound is not None}


@dataclass(frozen=True, kw_only=True)
class Variants(Block):
    """An object whose ``type`` tells which of several models checks it."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        models = [model for model in get_args(source) if model is not NoneType]
        choices = {get_args(model.model_fields["type"].annotation)[0]: handler.generate_schema(model) for model in models}
        union = core_schema.nullable_schema(core_schema.tagged_union_schema(choices, _type_of))
        return core_schema.no_info_before_validator_function(self.shape, union)


def _type_of(value: Any) -> str | None:
    tag = value.get("type") if isinstance(value, Mapping) else value.type
    return tag if tag is None or isinstance(tag, str) else show(tag)
