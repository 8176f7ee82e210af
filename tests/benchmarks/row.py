"""One measured figure beside its reference."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

_COMPARE: dict[str, Callable[[float, float], bool]] = {"≤": operator.le, "≥": operator.ge, "<": operator.lt, ">": operator.gt}
_TARGET = re.compile(r"(?P<sign>[≤≥<>])\s*(?P<number>[\d,]+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a benchmark's table.

    ``value`` is ours, in ``unit``, the median of five unless the name says otherwise. ``target`` is what is to be reached, as
    text (``≤ 30 ms``, ``≥ 10 ×``); ``met`` tells whether it was, ``None`` when the figure has no target. ``reference_name`` and
    ``reference_value`` are what it is compared with, measured in the same run and the same unit; ``ratio`` is by how much ours
    is better (more than 1) or worse, whichever way better lies for that unit.
    """

    name: str
    unit: str
    value: float
    target: str = ""
    met: bool | None = None
    reference_name: str = ""
    reference_value: float | None = None
    ratio: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


def reaches(value: float, target: str) -> bool:
    """Whether ``value`` keeps the first comparison in ``target``: ``reaches(25.0, "≤ 30 ms")`` is true.

    Raises ValueError when ``target`` holds no comparison.
    """
    found = _TARGET.search(target)
    if found is None:
        raise ValueError(f"no comparison such as '≤ 30' in the target {target!r}")
    return _COMPARE[found["sign"]](value, float(found["number"].replace(",", "")))


def row(
    name: str, unit: str, value: float, *, target: str = "", reference: tuple[str, float] | None = None, more_is_better: bool = False
) -> Row:
    """A row whose ``met`` and ``ratio`` follow from the figures; a target in ``×`` is compared with the ratio."""
    ratio = None
    if reference is not None and value and reference[1]:
        ratio = value / reference[1] if more_is_better else reference[1] / value
    judged = ratio if "×" in target else value
    return Row(
        name=name,
        unit=unit,
        value=value,
        target=target,
        met=reaches(judged, target) if target and judged is not None else None,
        reference_name=reference[0] if reference else "",
        reference_value=reference[1] if reference else None,
        ratio=ratio,
    )
