"""Rules for single values: what a leaf of the contract takes, said once as data and once in plain English.

A rule is put into a field's annotation (``Annotated[float | None, Number(0, 2, default=1)]``). It checks a value, describes
itself (``expected``), and carries the bounds, choices and the server's default that ``parameters`` reads. Rules are stricter than
pydantic's own types: a boolean is no number, ``"3"`` is no number, ``16.0`` is a whole number and comes out as ``16``.
Refusals are predicates without a subject ("must be between 0 and 2, got 3"); ``problems`` puts the field's name in front.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, NamedTuple, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

LONGEST_ECHO = 40
"""Characters of a bad value that a message repeats; the rest is cut, so that no message carries a document or a key."""

DEEPEST_JSON = 100
"""Levels of nesting taken in free-form values (metadata, inputs)."""

_NUMERIC_TEXT = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


class Fault(NamedTuple):
    """What is wrong at ``loc``, relative to the value that was checked; ``text`` is a predicate without a subject."""

    loc: tuple[str | int, ...]
    text: str


class Refusal(ValueError):
    """A value the contract refuses, with every fault found in it."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.text for fault in faults))
        self.faults = faults


def refuse(text: str) -> Refusal:
    """The refusal of the value itself."""
    return Refusal(Fault((), text))


def show(value: object) -> str:
    """``value`` as JSON would spell it, cut to `LONGEST_ECHO` characters; containers are named, not printed."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > 128:
            return "a number of more than 38 digits"
        case int() | float():
            return repr(value)
        case str():
            cut = value if len(value) <= LONGEST_ECHO else value[: LONGEST_ECHO - 1] + "…"
            return json.dumps(cut, ensure_ascii=False)
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return f"a Python {type(value).__name__}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What every rule has: the server's ``default`` when the field is absent, and whether an explicit ``null`` is legal."""

    default: Any = None
    null: bool = False

    @property
    def expected(self) -> str:
        """What would be right, as a noun phrase: "a number between 0 and 2"."""
        raise NotImplementedError

    def check(self, value: Any) -> Any:
        """The value as it is kept and sent; raises `Refusal`."""
        raise NotImplementedError

    def accept(self, value: Any) -> Any:
        """`check`, with ``null`` handled as the contract says."""
        if value is None:
            if self.null:
                return None
            raise refuse(f"cannot be null; leave it out or give {self.expected}")
        return self.check(value)

    def wrong(self, value: object) -> Refusal:
        """The refusal of a value of the wrong kind."""
        return refuse(f"must be {self.expected}, got {show(value)}")

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.accept)


@dataclass(frozen=True, kw_only=True)
class Text(Rule):
    """Text. ``filled`` refuses blank text; ``email`` wants an address; ``what`` names it in messages."""

    what: str = "text"
    filled: bool = False
    email: bool = False

    @property
    def expected(self) -> str:
        return self.what

    def check(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self.wrong(value)
        if not value.isascii() and not _encodable(value):
            raise refuse("contains half of a surrogate pair, which no JSON can carry; remove the broken character")
        if self.filled and not value.strip():
            raise refuse(f"must be {self.what}, got empty text")
        if self.email and not _EMAIL.fullmatch(value):
            raise refuse(f"must be {self.what}, got {show(value)}")
        return str(value)


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class Flag(Rule):
    """``true`` or ``false``, and nothing that merely resembles them."""

    @property
    def expected(self) -> str:
        return "true or false"

    def check(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(value)
        return value


@dataclass(frozen=True)
class Number(Rule):
    """A finite number, both bounds inclusive; kept as it came (``2`` stays ``2``, ``2.0`` stays ``2.0``)."""

    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    kind = "a number"

    @property
    def bounds(self) -> str:
        """ "between 0 and 2", "at least 1", or nothing."""
        unit = f" {self.unit}" if self.unit else ""
        match self.minimum, self.maximum:
            case None, None:
                return ""
            case low, None:
                return f"at least {low}{unit}"
            case None, high:
                return f"at most {high}{unit}"
            case low, high:
                return f"between {low} and {high}{unit}"

    @property
    def expected(self) -> str:
        if not self.bounds:
            return self.kind
        return f"{self.kind} {self.bounds}" if self.maximum is not None else f"{self.kind} of {self.bounds}"

    def check(self, value: Any) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._no_number(value)
        number = int(value) if isinstance(value, int) else float(value)
        if not math.isfinite(number) if isinstance(number, float) else False:
            raise refuse(f"must be {self.expected}, got {show(number)}, which JSON cannot carry")
        number = self.shaped(number)
        if (self.minimum is not None and number < self.minimum) or (self.maximum is not None and number > self.maximum):
            raise refuse(f"must be {self.bounds}, got {show(number)}")
        return number

    def shaped(self, number: int | float) -> int | float:
        """The number in the form that is sent."""
        return number

    def _no_number(self, value: object) -> Refusal:
        if isinstance(value, str) and _NUMERIC_TEXT.fullmatch(value):
            return refuse(f"must be {self.expected}, got the text {show(value)}; write it without quotation marks")
        return self.wrong(value)


@dataclass(frozen=True)
class Integer(Number):
    """A whole number; ``16.0`` is ``16``, ``16.5`` is refused."""

    kind = "a whole number"

    def shaped(self, number: int | float) -> int:
        if number != int(number):
            raise refuse(f"must be {self.expected}, got {show(number)}")
        return int(number)


@dataclass(frozen=True, kw_only=True)
class Choice(Rule):
    """One of a closed set of words."""

    values: tuple[str, ...]

    @property
    def expected(self) -> str:
        return self.values[0] if len(self.values) == 1 else "one of " + ", ".join(self.values)

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.values:
            raise self.wrong(value)
        return str(value)


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
        raise refuse(f"must hold at least {at_least} of {what}, got an empty list" if not value else f"must hold at least {at_least}")
    if at_most is not None and len(value) > at_most:
        raise refuse(f"must hold at most {at_most} {what}, got {len(value)}")


@dataclass(frozen=True, kw_only=True)
class OneOrEach(Rule):
    """One text, or a list of them; each form is kept as it came."""

    each: Each

    @property
    def expected(self) -> str:
        return f"text or {self.each.expected}"

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
        return "an object with key, and value and is_pii as you like"

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
