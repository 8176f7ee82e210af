"""JSON values as text that a person edits in a one-line field, and back without loss."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from typing import Any

_LIST_ITEM = re.compile(r'\s*("(?:[^"\\]|\\.)*"\s*(?=,|$)|[^,]*)(,|$)')
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([ntr\\]))")
SPACE = "␣"
"""Stands for a space that would not be seen: at the start, at the end, after another space."""


def parse_json(text: str) -> Any:
    """The JSON value of ``text``; raises ``ValueError`` with one sentence on what is wrong and where.

    Stricter than ``json.loads``: no NaN or Infinity, no number too large for one, no name twice in an object (one would be lost).
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise ValueError(f"This is not JSON at line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except RecursionError as error:
        raise ValueError("This JSON is nested too deeply.") from error
    return value


def json_text(value: Any, indent: int | None = None) -> str:
    """``value`` as JSON; characters that no text field can carry (lone surrogates) as ``\\u`` escapes."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return text if text.isascii() or is_encodable(text) else json.dumps(value, indent=indent)


def is_encodable(text: str) -> bool:
    """Whether ``text`` can leave Python at all (no lone surrogates)."""
    try:
        text.encode()  # a megabyte in half a millisecond; looking at each character takes a hundred
    except UnicodeEncodeError:
        return False
    return True


def is_one_line(text: str) -> bool:
    """Whether a one-line field shows all of ``text``: no line breaks, control characters or lone surrogates."""
    return text.isprintable() or not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)


def literal(value: Any) -> str:
    """``value`` on one line: numbers, booleans and null as JSON, text bare unless it would be read as something else, the rest as JSON."""
    if isinstance(value, str) and value and value == value.strip() and is_one_line(value) and parse_literal(value) == value:
        return value
    return json_text(value)


def parse_literal(text: str) -> Any:
    """The value typed as ``text``: JSON where it is JSON, else the text itself without the space around it."""
    try:
        return parse_json(text)
    except ValueError:
        return text.strip()


def literal_list(values: list[Any]) -> str:
    """A list on one line: ``de, 7, true``; items are quoted where a comma or bracket in them would mislead."""
    if not values or any(isinstance(value, (list, dict)) for value in values):
        return json_text(values)
    return ", ".join(_list_item(value) for value in values)


def parse_literal_list(text: str) -> list[Any]:
    """The list typed as ``text``: a JSON array, or items between commas."""
    stripped = text.strip()
    if stripped.startswith("["):
        whole = parse_literal(stripped)
        if isinstance(whole, list):
            return whole
    if not stripped:
        return []
    items: list[Any] = []
    at, more = 0, True
    while more:
        match = _LIST_ITEM.match(stripped, at)
        if match is None:  # cannot be: the pattern matches the empty item
            break
        items.append(parse_literal(match[1]))
        at, more = match.end(), bool(match[2])
    return items


def escape(text: str) -> str:
    """``text`` with what cannot be seen made visible: ``\\n``, ``\\t``, ``\\u0000``, and ``␣`` for a space at an edge or after a space."""
    shown: list[str] = []
    for place, character in enumerate(text):
        edge = place in (0, len(text) - 1) or text[place - 1] == " "
        shown.append(SPACE if character == " " and edge else _escaped(character))
    return "".join(shown)


def unescape(text: str) -> str:
    """What `escape` was given; anything else typed stands for itself."""
    spaced = text.replace(SPACE, " ")
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else _ESCAPES[match[2]], spaced)


def _escaped(character: str) -> str:
    for name, meant in _ESCAPES.items():
        if character == meant:
            return f"\\{name}"
    hidden = character != " " and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs") and ord(character) <= 0xFFFF
    return f"\\u{ord(character):04x}" if hidden or character == SPACE else character


def _list_item(value: Any) -> str:
    text = literal(value)
    misleading = isinstance(value, str) and ("," in value or value.startswith(("[", '"')))
    return json_text(value) if misleading else text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"The name {json.dumps(twice)} stands twice in one object.")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large for a number.")
    return number


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value.")
