"""A call in JavaScript or TypeScript source: object literals, and names that stand for them. Nothing is executed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from core.importers.found import DEEPEST, MOST_TOKENS, Found, InvalidImport, body_from_text, check_size
from core.snippets.call import FIELDS, FILTER, FREE
from core.snippets.clients import SDK_PATH
from core.snippets.javascript import camel_name

_TOKEN: Final = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/
    |(?P<text>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'|`[^`\\]*+(?:\\.[^`\\]*+)*+`)
    |(?P<number>0[xX][0-9a-fA-F]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[A-Za-z_$][\w$]*)
    |(?P<sign>=>|\.\.\.|\?\?|.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(\r?\n)|(.))", re.DOTALL)
_LETTERS: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_MISSING: Final = object()
Token = tuple[str, str]


class _NoLiteral(Exception):
    pass


def looks_like_javascript(text: str) -> bool:
    """Whether a program is what this is."""
    return (
        re.search(r"""\b(?:const|let|var|await|import)\s+[\w{*]|\bcreate\(\s*\{|\bfetch\(|JSON\.stringify|process\.env|new\s+\w+\(""", text)
        is not None
    )


def read_javascript(text: str) -> Found:
    """The first call of completions in a program. InvalidImport where there is none, or where it cannot be read."""
    tokens: list[Token] = []
    for token in _TOKEN.finditer(text):
        if token.lastgroup:
            tokens.append((token.lastgroup, token[0]))
            if len(tokens) > MOST_TOKENS:
                raise InvalidImport(f"This program has more than {MOST_TOKENS:,} words and signs.", "Paste the call alone.")
    return _Program(tokens).found()


class _Program:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = [*tokens, ("end", "")]
        self._at = 0
        self._names = {
            tokens[place + 1][1]: place + 3
            for place, (_, word) in enumerate(tokens[:-3])
            if word in ("const", "let", "var") and tokens[place + 2][1] == "="
        }
        self._resolving = 0
        self._read = 0

    def found(self) -> Found:
        """The call, as a client or ``fetch`` makes it."""
        place = self._after("completions", ".", "create", "(")
        if place is not None:
            official = "router" in [word for _, word in self._tokens[max(0, place - 8) : place]]
            found = Found("JavaScript, @orq-ai/node" if official else "JavaScript, openai")
            fields = self._object(place, found)
            found.fields = snake(fields) if official else fields
            self._around(found)
            if official and not found.url:
                found.take_url("https://my.orq.ai" + SDK_PATH)
            return found
        place = self._after("JSON", ".", "stringify", "(")
        found = Found("JavaScript, fetch")
        if place is None:
            place = self._after("body", ":")
        if place is None:
            raise InvalidImport("There is no call of completions in this program.", "Paste the call of completions.create, or of fetch.")
        if self._tokens[place][0] == "text":
            body_from_text(unquoted(self._tokens[place][1]), found)
        else:
            found.fields = self._object(place, found)
        self._around(found)
        return found

    def _after(self, *words: str) -> int | None:
        """The place behind the first occurrence of these words."""
        for place in range(len(self._tokens) - len(words)):
            if all(self._tokens[place + offset][1] == word for offset, word in enumerate(words)):
                return place + len(words)
        return None

    def _around(self, found: Found) -> None:
        """Where the call goes, and names of secrets around it."""
        tokens = self._tokens
        place = self._after("fetch", "(")
        if place is not None and tokens[place][0] == "text":
            found.take_url(unquoted(tokens[place][1]))
        for at in range(len(tokens) - 2):
            name = unquoted(tokens[at][1]) if tokens[at][0] == "text" else tokens[at][1]
            if tokens[at + 1][1] != ":" or tokens[at][0] not in ("name", "text"):
                continue
            if name in ("serverURL", "baseURL") and tokens[at + 2][0] == "text":
                url = unquoted(tokens[at + 2][1])
                found.take_url(url.rstrip("/") + (SDK_PATH if name == "serverURL" else "/completions"))
            elif name == "apiKey" and tokens[at + 2][0] == "text":
                found.secrets.append("apiKey")
            elif name == "headers" and tokens[at + 2][1] == "{":
                self._headers(at + 3, found)

    def _headers(self, at: int, found: Found) -> None:
        depth = 1
        while depth and self._tokens[at][0] != "end":
            kind, word = self._tokens[at]
            depth += {"{": 1, "}": -1}.get(word if kind == "sign" else "", 0)
            if depth == 1 and self._tokens[at + 1][1] == ":" and kind in ("name", "text"):
                found.take_header(unquoted(word) if kind == "text" else word)
            at += 1

    def _object(self, place: int, found: Found) -> dict[str, Any]:
        """The object literal at ``place``, field by field: one that is no literal is rejected, and the others stay."""
        kind, word = self._tokens[place]
        if kind == "name" and word in self._names:
            place = self._names[word]
        self._at = place
        if self._next() != "{":
            raise InvalidImport("What the call is given is no object that is written out.", "Paste the object too.")
        fields: dict[str, Any] = {}
        while self._word() != "}" and self._tokens[self._at][0] != "end":
            try:
                name, value = self._pair(1)
                if value is not _MISSING:
                    fields[name] = value
            except _NoLiteral as problem:
                found.rejected.append((str(problem) or "a field", "its value is only known when the program runs"))
                self._skip()
            if self._word() == ",":
                self._at += 1
        check_size(fields)
        return fields

    def _pair(self, depth: int) -> tuple[str, Any]:
        kind, word = self._tokens[self._at]
        if word == "...":
            raise _NoLiteral("...")
        self._at += 1
        if kind == "text":
            name = unquoted(word)
        elif kind in ("name", "number"):
            name = word
        elif word == "[" and self._tokens[self._at][0] == "text":
            name = unquoted(self._next())
            self._expect("]")
        else:
            raise _NoLiteral("a computed name")
        if self._word() != ":":
            if kind == "name" and word in self._names:
                return name, self._named(word, depth)
            raise _NoLiteral(name)
        self._at += 1
        try:
            return name, self._sum(depth)
        except _NoLiteral:
            raise _NoLiteral(name) from None

    def _sum(self, depth: int) -> Any:
        value = self._value(depth)
        while self._word() == "+":
            self._at += 1
            other = self._value(depth)
            if not isinstance(value, str) or not isinstance(other, str):
                raise _NoLiteral
            value += other
        kind, word = self._tokens[self._at]
        if kind == "name" and word in ("as", "satisfies"):
            self._skip()  # a type of TypeScript's
        elif (kind == "name" and word in ("in", "instanceof")) or (kind == "sign" and word not in ",}]);"):
            raise _NoLiteral
        return value

    def _value(self, depth: int) -> Any:
        self._read += 1  # names that stand for lists of names multiply
        if depth > DEEPEST or self._read > MOST_TOKENS:
            raise InvalidImport(f"This is nested deeper than {DEEPEST} levels, or larger than {MOST_TOKENS:,} values.")
        kind, word = self._tokens[self._at]
        self._at += 1
        if kind == "text":
            if word[0] == "`" and re.search(r"(?<!\\)\$\{", word):
                raise _NoLiteral
            return unquoted(word)
        if kind == "number":
            return _number(word)
        if kind == "name":
            words: dict[str, Any] = {"true": True, "false": False, "null": None, "undefined": _MISSING}
            return words[word] if word in words else self._named(word, depth)
        match word:
            case "-" if self._tokens[self._at][0] == "number":
                return -_number(self._next())
            case "(":
                value = self._sum(depth + 1)
                self._expect(")")
                return value
            case "[":
                return self._list(depth)
            case "{":
                return self._inner(depth)
        raise _NoLiteral

    def _named(self, name: str, depth: int) -> Any:
        if name not in self._names or self._resolving > 5 or self._word() in (".", "(", "["):
            raise _NoLiteral
        back, self._at = self._at, self._names[name]
        self._resolving += 1
        try:
            return self._sum(depth + 1)
        finally:
            self._at = back
            self._resolving -= 1

    def _list(self, depth: int) -> list[Any]:
        items: list[Any] = []
        while self._word() != "]":
            if self._word() == "..." or self._tokens[self._at][0] == "end":
                raise _NoLiteral
            items.append(self._sum(depth + 1))
            if self._word() == ",":
                self._at += 1
        self._at += 1
        return items

    def _inner(self, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        while self._word() != "}":
            if self._tokens[self._at][0] == "end":
                raise _NoLiteral
            name, value = self._pair(depth + 1)
            if value is not _MISSING:
                made[name] = value
            if self._word() == ",":
                self._at += 1
        self._at += 1
        return made

    def _skip(self) -> None:
        """To the end of this field, over whatever is in brackets."""
        depth = 0
        while self._tokens[self._at][0] != "end":
            kind, word = self._tokens[self._at]
            sign = word if kind == "sign" else ""
            if depth <= 0 and sign in (",", "}"):
                return
            depth += (sign in ("(", "[", "{")) - (sign in (")", "]", "}"))
            self._at += 1

    def _word(self) -> str:
        kind, word = self._tokens[self._at]
        return word if kind in ("sign", "name") else "" if kind == "end" else "text"

    def _next(self) -> str:
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return self._tokens[self._at - 1][1]

    def _expect(self, sign: str) -> None:
        if self._word() != sign:
            raise _NoLiteral
        self._at += 1


def unquoted(text: str) -> str:
    """The value of a string literal."""
    return _ESCAPE.sub(_character, text[1:-1])


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        return chr(min(int(code, 16), 0x10FFFF))
    return "" if found[4] else _LETTERS.get(found[5], found[5])


def _number(text: str) -> int | float:
    text = text.replace("_", "")
    try:
        return int(text, 0) if re.fullmatch(r"0[xX].*|\d+", text) and len(text) < 400 else _finite(text)
    except ValueError:
        raise _NoLiteral from None


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(text[:20])
    return value


_WIRE: Final[Mapping[tuple[str, ...], str]] = {(*names[:-1], camel_name(names[-1])): names[-1] for names in FIELDS}


def snake(value: Any, names: tuple[str, ...] = ()) -> Any:
    """The official client's spelling as the wire's (``maxTokens`` as ``max_tokens``); people's own keys stay."""
    if isinstance(value, list):
        return [snake(item, names) for item in value]
    if names == ("orq", "inputs", "[]") and isinstance(value, dict):
        return {"is_pii" if name == "isPii" else name: inner for name, inner in value.items()}
    if not isinstance(value, dict) or names in FREE or names == FILTER or names[-1:] == ("entity_thresholds",):
        return value
    spelt = {}
    for name, inner in value.items():
        wire = _WIRE.get((*names, name), name)
        at = (*names, wire)
        listed = at == ("orq", "inputs") and isinstance(inner, list)
        spelt[wire] = [snake(item, (*at, "[]")) for item in inner] if listed else snake(inner, at)
    return spelt
