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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

LONGEST_ECHO = 40
"""Characters of a bad value that a message repeats; the rest is cut, so that no message carries a document or a key."""

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
            lone_surrogates = any("\ud800" <= character <= "\udfff" for character in cut)  # no message could carry them
            return json.dumps(cut, ensure_ascii=lone_surrogates)
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

    def json_schema(self) -> dict[str, Any]:
        """What is taken besides null, as JSON Schema (draft 2020-12); it may take a little more than ``check``."""
        raise NotImplementedError

    def nullable_schema(self) -> dict[str, Any]:
        """`json_schema`, with null and the server's default where there are any."""
        schema = self.json_schema()
        if self.null:
            schema = {"anyOf": [schema, {"type": "null"}]}
        return schema if self.default is None else {**schema, "default": self.default}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.accept)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return self.nullable_schema()


@dataclass(frozen=True, kw_only=True)
class Text(Rule):
    """Text. ``filled`` refuses blank text; ``email`` wants an address; ``what`` names it in messages."""

    what: str = "text"
    filled: bool = False
    email: bool = False

    @property
    def expected(self) -> str:
        return self.what

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", **({"pattern": r"\S"} if self.filled else {}), **({"format": "email"} if self.email else {})}

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

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

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
    json_type = "number"

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

    def json_schema(self) -> dict[str, Any]:
        bounds = {"minimum": self.minimum, "maximum": self.maximum}
        return {"type": self.json_type, **{name: bound for name, bound in bounds.items() if bound is not None}}

    def check(self, value: Any) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._no_number(value)
        number = int(value) if isinstance(value, int) else float(value)
        if isinstance(number, float) and not math.isfinite(number):
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
    json_type = "integer"

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

    def json_schema(self) -> dict[str, Any]:
        return {"enum": list(self.values)}

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.values:
            raise self.wrong(value)
        return str(value)
