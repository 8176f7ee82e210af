"""Variables and commands in a command line whose values only its shell knows: found while the words are read, named in the report.

A reader of a shell puts a *mark* on both sides of what that shell would have replaced, and no mark on what quotes keep as it is.
The mark is a character that stands nowhere in the pasted text, so it is found again in whatever the words become.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from core.importers.found import MOST_CODE, Found

_MARKS: Final = tuple(chr(code) for code in range(0xFDD0, 0xFDF0))
"""Unicode's noncharacters: no text has them, except to be difficult."""
_BASH: Final = re.compile(r"\$(?:\{[^{}]{1,200}\}|[A-Za-z_]\w*|[0-9@*#?$!-]|(?=\())|`[^`]{0,2000}`", re.ASCII)
_POWERSHELL: Final = re.compile(r"\$(?:\{[^{}]{1,200}\}|(?:\w+:)?[A-Za-z_]\w*|(?=\())", re.ASCII)
_CMD: Final = re.compile(r"%[A-Za-z_]\w*%", re.ASCII)
_ASSIGNED: Final = re.compile(r"([A-Za-z_]\w*)=(.*)", re.ASCII | re.DOTALL)
_DECLARES: Final = ("export", "declare", "local", "readonly")


def unused_mark(text: str) -> str:
    """A character that neither stands in ``text`` nor as an escape of JSON; empty where there is none, and then nothing is marked."""
    escapes = text.lower()
    return next((mark for mark in _MARKS if mark not in text and f"\\u{ord(mark):04x}" not in escapes), "")


def in_bash(text: str, mark: str) -> str:
    """What stands in double quotes, or in a here-document, with marks around what is replaced there."""
    return _marked(_BASH, text, mark, "\\") if "$" in text or "`" in text else text


def in_powershell(text: str, mark: str) -> str:
    """The same for PowerShell, whose sign of escape is the backtick."""
    return _marked(_POWERSHELL, text, mark, "`") if "$" in text else text


def in_cmd(text: str, mark: str) -> str:
    """The same for cmd.exe, whose quotes keep nothing from being replaced."""
    return _marked(_CMD, text, mark, "") if "%" in text else text


def _marked(pattern: re.Pattern[str], text: str, mark: str, escape: str) -> str:
    def around(found: re.Match[str]) -> str:
        before = found.start()
        while escape and before > 0 and text[before - 1] == escape:
            before -= 1
        return found[0] if (found.start() - before) % 2 else f"{mark}{found[0]}{mark}"

    return pattern.sub(around, text) if mark else text


def assignments(words: list[str], mark: str) -> dict[str, str]:
    """What a command of a pasted script assigns, where its values are written out; empty for any other command."""
    words = words[1:] if words[:1] and words[0] in _DECLARES else words
    found = [_ASSIGNED.fullmatch(word) for word in words]
    return {one[1]: one[2] for one in found if one and not (mark and mark in one[2])} if all(found) else {}


def filled(words: list[str], values: Mapping[str, str], mark: str) -> list[str]:
    """The words with the values that the script itself assigns, as long as they do not grow beyond what may be pasted."""
    room = MOST_CODE

    def value(found: re.Match[str]) -> str:
        nonlocal room
        known = values.get(re.sub(r"[${}]", "", found[1]))
        if known is None or len(known) > room:
            return found[0]
        room -= len(known)
        return known

    return [re.sub(f"{mark}([^{mark}]*){mark}", value, word) if mark in word else word for word in words] if mark and values else words


def as_texts(text: str, mark: str) -> str:
    """JSON in which each marked variable that stands outside quotes is a text, so that it can be read."""
    texts_and_marked = re.compile(rf'"[^"\\]*+(?:\\.[^"\\]*+)*+"|{mark}[^{mark}]*{mark}', re.DOTALL)
    return texts_and_marked.sub(lambda found: found[0] if found[0].startswith('"') else json.dumps(found[0], ensure_ascii=False), text)


def without_variables(fields: Mapping[str, Any], mark: str, found: Found) -> dict[str, Any]:
    """The fields without those that are one variable each; what stands within a longer text stays. Both are told in ``found``."""
    kept = _kept(fields, mark, (), found)
    return kept if isinstance(kept, dict) else {}


_GONE: Final = object()


def _kept(value: Any, mark: str, path: tuple[str, ...], found: Found) -> Any:
    if isinstance(value, str):
        return _text(value, mark, ".".join(path), found) if mark in value else value
    if isinstance(value, Mapping):
        pairs = {name.replace(mark, ""): _kept(inner, mark, (*path, name.replace(mark, "")), found) for name, inner in value.items()}
        left: Any = {name: inner for name, inner in pairs.items() if inner is not _GONE}
    elif isinstance(value, list):
        left = [inner for place, item in enumerate(value) if (inner := _kept(item, mark, (*path, str(place)), found)) is not _GONE]
    else:
        return value
    return _GONE if value and not left else left  # a block that lost all it had would mean its defaults


def _text(text: str, mark: str, path: str, found: Found) -> Any:
    if re.fullmatch(f"{mark}[^{mark}]*{mark}", text):
        found.rejected.append((path, f"it is {_named(text, mark)}, whose value only the shell knows"))
        return _GONE
    found.raw.append((path, f"{_named(text, mark)} in it stays as it is written, for only the shell knows the value"))
    return text.replace(mark, "")


def body_rejection(text: str, mark: str) -> str | None:
    """Why a text that is no JSON is none, where it begins with a variable."""
    return f"it is {_named(text, mark)}, whose value only the shell knows" if mark and text.startswith(mark) else None


def _named(text: str, mark: str) -> str:
    names = list(dict.fromkeys(_names(text, mark)))
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def _names(text: str, mark: str) -> Iterator[str]:
    for name in text.split(mark)[1::2]:
        yield "a command's output" if name in ("", "$") or name.startswith("`") else name[:60]
