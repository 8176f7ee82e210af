"""Reads a snapshot that somebody else wrote, a file or what a link held: bounded, checked by the contract, refused in one sentence."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from core.errors import PlaygroundError
from core.share.snapshot import FORMAT, Snapshot
from core.share.subject import request_problems
from core.share.text_scrubber import mended

MOST_FIELDS: Final = 5_000
"""Fields and items of one request: checking them all takes a tenth of a second."""

_TEXT: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+\\?(?:"|\Z)', re.DOTALL)
"""A text; one that nobody closed goes to the end, so that looking for it takes one pass whatever the data is."""
_BRACKETS: Final = re.compile(rb"[\[\]{}]")


class NotReadable(PlaygroundError):
    """A link or a file that is none, or not any more; the cause says what is wrong with it."""

    kind = "not_readable"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that is read: bytes of JSON, levels of nesting, fields of objects, items of lists."""

    size: int
    depth: int = 40
    fields: int = 200_000
    items: int = 400_000


FILE_BOUNDS: Final = Bounds(size=12 * 1024 * 1024)
"""A file holds the largest snapshot there is, and some room for another program's spaces."""


def read_snapshot(data: bytes, bounds: Bounds = FILE_BOUNDS, *, what: str = "file") -> Snapshot:
    """The snapshot in ``data``, its JSON. NotReadable for anything else; nothing is built that is larger than ``bounds``."""
    _measure(data, bounds, what)
    try:
        value = json.loads(data, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise NotReadable(f"This {what} is damaged: what it holds is not JSON.", _ASK) from None
    return checked(value, what)


def checked(value: Any, what: str = "file") -> Snapshot:
    """The snapshot that a JSON value is; NotReadable for one that is none, and for a request that the contract refuses."""
    said = value.get("format") if isinstance(value, Mapping) else None
    if said != FORMAT:
        if isinstance(said, str) and re.fullmatch(r"playground\.share/\d{1,6}", said):
            raise NotReadable(f"This {what} was made by a newer playground ({said}); this one reads {FORMAT}.", "Update the playground.")
        raise NotReadable(f"This {what} holds nothing that was shared from a playground.", _ASK)
    try:
        snapshot = Snapshot.model_validate(_whole(value))
    except ValidationError as problem:
        raise NotReadable(f"This {what} is damaged: {_place(problem)}.", _ASK) from None
    for request in snapshot.requests:
        if _fields(request) > MOST_FIELDS:
            raise NotReadable(f"This {what} holds a request with more than {MOST_FIELDS:,} fields.", _ASK)
        problems = request_problems(request) if snapshot.content.kind != "run" else []
        if problems:
            raise NotReadable(f"This {what} holds a request that the contract refuses: {problems[0]}.", _ASK)
    return snapshot


def checked_json(data: bytes) -> Snapshot:
    """A snapshot of ours, from our own database. NotReadable for one of a newer playground that shares the database."""
    value = json.loads(data)
    if isinstance(value, Mapping) and value.get("format") == FORMAT:
        return Snapshot.model_validate(value)
    return checked(value, "snapshot")


_ASK: Final = "Ask for it again."


def _measure(data: bytes, bounds: Bounds, what: str) -> None:
    """Refuse what is too large, too deep or too many before a parser makes objects of it."""
    if len(data) > bounds.size:
        raise NotReadable(f"This {what} is too large: more than {bounds.size:,} bytes.", _ASK)
    bare = _TEXT.sub(b"", data)
    if bare.count(b":") > bounds.fields or bare.count(b",") > bounds.items:
        raise NotReadable(f"This {what} holds more fields than any request.", _ASK)
    depth = 0
    for found in _BRACKETS.finditer(bare):
        depth += 1 if found[0] in b"[{" else -1
        if depth > bounds.depth:
            raise NotReadable(f"This {what} is nested deeper than any request.", _ASK)


def _fields(value: Any) -> int:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return len(inner) + sum(map(_fields, inner))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number that is too large")
    return value


def _whole(value: Any) -> Any:
    """A JSON value without halves of emoji in its texts."""
    if isinstance(value, str):
        return mended(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {mended(name): _whole(inner) for name, inner in value.items()}
    return value


def _place(problem: ValidationError) -> str:
    """Where the first thing is wrong, in names of ours only."""
    first = problem.errors(include_input=False, include_context=False, include_url=False)[0]
    names = [str(name) for name in first["loc"] if isinstance(name, int) or name in _NAMES]
    return f"{'.'.join(names) or 'its content'} is not as it should be"


def _names(model: Any, found: set[str]) -> set[str]:
    for name, field in model.model_fields.items():
        found.add(name)
        for inner in _models(field.annotation):
            _names(inner, found)
    return found


def _models(annotation: Any) -> list[Any]:
    inner = [one for argument in getattr(annotation, "__args__", ()) for one in _models(argument)]
    return [annotation, *inner] if hasattr(annotation, "model_fields") else inner


_NAMES: Final = frozenset(_names(Snapshot, set()))
