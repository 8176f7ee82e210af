"""``orq.inputs``: puts values where the prompt has ``{{name}}``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.contract.placeholders import PLACEHOLDER, input_names, input_values, placeholders
from core.local_router.answer import Call
from core.local_router.api_error import ApiError
from core.local_router.trace import Trace

LARGEST_PROMPT = 10 * 1024 * 1024
"""Characters of a prompt with its inputs: a value may be used many times, so a small request could ask for any amount."""

MOST_NAMES = 50
LONGEST_NAME = 60
"""What a trace keeps of names, which come from the prompt: so many of each list, so many characters of each name."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A prompt with its inputs, and the names that were filled, had no value, or had a value and no place. ``private`` are the
    filled values whose input was marked ``is_pii``, as they stand in ``text``."""

    text: str
    filled: tuple[str, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    private: tuple[str, ...]


def fill(prompt: str, inputs: Any) -> Filled:
    """``prompt`` with the values of ``inputs`` (either form), in one pass: what a value holds is not filled again.

    Values that are not texts are written as JSON. Raises ``ApiError`` 413 when the text would be longer than ``LARGEST_PROMPT``.
    """
    used = placeholders(prompt)
    values = {name: _rendered(value) for name, value in input_values(inputs).items() if name in used}
    if values and _length(prompt, values) > LARGEST_PROMPT:
        raise ApiError(413, f"The prompt with its inputs is longer than {LARGEST_PROMPT // 1024**2} MB.", param="orq.inputs")
    text = PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), prompt) if values else prompt
    personal = _personal(inputs)
    return Filled(
        text,
        filled=tuple(name for name in used if name in values),
        missing=tuple(name for name in used if name not in values),
        unused=tuple(name for name in input_names(inputs) if name not in used),
        private=tuple(dict.fromkeys(values[name] for name in used if name in personal and values.get(name))),
    )


def _length(prompt: str, values: Mapping[str, str]) -> int:
    """How long the text will be, in characters."""
    return len(prompt) + sum(len(values.get(found[1], found[0])) - len(found[0]) for found in PLACEHOLDER.finditer(prompt))


def _rendered(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _personal(inputs: Any) -> frozenset[str]:
    """The names that an entry with a value marks as personal."""
    if not isinstance(inputs, list | tuple):
        return frozenset()
    return frozenset(item["key"] for item in inputs if item.get("is_pii") and item.get("value") is not None)


class Inputs:
    """The step of the pipeline that fills the prompt's placeholders. The trace gets one ``inputs`` event, of names only."""

    async def shape(self, call: Call, trace: Trace) -> Call:
        """The call without ``orq.inputs`` and with their values in its prompt; placeholders without a value stay."""
        orq = dict(call.body.get("orq") or {})
        inputs = orq.pop("inputs", None)
        if inputs is None and "{{" not in call.body["prompt"]:
            return call
        filled = fill(call.body["prompt"], inputs)
        if inputs is not None or filled.missing:
            trace.note("inputs", filled=_told(filled.filled), missing=_told(filled.missing), unused=_told(filled.unused))
        rest = {name: value for name, value in call.body.items() if name != "orq"}
        body = {**rest, "prompt": filled.text, **({"orq": orq} if orq else {})}
        return replace(call, body=body, private=(*call.private, *filled.private))


def _told(names: tuple[str, ...]) -> list[str]:
    cut = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in names[:MOST_NAMES]]
    return cut if len(names) <= MOST_NAMES else [*cut, f"and {len(names) - MOST_NAMES} more"]
