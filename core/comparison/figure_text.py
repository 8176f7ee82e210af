"""Figures of a comparison in words, the same on the page, in a report and behind a link."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Protocol

from core.comparison.figures import COST
from core.metrics import seconds
from core.prices.pricing import dollars

SECONDS: Final = ("first token", "total")
"""Figures that are durations."""
UNKNOWN: Final = "–"


class Told(Protocol):
    """A median and the bounds of its interval, as in ``core.comparison.interval``; of a file or a link, too."""

    @property
    def median(self) -> float:
        """The middle value, in the figure's own unit."""
        ...

    @property
    def low(self) -> float | None:
        """The lower bound; None where one run alone told the figure."""
        ...

    @property
    def high(self) -> float | None:
        """The upper bound."""
        ...


def figure_text(name: str, interval: Told | None) -> str:
    """A figure with its unit, and with its interval where it has one: ``1.24 s (1.1 s – 1.3 s)``; a dash where no run told it."""
    if interval is None:
        return UNKNOWN
    middle = value_text(name, interval.median)
    if interval.low is None or interval.high is None or interval.low == interval.high:
        return middle
    return f"{middle} ({value_text(name, interval.low)} – {value_text(name, interval.high)})"


def value_text(name: str, value: float) -> str:
    """One number of a figure, with its unit: ``92 ms``, ``$0.0125``, ``1,240``, ``79.6``."""
    if name in SECONDS:
        return seconds(value)
    if name == COST:
        return dollars(Decimal(repr(value)))
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:,.1f}"
