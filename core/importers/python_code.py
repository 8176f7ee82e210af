"""A call in Python source, read from its syntax tree: literals, and names that stand for literals. Nothing is executed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from core.contract.parameters import block, parameter
from core.importers.found import DEEPEST, MOST_TOKENS, Found, InvalidImport, body_from_text, check_size
from core.snippets.call import FIELDS, FREE
from core.snippets.clients import SDK_PATH

_TOKENS: Final = re.compile(
    r'''(?:[rRbBuUfF]{0,2})(?:"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""|\'\'\'[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*\'\'\'|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+')'''
    r"|\#[^\n]*|\w+|[^\s\w]",
    re.DOTALL,
)
_UNSET: Final = ("UNSET", "NOT_GIVEN", "NotGiven", "omit", "Omit")
_OWN: Final = frozenset(
    (
        "retries",
        "server_url",
        "accept_header_override",
        "timeout_ms",
        "http_headers",
        *("extra_headers", "extra_query", "extra_body", "timeout"),
    )
)
"""Arguments of clients that are no fields of a request (``timeout`` only where it is a number)."""
_POSTS: Final = ("post", "request", "stream", "build_request")
MISSING: Final = object()


class _NoLiteral(Exception):
    """An expression whose value only running it would tell."""


def looks_like_python(text: str) -> bool:
    """Whether a program is what this is."""
    return _PYTHON.search(text) is not None


_PYTHON: Final = re.compile(
    r"^\s*(?:from\s+\S+\s+import\s|import\s+[\w., ]+$|with\s+\w+\(|async\s+with|async\s+def)"
    r"|create(?:_async)?\(\s*(?:#[^\n]*\n\s*)*[\w*]+\s*(?:=|\*|[a-z])",
    re.MULTILINE,
)


def read_python(text: str) -> Found:
    """The first call of completions in a program. InvalidImport where there is none, or where the program is too large."""
    if sum(1 for _ in _TOKENS.finditer(text)) > MOST_TOKENS:
        raise InvalidImport(f"This program has more than {MOST_TOKENS:,} words and signs.", "Paste the call alone.")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise InvalidImport(f"This is not Python: {error.msg} at line {error.lineno}.", "Paste whole statements.") from None
    except (RecursionError, MemoryError, ValueError):
        raise InvalidImport("This program cannot be read: it is nested too deeply, or holds characters that no program may.") from None
    try:
        return _Program(tree).found()
    except RecursionError:
        raise InvalidImport("This program is nested too deeply.") from None


class _Program:
    def __init__(self, tree: ast.Module) -> None:
        nodes = list(ast.walk(tree))
        self._names: dict[str, ast.expr] = {}
        for node in nodes:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self._names[node.targets[0].id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                self._names[node.target.id] = node.value
        self._calls = [node for node in nodes if isinstance(node, ast.Call)]
        self._read = 0

    def found(self) -> Found:
        """The call, as an official client, OpenAI's, or a library for HTTP makes it."""
        for call in self._calls:
            chain = _chain(call.func)
            if chain[-2:] in (["completions", "create"], ["completions", "create_async"]):
                return self._client_call(call, official="router" in chain)
        for call in self._calls:
            if (
                _chain(call.func)[-1:]
                and _chain(call.func)[-1] in _POSTS
                and any(one.arg in ("json", "data", "content") for one in call.keywords)
            ):
                return self._http_call(call)
        raise InvalidImport(
            "There is no call of completions in this program.", "Paste the call of completions.create, or a request with json=."
        )

    def _client_call(self, call: ast.Call, *, official: bool) -> Found:
        found = Found("Python, orq-ai-sdk" if official else "Python, openai")
        fields: dict[str, Any] = {}
        for name, node in self._arguments(call, found):
            if name in _OWN and not (name == "timeout" and isinstance(self._resolved(node), ast.Dict | ast.Call)):
                self._own_argument(name, node, fields, found)
            else:
                self._take(name, node, fields, found)
        found.fields = _sent(fields) if official else fields
        self._client(found)
        if official and not found.url:
            found.take_url(_official("https://my.orq.ai"))
        return found

    def _own_argument(self, name: str, node: ast.expr, fields: dict[str, Any], found: Found) -> None:
        if name == "extra_body":
            value = self._value_or_reject(name, node, found)
            fields.update(value if isinstance(value, dict) else {})
        elif name in ("http_headers", "extra_headers"):
            self._headers(node, found)
        elif name == "server_url":
            found.take_url(_official(self._text(node) or ""))
        else:
            found.notes.append(f"{name} is the client's own and not part of the request.")

    def _arguments(self, call: ast.Call, found: Found) -> Iterator[tuple[str, ast.expr]]:
        if call.args:
            found.rejected.append(("arguments without a name", "name them, as in prompt=…"))
        for one in call.keywords:
            if one.arg is not None:
                yield one.arg, one.value
                continue
            whole = self._resolved(one.value)
            if isinstance(whole, ast.Dict):
                for key, value in zip(whole.keys, whole.values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield key.value, value
            else:
                found.rejected.append(("**", f"line {one.value.lineno}: what it holds is only known when the program runs"))

    def _take(self, name: str, node: ast.expr, fields: dict[str, Any], found: Found) -> None:
        value = self._value_or_reject(name, node, found)
        if value is not MISSING:
            fields[name] = value

    def _value_or_reject(self, name: str, node: ast.expr, found: Found) -> Any:
        try:
            value = self._value(node, 0)
            check_size(value)
        except _NoLiteral as problem:
            found.rejected.append((name, str(problem)))
            return MISSING
        return value

    def _client(self, found: Found) -> None:
        """Keys and addresses where the client was made."""
        for call in self._calls:
            if (_chain(call.func)[-1:] or [""])[0] not in ("Orq", "OpenAI", "AsyncOpenAI", "AzureOpenAI"):
                continue
            for one in call.keywords:
                if one.arg in ("server_url", "base_url"):
                    url = self._text(one.value) or ""
                    found.take_url(_official(url) if one.arg == "server_url" else url and url.rstrip("/") + "/completions")
                elif one.arg in ("api_key", "security") and isinstance(self._resolved(one.value), ast.Constant):
                    found.secrets.append(f"{one.arg} in {_chain(call.func)[-1]}(…)")
                elif one.arg in ("default_headers",):
                    self._headers(one.value, found)

    def _http_call(self, call: ast.Call) -> Found:
        found = Found("Python, HTTP")
        for node in call.args:
            text = self._text(node)
            if text and "://" in text:
                found.take_url(text)
        for one in call.keywords:
            if one.arg == "headers":
                self._headers(one.value, found)
            elif one.arg == "url":
                found.take_url(self._text(one.value) or "")
            elif one.arg in ("cookies", "auth"):
                found.secrets.append("cookies" if one.arg == "cookies" else "user name and password (auth=)")
            elif one.arg in ("json", "data", "content"):
                self._body(one.value, found)
        return found

    def _body(self, node: ast.expr, found: Found) -> None:
        whole = self._resolved(node)
        if isinstance(whole, ast.Dict):
            for key, value in zip(whole.keys, whole.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    self._take(key.value, value, found.fields, found)
                else:
                    found.rejected.append(("a computed name", "what it is, is only known when the program runs"))
            return
        value = self._value_or_reject("body", whole, found)
        if isinstance(value, dict):
            found.fields.update(value)
        elif isinstance(value, str):
            body_from_text(value, found)

    def _headers(self, node: ast.expr, found: Found) -> None:
        whole = self._resolved(node)
        for key in whole.keys if isinstance(whole, ast.Dict) else ():
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                found.take_header(key.value)

    def _text(self, node: ast.expr) -> str | None:
        try:
            value = self._value(node, 0)
        except _NoLiteral:
            return None
        return value if isinstance(value, str) else None

    def _resolved(self, node: ast.expr) -> ast.expr:
        """What a name stands for, through a few names."""
        for _ in range(5):
            if not isinstance(node, ast.Name) or node.id not in self._names:
                break
            node = self._names[node.id]
        return node

    def _value(self, node: ast.expr, depth: int) -> Any:
        self._read += 1  # names that stand for lists of names multiply
        if depth > DEEPEST or self._read > MOST_TOKENS:
            raise InvalidImport(f"This is nested deeper than {DEEPEST} levels, or larger than {MOST_TOKENS:,} values.")
        node = self._resolved(node)
        match node:
            case ast.Constant(value=str() | bool() | int() | float() | None as value):
                return value
            case ast.Constant(value=bytes() as value):
                return value.decode("utf-8", "replace")
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in _UNSET:
                return MISSING
            case ast.List() | ast.Tuple():
                return [self._value(item, depth + 1) for item in node.elts]
            case ast.Dict():
                return self._dict(node, depth)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if not isinstance(value, bool):
                return -value
            case ast.BinOp(op=ast.Add()):
                return self._sum(node, depth)
            case ast.JoinedStr() if all(isinstance(part, ast.Constant) for part in node.values):
                return "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
            case ast.Call():
                return self._made(node, depth)
        raise _NoLiteral(_unknown(node))

    def _dict(self, node: ast.Dict, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, inner in zip(node.keys, node.values, strict=True):
            if key is None:
                inside = self._value(inner, depth + 1)
                made.update(inside if isinstance(inside, dict) else {})
                continue
            name = self._value(key, depth + 1)
            if not isinstance(name, str):
                raise _NoLiteral(f"line {key.lineno}: a name in a JSON object is a text")
            value = self._value(inner, depth + 1)
            if value is not MISSING:
                made[name] = value
        return made

    def _sum(self, node: ast.BinOp, depth: int) -> Any:
        """Texts or lists added to each other, however many."""
        parts: list[Any] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add):
            parts.append(self._value(left.right, depth + 1))
            left = left.left
        parts.append(self._value(left, depth + 1))
        parts.reverse()
        if all(isinstance(part, str) for part in parts):
            return "".join(parts)
        if all(isinstance(part, list) for part in parts):
            return [item for part in parts for item in part]
        raise _NoLiteral(_unknown(node))

    def _made(self, node: ast.Call, depth: int) -> Any:
        """A model of the client by its class's name, ``dict(…)``, or ``json.dumps(…)``."""
        name = (_chain(node.func)[-1:] or [""])[0]
        if name in ("dumps", "list", "tuple", "str") and len(node.args) == 1:
            return self._value(node.args[0], depth + 1)
        if (name == "dict" or name[:1].isupper()) and not node.args:
            if name in _UNSET:
                return MISSING
            made = {}
            for one in node.keywords:
                value = self._value(one.value, depth + 1)
                if one.arg is None:
                    made.update(value if isinstance(value, dict) else {})
                elif value is not MISSING:
                    made[one.arg.removesuffix("_")] = value
            return made
        raise _NoLiteral(_unknown(node))


def _official(url: str) -> str:
    """Where the official client posts to, of the address it was given."""
    return url and url.rstrip("/") + SDK_PATH


def _chain(node: ast.expr) -> list[str]:
    """``orq.router.completions.create`` as its names."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [*([node.id] if isinstance(node, ast.Name) else []), *reversed(names)]


def _unknown(node: ast.expr) -> str:
    chain = ".".join(_chain(node.func if isinstance(node, ast.Call) else node.value if isinstance(node, ast.Subscript) else node))
    what = "an environment variable" if "environ" in chain or chain.endswith("getenv") else chain[:60] or "an expression"
    return f"line {node.lineno}: the value of {what} is only known when the program runs"


def _sent(value: Any, names: tuple[str, ...] = ()) -> Any:
    """What the official client sends of its arguments: ``None`` is null only where a field takes null, and else not sent."""
    if isinstance(value, list):
        return [_sent(item, names) for item in value]
    if not isinstance(value, Mapping) or names in FREE:
        return value
    return {
        name: _sent(inner, (*names, name))
        for name, inner in value.items()
        if inner is not None or (*names, name) not in FIELDS or _nullable(".".join((*names, name)))
    }


def _nullable(path: str) -> bool:
    try:
        return parameter(path).nullable
    except KeyError:
        pass
    try:
        return block(path).nullable
    except KeyError:
        return False
