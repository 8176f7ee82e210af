"""Texts and values as source code. What cannot be seen (control, format and bidirectional characters) is written as an escape."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

WIDTH: Final = 100
"""Characters of a line up to which a list or an object stays on it."""
_SHORT: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}

Quote = Callable[[str], str]


def python_text(text: str) -> str:
    """``text`` as a Python string in double quotes."""
    return '"' + "".join(_python_character(character) for character in text) + '"'


def _python_character(character: str) -> str:
    if character.isprintable() or character in _SHORT:
        return _SHORT.get(character, character)
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def javascript_text(text: str) -> str:
    """``text`` as a JavaScript string in double quotes."""
    return '"' + "".join(_javascript_character(character) for character in text) + '"'


def _javascript_character(character: str) -> str:
    if character.isprintable() or character in _SHORT:
        return _SHORT.get(character, character)
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\u{{{code:x}}}"


def json_text(value: Any, indent: int | None = 2, *, ascii_only: bool = False) -> str:
    """``value`` as JSON, over several lines unless ``indent`` is None."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=separators)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(character if character.isprintable() or character == "\n" else _json_escape(character) for character in text)


def _json_escape(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) > 0x7F else f"\\u{ord(character):04x}"


class Writer:
    """Values as literals of one language: its quotes, its words for null, true and false, its comments and its names of keys."""

    def __init__(self, quote: Quote, words: tuple[str, str, str], comment: str, key: Quote, unit: str, join: str) -> None:
        self._quote = quote
        self._null, self._true, self._false = words
        self.comment = comment
        self._key = key
        self._unit = unit
        self._join = join

    def value(self, value: Any, depth: int = 0, comments: Mapping[str, str] | None = None, path: str = "") -> str:
        """``value`` as source whose first line goes on where the caller is, and whose others are indented ``depth`` times and more.

        ``comments`` are put over the fields with those paths.
        """
        if isinstance(value, str):
            return self._text(value, depth)
        if isinstance(value, Mapping):
            return self._block(list(self._fields(value, depth, comments or {}, path)), "{", "}", depth)
        if isinstance(value, list | tuple):
            return self._block([("", self.value(item, depth + 1, comments, path)) for item in value], "[", "]", depth)
        return self._scalar(value)

    def _scalar(self, value: Any) -> str:
        if value is None or isinstance(value, bool):
            return self._null if value is None else self._true if value else self._false
        return json.dumps(value, allow_nan=False)

    def _text(self, text: str, depth: int) -> str:
        """A text of several lines as one string for each, if that is easier to read."""
        lines = text.splitlines(keepends=True) if text.count("\n") else [text]
        if len(lines) < 2 or len(text) < 40:
            return self._quote(text)
        margin = "\n" + self._unit * (depth + 1)
        return f"({margin}" + f"{self._join}{margin}".join(map(self._quote, lines)) + "\n" + self._unit * depth + ")"

    def _fields(self, value: Mapping[str, Any], depth: int, comments: Mapping[str, str], path: str) -> Iterator[tuple[str, str]]:
        for name, inner in value.items():
            at = f"{path}.{name}" if path else name
            yield comments.get(at, ""), f"{self._key(name)}: {self.value(inner, depth + 1, comments, at)}"

    def _block(self, items: list[tuple[str, str]], opening: str, closing: str, depth: int) -> str:
        line = opening + ", ".join(text for _, text in items) + closing
        if len(line) + len(self._unit) * depth <= WIDTH and "\n" not in line and not any(comment for comment, _ in items):
            return line
        margin = self._unit * (depth + 1)
        inside = "".join((f"{margin}{self.comment} {comment}\n" if comment else "") + f"{margin}{text},\n" for comment, text in items)
        return f"{opening}\n{inside}{self._unit * depth}{closing}"


def _javascript_key(name: str) -> str:
    """A name as a key. ``__proto__`` would set the object's prototype, unless it is computed."""
    plain = name.isascii() and name.replace("$", "_").isidentifier()
    return f"[{javascript_text(name)}]" if name == "__proto__" else name if plain else javascript_text(name)


PYTHON: Final = Writer(python_text, ("None", "True", "False"), "#", python_text, "    ", "")
JAVASCRIPT: Final = Writer(javascript_text, ("null", "true", "false"), "//", _javascript_key, "  ", " +")
