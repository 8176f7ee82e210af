"""YAML as far as it is JSON: read without aliases, tags and surprises, written so that it reads back as it was.

Plain words mean what YAML 1.2's core schema says, and nothing else: ``no`` is a word, ``2026-01-01`` too. Aliases are refused, so a small
file cannot become a large value; so are tags, a key that stands twice, and a second document. PyYAML's event stream is all that is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

LARGEST_BYTES: Final = 8 * 1024 * 1024
DEEPEST: Final = 128
_PARSER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBERS: Final[tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...]] = (
    (re.compile(r"[-+]?[0-9]{1,4000}"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: float(text.replace(".", "", 1))),
)


@dataclass(slots=True)
class _Open:
    """A list or an object that is being read; ``key`` is the key whose value comes next."""

    value: Any
    key: str | None = None
    keys: set[str] = field(default_factory=set)


def read_yaml(text: str) -> Any:
    """The value of a YAML document. ValueError, in words and with line and column, for what is none or more than is taken."""
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST_BYTES:
        raise ValueError(f"YAML may have {LARGEST_BYTES // 1024**2} MB; larger files can be JSON")
    reading = _Reading()
    try:
        for event in yaml.parse(text, Loader=_PARSER):
            reading.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ValueError(f"{error.problem or error.context or 'it cannot be read'}{_place(mark)}") from None
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())[:200]) from None
    return reading.result


def _place(mark: Any) -> str:
    return f" at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""


class _Reading:
    """Puts events together; ``result`` is the document's value, None of an empty one."""

    def __init__(self) -> None:
        self.result: Any = None
        self._documents = 0
        self._open: list[_Open] = []

    def take(self, event: Any) -> None:
        place = _place(event.start_mark)
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise ValueError(f"a second document begins{place}; one file has one")
            case yaml.AliasEvent():
                raise ValueError(f"aliases (*{str(event.anchor)[:40]}) are not taken; write it out{place}")
            case yaml.ScalarEvent():
                self._refuse_extras(event, place)
                self._scalar(event, place)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._refuse_extras(event, place)
                self._begin([] if isinstance(event, yaml.SequenceStartEvent) else {}, place)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._open.pop()

    def _refuse_extras(self, event: Any, place: str) -> None:
        if event.anchor is not None:
            raise ValueError(f"anchors (&{str(event.anchor)[:40]}) are not taken{place}")
        if event.tag is not None and event.tag != "!":
            raise ValueError(f"tags ({event.tag[:40]}) are not taken{place}")

    def _scalar(self, event: Any, place: str) -> None:
        holder = self._open[-1] if self._open else None
        if holder is None or isinstance(holder.value, list) or holder.key is not None:
            self._put(resolved(event.value) if event.implicit[0] else event.value)
            return
        if event.value in holder.keys:
            raise ValueError(f"the key {event.value[:40]!r} stands twice{place}")
        holder.keys.add(event.value)
        holder.key = event.value

    def _begin(self, value: Any, place: str) -> None:
        if len(self._open) >= DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} deep{place}")
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            raise ValueError(f"a key must be a text{place}")
        self._put(value)
        self._open.append(_Open(value))

    def _put(self, value: Any) -> None:
        if not self._open:
            self.result = value
            return
        holder = self._open[-1]
        if isinstance(holder.value, list):
            holder.value.append(value)
        elif holder.key is not None:
            holder.value[holder.key] = value
            holder.key = None


def resolved(word: str) -> Any:
    """What a plain word means: null, a boolean, a number, or the word itself."""
    if word in _WORDS:
        return _WORDS[word]
    for pattern, meaning in _NUMBERS:
        if pattern.fullmatch(word):
            return meaning(word)
    return word


class _Dumper(_DUMPER):  # type: ignore[misc, valid-type]
    """Texts of several lines as blocks where YAML can; texts that would read as something else in quotation marks; no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text else None if isinstance(resolved(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_number(dumper: Any, number: float) -> Any:
    text = repr(number)  # YAML 1.1, by which PyYAML goes, takes no number with an exponent and without a point
    return dumper.represent_scalar("tag:yaml.org,2002:float", text if "." in text else text.replace("e", ".0e"))


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(float, _represent_number)


def write_yaml(value: Any) -> str:
    """A JSON value as YAML that `read_yaml` reads back as it was. ValueError where a text has half of a character."""
    try:
        text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**16, indent=2)
    except UnicodeEncodeError:
        raise ValueError("a text in it has half of a character, which YAML cannot hold") from None
    return text
