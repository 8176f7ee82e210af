"""How wide the stretches are in which figures over time are summed up."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

MOST: Final = 60
"""So many stretches are drawn at most; more are narrower than a finger."""
WIDTHS: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(weeks=1),
    timedelta(weeks=4),
    timedelta(weeks=52),
)


def bucket_of(span: timedelta) -> timedelta:
    """The narrowest width with which ``span`` is cut into at most ``MOST`` stretches; a year's where none is wide enough."""
    return next((width for width in WIDTHS if span < width * (MOST - 1)), WIDTHS[-1])


def bucket_in_words(width: timedelta) -> str:
    """``15 minutes``, ``1 hour``, ``4 weeks``."""
    for unit, name in (
        (timedelta(weeks=1), "week"),
        (timedelta(days=1), "day"),
        (timedelta(hours=1), "hour"),
        (timedelta(minutes=1), "minute"),
    ):
        count, rest = divmod(width, unit)
        if count and not rest:
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{width.total_seconds():g} seconds"
