"""The events of a router's trace, read tolerantly, and how durations and counts are said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_EVENTS = 200
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a trace, of whatever quality."""

    kind: str
    at_ms: float
    data: Mapping[str, Any]

    def number(self, name: str) -> float | None:
        """A finite number that is not negative."""
        value = self.data.get(name)
        usable = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
        return float(value) if usable and value is not None else None

    def text(self, name: str) -> str:
        """A text, not too long; empty where there is none."""
        value = self.data.get(name)
        return short(value) if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """The texts of a list."""
        value = self.data.get(name)
        return [short(item) for item in value if isinstance(item, str)] if isinstance(value, list) else []

    @property
    def status(self) -> int | None:
        """The HTTP status."""
        value = self.number("status")
        return int(value) if value is not None and 100 <= value <= 599 else None


def short(text: str) -> str:
    """A name at a length that can be read."""
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"


def span(ms: float) -> str:
    """A duration as people read it: ``0.4 ms``, ``92 ms``, ``1.24 s``, ``2 min 5 s``."""
    if ms < 9.95:
        return f"{ms:.1f}".removesuffix(".0") + " ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 59_995:
        return f"{ms / 1000:.2f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"


def plural(count: int, noun: str) -> str:
    """``1 attempt``, ``2 attempts``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def events_of(listed: Any) -> list[Event]:
    """The events that have a kind and a time; time never runs backwards."""
    found: list[Event] = []
    for item in listed[:MOST_EVENTS] if isinstance(listed, list) else ():
        if not isinstance(item, Mapping) or not isinstance(item.get("type"), str):
            continue
        event = Event(short(item["type"]), 0.0, item)
        at_ms = event.number("at_ms")
        if at_ms is not None:
            found.append(Event(event.kind, max(at_ms, found[-1].at_ms if found else 0.0), item))
    return found
