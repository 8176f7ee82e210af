"""How a value of the draft shows in a widget, and how a widget's value reads back.

A codec's ``show`` raises `Unshowable` for values its widget cannot show faithfully (a text where a number belongs, a list with a
duplicate, an empty text that *is* sent): such a value is then shown as JSON in a text field, so that nothing is hidden or altered.
``read`` gets the widget's value and the value that stood in the draft; `MISSING` means not sent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from components.form.text_forms import (
    escape,
    is_encodable,
    is_one_line,
    json_text,
    literal,
    parse_json,
    parse_literal,
    unescape,
)
from core.draft import MISSING

LARGEST_EXACT = 2**53 - 1
"""The largest whole number a browser's number field holds exactly."""

UNSET, TRUE, FALSE, NULL = "–", "true", "false", "null"


class Unshowable(Exception):
    """The widget cannot show this value faithfully."""


@dataclass(frozen=True, slots=True)
class Codec:
    """``empty`` is what the widget holds when the field is not sent (or null)."""

    empty: Any
    show: Callable[[Any], Any]
    read: Callable[[Any, Any], Any]


def _show_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or abs(value) > LARGEST_EXACT:
        raise Unshowable
    return float(value)


def _read_number(shown: float | None, _old: Any) -> Any:
    if shown is None:
        return MISSING
    return int(shown) if float(shown).is_integer() else float(shown)


def _show_text(value: Any) -> str:
    if not isinstance(value, str) or not value or not is_one_line(value):
        raise Unshowable
    return value


def _show_area(value: Any) -> str:
    if not isinstance(value, str) or not is_encodable(value) or "\0" in value:
        raise Unshowable
    return value


def _read_text(shown: str | None, _old: Any) -> Any:
    return shown or MISSING


def _show_boolean(value: Any) -> str:
    if not isinstance(value, bool):
        raise Unshowable
    return TRUE if value else FALSE


def _read_boolean(shown: str | None, _old: Any) -> Any:
    return {TRUE: True, FALSE: False}.get(shown or UNSET, MISSING)


def _distinct(texts: list[str]) -> list[str]:
    """The widget's list; empty lists are sent and so must be seen, and a multiselect holds nothing twice."""
    if not texts or len(set(texts)) != len(texts):
        raise Unshowable
    return texts


def _show_texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise Unshowable
    return _distinct([_show_text(item) for item in value])


def _read_texts(shown: list[str], _old: Any) -> Any:
    return list(shown) or MISSING


def _show_models(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, dict) and set(item) == {"model"} for item in value):
        raise Unshowable
    return _distinct([_show_text(item["model"]) for item in value])


def _read_models(shown: list[str], _old: Any) -> Any:
    return [{"model": model} for model in shown] or MISSING


def _show_codes(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise Unshowable
    return _distinct([literal(item) for item in value])


def _read_codes(shown: list[str], _old: Any) -> Any:
    return [parse_literal(str(item)) for item in shown] or MISSING


def _show_stops(value: Any) -> list[str]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
        raise Unshowable
    return _distinct([escape(item) for item in items])


def _read_stops(shown: list[str], old: Any) -> Any:
    stops = [unescape(item) for item in shown]
    return stops[0] if isinstance(old, str) and len(stops) == 1 else stops or MISSING


def _read_json(shown: str, _old: Any) -> Any:
    """What the text says; text that is no JSON is kept as typed, as a string, for the contract to mark."""
    if not shown.strip():
        return MISSING
    try:
        return parse_json(shown)
    except ValueError:
        return shown


def _show_document(value: Any) -> str:
    return value if isinstance(value, str) and value and is_encodable(value) else json_text(value, indent=2)


def _read_document(shown: str, _old: Any) -> Any:
    """As JSON, but a lone JSON string stays as typed: an object or a list is what belongs here."""
    value = _read_json(shown, _old)
    return shown if isinstance(value, str) else value


CODECS: dict[str, Codec] = {
    "number": Codec(None, _show_number, _read_number),
    "integer": Codec(None, _show_number, _read_number),
    "text": Codec("", _show_text, _read_text),
    "prompt": Codec("", _show_area, _read_text),
    "model": Codec(None, _show_text, _read_text),
    "picked": Codec(None, _show_text, _read_text),
    "choice": Codec(None, _show_text, _read_text),
    "constant": Codec(None, _show_text, _read_text),
    "boolean": Codec(UNSET, _show_boolean, _read_boolean),
    "stops": Codec([], _show_stops, _read_stops),
    "models": Codec([], _show_models, _read_models),
    "codes": Codec([], _show_codes, _read_codes),
    "tags": Codec([], _show_texts, _read_texts),
    "json": Codec("", json_text, _read_json),
    "document": Codec("", _show_document, _read_document),
}
"""By widget kind. ``json`` is the one-line field for values no other widget can show, ``document`` the many-line one."""


def shown_value(kind: str, value: Any, *, nullable: bool, choices: tuple[str, ...] = ()) -> Any:
    """What the widget of ``kind`` holds for ``value``; raises `Unshowable`."""
    codec = CODECS[kind]
    if value is MISSING:
        return codec.empty
    if value is None and nullable:
        return NULL if kind == "boolean" else codec.empty
    if choices and value not in choices:
        raise Unshowable
    return codec.show(value)
