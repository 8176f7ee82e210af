"""Metadata filters of a knowledge base: three shapes, eight operators, and what they match.

1. ``{"field": {operator: value}, …}``: every field must match; 2. ``{"and": [{"field": {operator: value}}, …]}``;
3. ``{"or": […]}``. ``and``/``or`` announce a shape only when a list follows: ``{"and": {"eq": 1}}`` is a field named "and"
(the official SDK reads it so, too). ``{}`` and ``{"and": []}`` match everything, ``{"or": []}`` matches nothing.

What the outside contract leaves open is decided here:

- Equality is strict by type: ``true`` is not ``1``, ``"1"`` is not ``1``; ``3`` equals ``3.0``.
- A field that is missing or null fails every test except ``ne`` and ``nin``, which are the exact opposites of ``eq`` and ``in``
  and so hold (and ``exists: false``). The same goes for a value that is no text, number or boolean (a list, an object).
- ``gt``, ``gte``, ``lt``, ``lte`` hold for numbers only. A dot in a field's name is part of the name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from core.contract.containers import Each
from core.contract.problems import as_problems
from core.contract.rules import Fault, Flag, Number, Refusal, Rule, Text, refuse, show
from core.errors import InvalidRequest

Scalar = str | int | float | bool
Operator = Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "exists"]
Shape = Literal["fields", "and", "or"]


@dataclass(frozen=True, kw_only=True)
class _Scalar(Rule):
    @property
    def expected(self) -> str:
        return "text, a number, true or false"

    def json_schema(self) -> dict[str, Any]:
        return {"type": ["string", "number", "boolean"]}

    def check(self, value: Any) -> Scalar:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            return Text().check(value)
        if isinstance(value, int | float):
            return Number().check(value)
        raise self.wrong(value)


@dataclass(frozen=True, slots=True)
class OperatorSpec:
    """An operator as a builder shows it: its wire ``name``, how to say it, and what it takes."""

    name: Operator
    label: str
    takes: Literal["scalar", "number", "list", "boolean"]


OPERATORS: tuple[OperatorSpec, ...] = (
    OperatorSpec("eq", "is", "scalar"),
    OperatorSpec("ne", "is not", "scalar"),
    OperatorSpec("gt", "is greater than", "number"),
    OperatorSpec("gte", "is at least", "number"),
    OperatorSpec("lt", "is less than", "number"),
    OperatorSpec("lte", "is at most", "number"),
    OperatorSpec("in", "is one of", "list"),
    OperatorSpec("nin", "is none of", "list"),
)
"""The eight operators of the contract, in its order."""

_RULES: dict[str, Rule] = {
    "scalar": _Scalar(),
    "number": Number(),
    "list": Each(item=_Scalar(), what="texts, numbers, true or false"),
    "boolean": Flag(),
}
_TAKES: dict[str, str] = {spec.name: spec.takes for spec in OPERATORS}
_NAMES = ", ".join(_TAKES)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test of one field; ``value`` is a scalar, a tuple of scalars (``in``, ``nin``) or a boolean (``exists``)."""

    field: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...]

    def to_wire(self) -> dict[str, Any]:
        """``{field: {operator: value}}``."""
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {self.field: {self.operator: value}}


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter. ``shape`` is how it was written; ``fields`` and ``and`` mean the same."""

    shape: Shape
    comparisons: tuple[Comparison, ...]

    def to_wire(self) -> dict[str, Any]:
        """The JSON object, in the shape it came in."""
        parts = [comparison.to_wire() for comparison in self.comparisons]
        if self.shape == "fields":
            return {field: test for part in parts for field, test in part.items()}
        return {self.shape: parts}


def filter_schema() -> dict[str, Any]:
    """The three shapes as JSON Schema."""
    tests = [{"type": "object", "properties": {name: _RULES[takes].json_schema()}, "required": [name]} for name, takes in _TAKES.items()]
    test = {"anyOf": [one | {"additionalProperties": False} for one in tests]}
    one_field = {"type": "object", "additionalProperties": test, "minProperties": 1, "maxProperties": 1}
    joined = [{"type": "object", "properties": {word: {"type": "array", "items": one_field}}, "required": [word]} for word in ("and", "or")]
    return {"anyOf": [{"type": "object", "additionalProperties": test}, *(one | {"additionalProperties": False} for one in joined)]}


def parse_filter(value: Any, *, lenient: bool = False) -> Filter:
    """The filter that ``value`` (a JSON object) spells; raises `InvalidRequest` with every problem.

    Paths are relative to the filter (``and.0.edition``). ``lenient`` also takes ``exists: bool``, which was legal until 2026-08.
    """
    try:
        return read_filter(value, lenient=lenient)
    except Refusal as refusal:
        raise InvalidRequest(as_problems(refusal, whole="the filter")) from None


def read_filter(value: Any, *, lenient: bool = False) -> Filter:
    """`parse_filter` for other rules to build on: raises `Refusal`."""
    if isinstance(value, Filter):
        return value
    if not isinstance(value, Mapping):
        raise refuse(f'must be an object such as {{"year": {{"gte": 2020}}}}, got {show(value)}')
    shape = _shape(value)
    comparisons: list[Comparison] = []
    faults: list[Fault] = []
    for loc, part in _parts(value, shape):
        try:
            comparisons += _comparisons(part, shape, lenient)
        except Refusal as refusal:
            faults += [Fault((*loc, *fault.loc), fault.text) for fault in refusal.faults]
    if faults:
        raise Refusal(*faults)
    return Filter(shape, tuple(comparisons))


def _shape(value: Mapping[Any, Any]) -> Shape:
    lists: list[Shape] = [key for key in ("and", "or") if isinstance(value.get(key), list | tuple)]  # type: ignore[misc]
    if not lists:
        return "fields"
    if len(value) > 1:
        others = ", ".join(show(key) for key in list(value)[:5] if key != lists[0])
        raise refuse(f'must hold nothing beside its "{lists[0]}" list, got {others} too; put each test into the list')
    return lists[0]


def _parts(value: Mapping[Any, Any], shape: Shape) -> list[tuple[tuple[str | int, ...], Any]]:
    if shape == "fields":
        return [((), value)]
    return [((shape, index), item) for index, item in enumerate(value[shape])]


def _comparisons(part: Any, shape: Shape, lenient: bool) -> list[Comparison]:
    """The comparisons of one object; inside an ``and`` or ``or`` list there is exactly one."""
    if not isinstance(part, Mapping):
        raise refuse(f'must be an object such as {{"year": {{"gte": 2020}}}}, got {show(part)}')
    if shape != "fields" and len(part) != 1:
        raise refuse(_one_field(shape, part))
    comparisons, faults = [], []
    for field, test in part.items():
        try:
            comparisons.append(_comparison(field, test, lenient))
        except Refusal as refusal:
            faults += [Fault((str(field), *fault.loc), fault.text) for fault in refusal.faults]
    if faults:
        raise Refusal(*faults)
    return comparisons


def _one_field(shape: Shape, part: Mapping[Any, Any]) -> str:
    if not part:
        return 'must name one field, such as {"year": {"gte": 2020}}, got an empty object'
    return f'must name one field, got {len(part)}; give each its own item in the "{shape}" list'


def _comparison(field: object, test: Any, lenient: bool) -> Comparison:
    if not isinstance(field, str):
        raise refuse(f"must have text as its name, got {show(field)}")
    Text().check(field)
    if isinstance(test, list | tuple) and field in ("and", "or"):
        raise refuse("cannot be nested: a filter holds one list of comparisons; flatten it")
    if not isinstance(test, Mapping):
        raise refuse(f"must be compared by an operator, such as {_spelt({field: {'eq': test}})}")
    if len(test) != 1:
        raise refuse(_one_operator(field, test))
    ((operator, value),) = test.items()
    takes = "boolean" if lenient and operator == "exists" else _TAKES.get(operator) if isinstance(operator, str) else None
    if takes is None:
        raise refuse(_unknown_operator(operator))
    try:
        return Comparison(field, operator, _RULES[takes].accept(value))
    except Refusal as refusal:
        raise Refusal(*(Fault((operator, *fault.loc), fault.text) for fault in refusal.faults)) from None


def _one_operator(field: str, test: Mapping[Any, Any]) -> str:
    if not test:
        return f"must be compared by an operator, such as {_spelt({field: {'eq': 'value'}})}, got an empty object"
    pair = [{field: {str(operator): value}} for operator, value in test.items()]
    return f"takes one operator, got {len(test)}; write {_spelt({'and': pair})}"


def _unknown_operator(operator: object) -> str:
    if operator == "exists":
        return f"cannot be tested by exists, which the contract dropped in 2026-08; compare it by one of {_NAMES}"
    if isinstance(operator, str) and operator.removeprefix("$") in _TAKES:
        return f"takes operators without a $; write {operator.removeprefix('$')}"
    return f"must be compared by one of {_NAMES}, got {show(operator)}"


def _spelt(example: dict[str, Any]) -> str:
    """``example`` as JSON, with long or odd values cut, so that it can be copied when it is short."""
    text = json.dumps(example, ensure_ascii=False, default=lambda _: "…")
    return text if len(text) <= 160 else text[:159] + "…"


def matches(condition: Filter | Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    """Whether a chunk with this metadata passes; the module's docstring says what each operator means.

    A mapping is parsed first (``exists`` is understood) and may raise `InvalidRequest`; parse once to test many chunks.
    """
    parsed = condition if isinstance(condition, Filter) else parse_filter(condition, lenient=True)
    results = (_holds(comparison, metadata.get(comparison.field)) for comparison in parsed.comparisons)
    return any(results) if parsed.shape == "or" else all(results)


_ORDER: dict[str, Callable[[float, float], bool]] = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


def _holds(comparison: Comparison, found: Any) -> bool:
    value: Any = comparison.value
    match comparison.operator:
        case "eq":
            return _equal(found, value)
        case "ne":
            return not _equal(found, value)
        case "in":
            return any(_equal(found, one) for one in value)
        case "nin":
            return not any(_equal(found, one) for one in value)
        case "gt" | "gte" | "lt" | "lte":
            return isinstance(found, int | float) and not isinstance(found, bool) and _ORDER[comparison.operator](found, value)
        case "exists":
            return (found is not None) is value
        case _:
            assert_never(comparison.operator)


def _equal(found: Any, value: Scalar) -> bool:
    if isinstance(found, bool) or isinstance(value, bool):
        return isinstance(found, bool) and isinstance(value, bool) and found is value
    if isinstance(found, str) or isinstance(value, str):
        return isinstance(found, str) and isinstance(value, str) and found == value
    return isinstance(found, int | float) and found == value
