"""What the official clients do to a body, as data: snippets say it in comments, and tests hold it against the wire.

Sources: PyPI ``orq-ai-sdk`` 4.17.13 (``models/createcompletionop.py``),
npm ``@orq-ai/node`` 4.15.11 (``models/operations/createcompletion.js``).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

from core.draft import MISSING, get_path, set_path
from core.snippets.call import extra_paths
from core.snippets.text import python_text

SDK_PATH: Final = "/v2/router/completions"
"""The only path that both official clients post to."""

DEFAULTS: Final[Mapping[str, Any]] = {
    "echo": False,
    "frequency_penalty": 0,
    "max_tokens": 16,
    "presence_penalty": 0,
    "temperature": 1,
    "top_p": 1,
    "n": 1,
}
"""What both official clients send where nothing is said; ``UNSET`` keeps it off the wire in Python."""

_BLOCKS: Final[Mapping[str, Mapping[str, Any]]] = {
    "retry": {"count": 3},
    "cache": {"ttl": 3600},
    "load_balancer.models": {"weight": 0.5},
    "orq.retry": {"count": 3},
    "orq.cache": {"ttl": 3600},
    "orq.load_balancer.models": {"weight": 0.5},
    "orq.knowledge_bases.rerank_config": {"threshold": 0, "top_k": 10},
}
"""What the Python client sends in a block where nothing is said; ``None`` keeps it off the wire. The Node client's ``ttl`` is 1800."""
_NODE_TTL: Final = 1800
_NODE_UNKNOWN: Final = (("fallback_on_codes",), ("orq", "fallback_on_codes"))
_PROTOTYPE: Final = ("orq", "inputs", "__proto__")
_LARGEST: Final = 2**53


@dataclass(frozen=True, slots=True)
class WireChanges:
    """How a client's body is another than ours: fields it ``added`` (path with indices to value) and ``dropped`` (paths as names), and
    numbers it ``rounded``."""

    added: Mapping[str, Any]
    dropped: tuple[tuple[str, ...], ...]
    rounded: tuple[int, ...] = ()

    def applied(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """``body`` as the client sends it, numbers apart."""
        sent: dict[str, Any] = copy.deepcopy(dict(body))
        for *parents, last in self.dropped:
            holder = reduce(_inside, parents, sent)
            if isinstance(holder, dict):
                holder.pop(last, None)
        for path, value in self.added.items():
            set_path(sent, path, value)
        return sent

    def sentences(self) -> Iterator[str]:
        """What to know about it, for comments."""
        if self.dropped:
            yield f"Not sent, for this client has no field for it: {', '.join(map(_on_one_line, self.dropped))}"
        if self.added:
            listed = ", ".join(f"{path} {str(value).lower()}" for path, value in self.added.items())
            yield f"Not set, and sent all the same, for the client has defaults of its own: {listed}"
        if self.rounded:
            yield f"Numbers this long are rounded: {', '.join(map(str, self.rounded[:3]))}"


def _inside(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else value[int(name)] if isinstance(value, list) and name.isdecimal() else None


def _on_one_line(names: tuple[str, ...]) -> str:
    """A path inside a comment, which a line break in a name would end."""
    return python_text(".".join(names))[1:-1]


def python_changes(body: Mapping[str, Any]) -> WireChanges:
    """What the Python client does to ``body`` when defaults are kept off the wire as `without_defaults` and ``UNSET`` do."""
    inputs = get_path(body, "orq.inputs", None)
    listed = inputs if isinstance(inputs, list | tuple) else ()
    lost = [
        ("orq", "inputs", str(at), "value") for at, item in enumerate(listed) if isinstance(item, Mapping) and item.get("value", 0) is None
    ]
    return WireChanges({}, (*dict.fromkeys(extra_paths(body)), *lost), tuple(_long_numbers(body)))


def without_defaults(body: Mapping[str, Any]) -> dict[str, Any]:
    """``body`` with ``None`` where the Python client would add a default in a block: it leaves those out."""
    spelt: dict[str, Any] = copy.deepcopy(dict(body))
    for path, _ in _missing(body):
        set_path(spelt, path, None)
    return spelt


def node_changes(body: Mapping[str, Any]) -> WireChanges:
    """What the Node client does to ``body``: its defaults cannot be kept off the wire."""
    added = {name: value for name, value in DEFAULTS.items() if name not in body}
    added |= {} if "stream" in body else {"stream": False}
    added |= {path: _NODE_TTL if path.endswith(".ttl") else value for path, value in _missing(body)}
    unknown: list[tuple[str, ...]] = [names for names in _NODE_UNKNOWN if get_path(body, ".".join(names)) is not MISSING]
    unknown += [_PROTOTYPE] if "__proto__" in (get_path(body, "orq.inputs", None) or ()) else []  # the client's checker loses the name
    return WireChanges(added, (*dict.fromkeys(extra_paths(body)), *unknown), tuple(_long_numbers(body)))


def javascript_changes(body: Mapping[str, Any]) -> WireChanges:
    """What any JavaScript does to ``body``."""
    return WireChanges({}, (), tuple(_long_numbers(body)))


def _missing(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Paths, with indices, that a client fills with a default, and the default."""
    for path, defaults in _BLOCKS.items():
        for place, block in _places(body, path.split("."), ""):
            yield from ((f"{place}.{name}", value) for name, value in defaults.items() if name not in block)


def _places(value: Any, names: list[str], at: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _places(item, names, f"{at}.{index}")
    elif isinstance(value, Mapping):
        if not names:
            yield at.removeprefix("."), value
        elif names[0] in value:
            yield from _places(value[names[0]], names[1:], f"{at}.{names[0]}")


def _long_numbers(value: Any) -> Iterator[int]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _long_numbers(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _long_numbers(inner)
    elif isinstance(value, int) and abs(value) > _LARGEST:
        yield value
