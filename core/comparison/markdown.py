"""Markdown in which nothing that somebody wrote, or a model, can become a heading, a link or the end of a block."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from core.comparison.figures import COST
from core.comparison.interval import Interval
from core.prices.pricing import dollars

SECONDS: Final = ("first token", "total")
_MARKED: Final = re.compile(r"([\\`*_{}\[\]<>|~$&#])")
_WHITE: Final = re.compile(r"\s+")
_FENCE: Final = re.compile(r"`{3,}")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table."""
    yield "| " + " | ".join(map(text, heads)) + " |"
    yield "|" + "---|" * len(heads)
    yield from ("| " + " | ".join(map(text, row)) + " |" for row in rows)


def text(value: str) -> str:
    """``value`` so that Markdown shows it literally and on one line, also in a table."""
    return _MARKED.sub(r"\\\1", _WHITE.sub(" ", value)).strip()


def fenced(value: str, language: str = "") -> Iterator[str]:
    """``value`` between fences that nothing in it can close."""
    fence = "`" * max([2, *(len(found[0]) for found in _FENCE.finditer(value))]) + "`"
    yield from (fence + language, value, fence)


def figure(name: str, interval: Interval | None) -> str:
    """A figure as text: its median with unit, and its interval where it has one."""
    if interval is None:
        return "–"
    middle = figure_value(name, interval.median)
    if interval.low is None or interval.high is None or interval.low == interval.high:
        return middle
    return f"{middle} ({figure_value(name, interval.low)} – {figure_value(name, interval.high)})"


def figure_value(name: str, value: float) -> str:
    """One number of a figure as text, with its unit."""
    if name in SECONDS:
        return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"
    if name == COST:
        return dollars(Decimal(repr(value)))
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:,.1f}"
