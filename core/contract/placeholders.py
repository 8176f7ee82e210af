"""Placeholders of a prompt and the inputs that fill them: ``{{name}}``, where a name is letters, digits and underscores.

Case counts, and spaces inside the braces make it plain text. ``orq.inputs`` is the only channel that fills placeholders on
this endpoint. A name without a value (absent, or null) stays in the prompt as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
"""One placeholder; group 1 is its name."""


@lru_cache(maxsize=8)  # a page of eight slots asks fifty times for one prompt, which may have megabytes
def placeholders(prompt: str) -> tuple[str, ...]:
    """The names that ``prompt`` mentions, each once, in order of appearance."""
    return tuple(dict.fromkeys(PLACEHOLDER.findall(prompt)))


def input_values(inputs: Any) -> dict[str, Any]:
    """Names and values of ``orq.inputs`` in either of its forms; what has no value is left out, of two items the later counts.

    Tolerates half-edited input: what is neither form gives nothing.
    """
    if isinstance(inputs, Mapping):
        pairs = list(inputs.items())
    elif isinstance(inputs, list | tuple):
        pairs = [(item.get("key"), item.get("value")) for item in inputs if isinstance(item, Mapping)]
    else:
        pairs = []
    return {name: value for name, value in pairs if isinstance(name, str) and value is not None}


def input_names(inputs: Any) -> tuple[str, ...]:
    """The names in ``orq.inputs``, with a value or without."""
    if isinstance(inputs, Mapping):
        names: list[Any] = list(inputs)
    else:
        names = [item.get("key") for item in inputs if isinstance(item, Mapping)] if isinstance(inputs, list | tuple) else []
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def unfilled(prompt: str, inputs: Any) -> tuple[str, ...]:
    """The names that ``prompt`` mentions and ``inputs`` has no value for, in order of appearance."""
    given = input_values(inputs)
    return tuple(name for name in placeholders(prompt) if name not in given)


def is_inputs(inputs: Any) -> bool:
    """Whether ``inputs`` has one of the two forms of ``orq.inputs``, so that single values of it can be edited."""
    return isinstance(inputs, Mapping) or (isinstance(inputs, list) and all(isinstance(item, Mapping) for item in inputs))


def with_input(inputs: Any, name: str, value: Any, *, personal: bool = False) -> Any:
    """``inputs`` (one of the two forms, or None for none yet) with ``value`` for ``name``; its form and what else it holds stay.

    An entry keeps its ``is_pii``; a new one gets it with ``personal``, which makes a list where there was nothing.
    """
    if inputs is None:
        inputs = [] if personal else {}
    if isinstance(inputs, Mapping):
        return {**inputs, name: value}
    places = [place for place, item in enumerate(inputs) if item.get("key") == name]
    if not places:
        return [*inputs, {"key": name, "value": value, **({"is_pii": True} if personal else {})}]
    return [{**item, "value": value} if place == places[-1] else item for place, item in enumerate(inputs)]


def without_input(inputs: Any, name: str) -> Any:
    """``inputs`` without any entry for ``name``; None when nothing is left."""
    if isinstance(inputs, Mapping):
        return {key: value for key, value in inputs.items() if key != name} or None
    return [item for item in inputs if item.get("key") != name] or None


def is_personal(inputs: Any, name: str) -> bool:
    """Whether the entry for ``name`` is marked ``is_pii``."""
    items = inputs if isinstance(inputs, list | tuple) else ()
    return any(isinstance(item, Mapping) and item.get("key") == name and item.get("is_pii") is True for item in items)
