"""What differs between two requests, leaf by leaf: the chips of a comparison."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

LONGEST_SHOWN: Final = 40
"""Characters of a value that a chip shows; the rest is cut."""


class _NotSent:
    def __repr__(self) -> str:
        return "not sent"


NOT_SENT: Final = _NotSent()


@dataclass(frozen=True, slots=True)
class Difference:
    """One leaf that two requests send differently; ``before`` and ``after`` are JSON values, or ``NOT_SENT``.

    ``path`` is dotted as in ``tests/parameters.json``, without ``[]``: a list is one leaf, for its items have no names.
    """

    path: str
    before: Any
    after: Any

    @property
    def text(self) -> str:
        """``temperature 0.2 → 0.9``, ``top_p sent → not sent``, ``seed not sent → 7``."""
        if self.after is NOT_SENT:
            return f"{self.path} sent → not sent"
        return f"{self.path} {shown(self.before)} → {shown(self.after)}"


def shown(value: Any) -> str:
    """A value as a chip shows it: text without quotation marks, the rest as JSON, cut where it is long."""
    text = repr(value) if value is NOT_SENT else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split()) if isinstance(value, str) else text
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def differences(baseline: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What ``other`` sends differently from ``baseline``, in the baseline's order, what only ``other`` has last.

    Exact by JSON type, except that 3 and 3.0 are alike, as they are on the wire. Null, ``{}`` and not sent are three things.
    """
    return tuple(_differences(baseline, other, ""))


def _differences(one: Mapping[str, Any], other: Mapping[str, Any], prefix: str) -> Iterator[Difference]:
    for name in dict.fromkeys([*one, *other]):
        before, after = one.get(name, NOT_SENT), other.get(name, NOT_SENT)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _differences(before, after, f"{prefix}{name}.")
        elif isinstance(before, Mapping) and before and after is NOT_SENT:
            yield from _differences(before, {}, f"{prefix}{name}.")
        elif isinstance(after, Mapping) and after and before is NOT_SENT:
            yield from _differences({}, after, f"{prefix}{name}.")
        elif not same(before, after):
            yield Difference(f"{prefix}{name}", before, after)


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same on the wire: ``true`` is not ``1``, but ``3`` is ``3.0``."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return (type(one) is type(other) and bool(one == other)) or (_numbers(one, other) and bool(one == other))


def _numbers(one: Any, other: Any) -> bool:
    return isinstance(one, int | float) and isinstance(other, int | float)
