"""Building a metadata filter from conditions, or as JSON; from one to the other without loss.

The filter in the draft is the truth: conditions are read from it (`conditions`) and written back (`spell`). What is not one of the three
shapes (nested, two operators in one field, not even JSON) shows as JSON, as it stands, and stays so until it is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from components.form.codecs import CODECS, UNSET
from components.form.text_forms import is_one_line, literal, literal_list, parse_literal, parse_literal_list
from core.contract.filters import OPERATORS
from core.draft import MISSING

Shape = Literal["fields", "and", "or"]
SHAPES: tuple[Shape, ...] = ("fields", "and", "or")
AS_JSON = "JSON"
VIEWS = (UNSET, *SHAPES, AS_JSON)
"""What the builder's first row offers: not sent, one of the three shapes, or the JSON view of whatever it is."""

OPERATOR_NAMES = tuple(operator.name for operator in OPERATORS)
OPERATOR_LABELS = {"eq": "=", "ne": "≠", "gt": ">", "gte": "≥", "lt": "<", "lte": "≤", "in": "in", "nin": "not in"}
_TAKES_LIST = frozenset(operator.name for operator in OPERATORS if operator.takes == "list")


@dataclass(frozen=True, slots=True)
class Condition:
    """One row of the builder: ``field operator value``; ``value`` is any JSON value, right for the operator or not."""

    field: str = ""
    operator: str = "eq"
    value: Any = ""


def conditions(value: Any) -> tuple[Shape, tuple[Condition, ...]] | None:
    """The shape and rows of the filter ``value``; ``None`` when rows cannot show it without loss."""
    if not isinstance(value, dict):
        return None
    shape: Shape = next((s for s in SHAPES[1:] if list(value) == [s] and isinstance(value[s], list)), "fields")
    if shape == "fields":
        singles: list[Any] = [{field: test} for field, test in value.items()]
    else:
        singles = value[shape]
    rows = tuple(row for single in singles if (row := _condition(single)) is not None)
    return (shape, rows) if len(rows) == len(singles) else None


def spell(shape: Shape, rows: Sequence[Condition]) -> dict[str, Any]:
    """The filter of ``rows``; in the ``and`` shape when a field stands twice, which the plain shape (meaning the same) cannot hold."""
    singles = [{row.field: {row.operator: row.value}} for row in rows]
    names = {row.field for row in rows}
    if shape == "fields" and len(names) == len(rows):
        return {field: test for single in singles for field, test in single.items()}
    return {"and" if shape == "fields" else shape: singles}


def with_operator(row: Condition, operator: str) -> Condition:
    """``row`` with another operator; a single value becomes a list of one where a list is due, and a list of one its item where not."""
    value = row.value
    if operator in _TAKES_LIST and not isinstance(value, list):
        value = [] if value == "" else [value]
    elif operator not in _TAKES_LIST and isinstance(value, list) and len(value) <= 1:
        value = value[0] if value else ""
    return replace(row, operator=operator, value=value)


def value_text(row: Condition) -> str:
    """The row's value as it shows in its field; an empty text shows as nothing."""
    if row.operator in _TAKES_LIST and isinstance(row.value, list):
        return literal_list(row.value) if row.value else ""
    return "" if row.value == "" else literal(row.value)


def with_value_text(row: Condition, text: str) -> Condition:
    """``row`` with the value typed as ``text``: ``5`` is a number, ``true`` a boolean, ``"5"`` a text, ``a, b`` a list where one is due."""
    return replace(row, value=parse_literal_list(text) if row.operator in _TAKES_LIST else parse_literal(text))


def value_icon(row: Condition) -> str:
    """The icon that tells the value's type."""
    match row.value:
        case bool():
            return ":material/toggle_on:"
        case int() | float():
            return ":material/123:"
        case list():
            return ":material/data_array:"
        case str():
            return ":material/abc:"
        case _:
            return ":material/data_object:"


def view_of(value: Any, *, json_view: bool) -> str:
    """Which of `VIEWS` shows ``value``."""
    if json_view:
        return AS_JSON
    if value is MISSING:
        return UNSET
    found = conditions(value)
    return found[0] if found else AS_JSON


def in_view(value: Any, view: str, shelved: Any = MISSING) -> Any:
    """The filter after choosing ``view``. What cannot be shown as conditions stays as it is.

    From nothing, ``shelved`` comes back, or one empty row.
    """
    if view == UNSET:
        return MISSING
    if value is MISSING:
        value = shelved
    if view not in SHAPES:
        return value
    shape: Shape = next(s for s in SHAPES if s == view)
    if value is MISSING:
        return spell(shape, [Condition()])
    found = conditions(value)
    return value if found is None else spell(shape, found[1])


def json_view_text(value: Any) -> str:
    """The filter as the JSON view shows it; what was typed and is no JSON shows as typed."""
    return "" if value is MISSING else str(CODECS["document"].show(value))


def _condition(single: Any) -> Condition | None:
    if not isinstance(single, dict) or len(single) != 1:
        return None
    [(field, test)] = single.items()
    if not isinstance(test, dict) or len(test) != 1:
        return None
    [(operator, value)] = test.items()
    shows = operator in OPERATOR_NAMES and not isinstance(value, dict) and value is not None and is_one_line(field)
    return Condition(field, operator, value) if shows else None
