"""What an importer found, before the contract has looked at it, and the bounds that hold for all of them."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from core.errors import InvalidImport
from core.redaction import is_secret_name

__all__ = ["MOST_CHARACTERS", "MOST_CODE", "Found", "InvalidImport", "body_from_text", "read_json"]

MOST_CHARACTERS: Final = 4_000_000
"""Of a file or a paste."""
MOST_CODE: Final = 1_000_000
"""Characters of a command or a program."""
MOST_TOKENS: Final = 30_000
"""Of a program: a node of Python's syntax tree takes about half a kilobyte."""
MOST_VALUES: Final = 100_000
"""Objects, lists and their items in one JSON document."""
MOST_BODY_VALUES: Final = 20_000
DEEPEST: Final = 60
_QUIET: Final = re.compile(
    r"accept|accept-.*|cache-control|connection|content-length|content-type|dnt|host|origin|pragma|priority|referer|sec-.*|user-agent|:.*",
    re.IGNORECASE,
)
"""Headers that say nothing about a request's settings."""


_TEXTS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_VALUES: Final = re.compile(r"[\[{,]")


@dataclass(slots=True)
class Found:
    """A call as it was written.

    ``source`` says what it was read from; ``fields`` are its body; ``url`` where it goes, as written. ``secrets`` names what was taken
    out, never its value. ``rejected`` are pairs of a field and why it cannot be taken, ``raw`` of a field and what in it was kept as
    it was written; ``notes`` are sentences worth knowing.
    """

    source: str
    fields: dict[str, Any] = field(default_factory=dict)
    extra: str = ""
    url: str = ""
    secrets: list[str] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    raw: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take_header(self, name: str) -> None:
        """Notice a header: secrets are named, others are said not to be part of a request's body."""
        name = name.strip()[:100]
        if is_secret_name(name):
            self.secrets.append(f"the header {name}")
        elif name and not _QUIET.fullmatch(name):
            self.rejected.append((f"header {name}", "headers belong to a connection: set it on the Connections page"))

    def take_url(self, url: str) -> None:
        """Notice where the call goes, without what is secret in the address."""
        self.url = self.url or url.strip()[:2_000]
        try:
            parts = urlsplit(self.url)
            if parts.username or parts.password:
                self.secrets.append("user name and password in the address")
            for name, _ in parse_qsl(parts.query, max_num_fields=100):
                if is_secret_name(name):
                    self.secrets.append(f"{name[:100]} in the address")
        except ValueError:
            self.rejected.append(("address", "this is no URL"))
            self.url = ""


Repeats = list[tuple[dict[str, Any], tuple[str, ...]]]
"""Objects in which names stood more than once, with those names. Of the values of one name the last one is in the object."""


def read_json(text: str, most_values: int = MOST_VALUES, repeats: Repeats | None = None) -> Any:
    """The value of a JSON document within bounds; ``repeats`` is told what it says twice. InvalidImport says what is wrong with it."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if repeats is not None and len(made) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            repeats.append((made, tuple(name for name in counts if counts[name] > 1)))
        return made

    if len(_VALUES.findall(_TEXTS.sub("", text))) > most_values:
        raise InvalidImport(f"This has more than {most_values:,} values.", "Paste the one request alone.")
    try:
        value = json.loads(text, object_pairs_hook=unique, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise InvalidImport(f"This is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise InvalidImport("This JSON is nested too deeply.") from None
    except ValueError as error:
        raise InvalidImport(f"This is not JSON: {str(error)[:100]}.") from None
    check_size(value, most_values)
    return value


def check_size(value: Any, most_values: int = MOST_VALUES) -> None:
    """InvalidImport for a value that is nested too deeply or holds too many values."""
    level, seen = [value], 0
    for depth in range(DEEPEST + 2):
        if not level:
            return
        if depth > DEEPEST:
            raise InvalidImport(f"This is nested deeper than {DEEPEST} levels.")
        below: list[Any] = []
        for one in level:
            inside: Iterable[Any] = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
            below.extend(item for item in inside if isinstance(item, dict | list))
            seen += len(one) if isinstance(one, dict | list) else 0
        if seen > most_values:
            raise InvalidImport(f"This has more than {most_values:,} values.", "Paste the one request alone.")
        level = below


def tell_repeats(body: Mapping[str, Any], repeats: Repeats, found: Found) -> None:
    """Name the fields of ``body`` that stood there more than once."""
    names = {id(holder): twice for holder, twice in repeats}
    for path, holder in _objects(body) if names else ():
        for name in names.get(id(holder), ()):
            found.rejected.append((f"{path}{name[:100]}", "it stands there more than once; the last one is taken"))


def _objects(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object in ``value``, with what its fields' paths begin with."""
    if isinstance(value, Mapping):
        yield path, value
    for name, inner in value.items() if isinstance(value, Mapping) else numbered(value):
        if isinstance(inner, Mapping | list):
            yield from _objects(inner, f"{path}{name[:100]}.")


def body_from_text(text: str, found: Found) -> None:
    """Put the JSON object in ``text`` into ``found``; says why where it is none."""
    if not text.strip():
        found.rejected.append(("body", "the call has no body"))
        return
    if text.lstrip()[0] != "{":
        found.rejected.append(("body", "it is not a JSON object"))
        return
    repeats: Repeats = []
    value = read_json(text, MOST_BODY_VALUES, repeats)
    if isinstance(value, dict):
        tell_repeats(value, repeats, found)
        found.fields.update(value)


def numbered(items: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Items with their places as names."""
    return ((str(place), item) for place, item in enumerate(items))


def has_surrogate(value: Any) -> bool:
    """Whether a text in ``value`` holds half of a character, which JSON in UTF-8 cannot."""
    if isinstance(value, str):
        return not value.isascii() and re.search("[\ud800-\udfff]", value) is not None
    if isinstance(value, Mapping):
        return any(has_surrogate(name) or has_surrogate(inner) for name, inner in value.items())
    return isinstance(value, list) and any(map(has_surrogate, value))


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large a number")
    return value
