"""Placeholders of a prompt and the inputs that fill them: ``{{name}}``, where a name is letters, digits and underscores.

Case counts, and spaces inside the braces make it plain text. ``orq.inputs`` is the only channel that fills placeholders on
this endpoint. A name without a value (absent, or null) stays in the prompt as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
"""One placeholder; group 1 is its name."""


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
