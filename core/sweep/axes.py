"""Axes of a sweep: a parameter and the values it takes, as typed and checked one by one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Final

from core.comparison.settings import NOT_SENT, same, shown
from core.contract.parameters import PARAMETERS, ParameterSpec, parameter
from core.contract.request import TREE
from core.contract.rules import Choice, Refusal, Rule

MOST_VALUES: Final = 1_000
"""Values of one axis."""
NOT_SENT_WORDS: Final = "not sent"
NULL_WORD: Final = "null"
_NUMBERS: Final = ("number", "integer")
_WIDGETS: Final = ("model", *_NUMBERS, "choice", "boolean", "text", "stops")
_NUMBER: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE: Final = re.compile(rf"({_NUMBER})\s*(?:…|\.\.\.?|\bto\b)\s*({_NUMBER})(?:\s*step\s*({_NUMBER}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ValueProblem:
    """One thing wrong with what was typed: ``place`` counts the entries from 1, ``entry`` is the one at fault."""

    place: int
    entry: str
    message: str

    @property
    def sentence(self) -> str:
        """``Entry 3 (“2.5”): must be between 0 and 2, got 2.5``."""
        return f"Entry {self.place} (“{shown(self.entry)}”): {self.message}" if self.entry else self.message


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter (``path`` as in ``core.draft``) and its values: JSON values, None for an explicit null, or ``NOT_SENT``."""

    path: str
    values: tuple[Any, ...]

    def to_dict(self) -> dict[str, Any]:
        """The axis as JSON can hold it: each value in a list of its own, an empty one for what is not sent."""
        return {"path": self.path, "values": [[] if value is NOT_SENT else [value] for value in self.values]}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Axis:
        """What ``to_dict`` gave."""
        return cls(kept["path"], tuple(value[0] if value else NOT_SENT for value in kept["values"]))


@cache
def sweepable() -> tuple[ParameterSpec, ...]:
    """The parameters that can be an axis: single values, no lists, no tables, and nothing that has one value only."""
    return tuple(spec for spec in PARAMETERS if spec.widget in _WIDGETS and "[" not in spec.path and "{" not in spec.path)


def is_numeric(path: str) -> bool:
    """Whether the axis takes numbers, and so ranges."""
    return parameter(path).widget in _NUMBERS


def choices(path: str) -> tuple[str, ...]:
    """The values there are to choose from, as words; empty where anything of the right kind may be typed."""
    spec = parameter(path)
    found = ("true", "false") if spec.widget == "boolean" else spec.choices
    return (*found, *([NULL_WORD] if spec.nullable else []), NOT_SENT_WORDS) if found else ()


def values_of(path: str, typed: str | Sequence[str], *, repeatable: bool = False) -> tuple[tuple[Any, ...], tuple[ValueProblem, ...]]:
    """The values that were typed for ``path``, and what is wrong with them, entry by entry.

    Numbers are one text: entries between commas, semicolons or lines, each a number, ``0…1 step 0.25`` (both ends in; whole numbers
    need no step), ``null`` or ``not sent``. Everything else is a list of entries, each one value. A value twice is a problem, unless
    it is ``repeatable``.
    """
    entries = re.split(r"[,;\n]", typed) if isinstance(typed, str) else list(typed)
    entries = [entry.strip() if isinstance(typed, str) else entry for entry in entries]
    found: list[tuple[int, str, Any]] = []
    problems: list[ValueProblem] = []
    for place, entry in enumerate(entries, 1):
        if not entry:
            continue
        try:
            found += [(place, entry, value) for value in _entry(path, entry)]
        except ValueError as fault:
            problems.append(ValueProblem(place, entry, str(fault)))
        if len(found) > MOST_VALUES:
            problems.append(ValueProblem(place, entry, f"an axis has {MOST_VALUES:,} values at most"))
            break
    if not repeatable and not problems:
        problems += _twice(found)
    return tuple(value for _, _, value in found[:MOST_VALUES]), tuple(problems)


def shown_value(value: Any) -> str:
    """A value as grids and tables show it: ``not sent``, ``null``, text without quotation marks."""
    return NOT_SENT_WORDS if value is NOT_SENT else shown(value)


def _twice(found: Iterable[tuple[int, str, Any]]) -> list[ValueProblem]:
    seen: list[Any] = []
    for place, entry, value in found:
        if any(value is other or same(value, other) for other in seen):
            return [ValueProblem(place, entry, f"{shown_value(value)} stands twice; for more answers of one setting, use repeats")]
        seen.append(value)
    return []


def _entry(path: str, entry: str) -> list[Any]:
    """The values of one entry; ValueError with a predicate, or a whole sentence."""
    if entry.strip().lower() == NOT_SENT_WORDS:
        if parameter(path).path == "model":
            raise ValueError("a request without a model cannot be sent")
        return [NOT_SENT]
    if is_numeric(path):
        interval = _RANGE.fullmatch(entry)
        return [_checked(path, value) for value in (_range(*interval.groups()) if interval else [_number(entry)])]
    word = entry.strip()
    if word == NULL_WORD and parameter(path).nullable:
        return [None]
    if parameter(path).widget == "boolean":
        return [_checked(path, {"true": True, "false": False}.get(word.lower(), entry))]
    return [_checked(path, entry)]


def _number(entry: str) -> Any:
    if entry == NULL_WORD:
        return None
    try:
        return _plain(Decimal(entry)) if re.fullmatch(_NUMBER, entry) else entry
    except InvalidOperation:
        return entry


def _range(first: str, last: str, step: str | None) -> list[int | float]:
    start, end = Decimal(first), Decimal(last)
    if step is None and (start != start.to_integral_value() or end != end.to_integral_value()):
        raise ValueError(f"say the step, like {first}…{last} step {_plain((end - start) / 4) if end != start else 1}")
    by = Decimal(step) if step is not None else Decimal(1)
    if by == 0:
        raise ValueError("a step of 0 never ends")
    by = abs(by) if end >= start else -abs(by)
    count = int((end - start) / by) + 1
    if count > MOST_VALUES:
        raise ValueError(f"has {count:,} values; an axis has {MOST_VALUES:,} at most")
    return [_plain(start + number * by) for number in range(count)]


def _plain(number: Decimal) -> int | float:
    """A number as JSON is to have it: whole ones without a point."""
    return int(number) if number == number.to_integral_value() and abs(number) < 10**18 else float(number)


def _checked(path: str, value: Any) -> Any:
    rule: Rule = TREE[path].rule
    if path == "thinking.type":  # a union told apart by this very field: each member's rule knows its own word only
        rule = Choice(values=parameter(path).choices)
    try:
        return json.loads(json.dumps(rule.accept(value)))
    except Refusal as refusal:
        raise ValueError(refusal.faults[0].text) from None
