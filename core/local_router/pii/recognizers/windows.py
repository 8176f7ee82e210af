"""Where in a text a number can be at all: most of a text has no digits, and need not be looked at again for each kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

LONG = 400
"""Characters of a run in which digits are counted; they stand close enough for every ``at_least`` that is asked."""

_DIGIT = re.compile(r"\d")


@lru_cache(maxsize=8)
def _windows(text: str, reach: int, at_least: int) -> tuple[tuple[int, int], ...]:
    """Spans in order: runs of at least so many digits, less than ``reach`` characters apart, with what is near them."""
    runs = re.finditer(rf"\d(?:\D{{0,{reach}}}\d)*", text)
    return tuple(
        (max(0, run.start() - reach), min(len(text), run.end() + reach))
        for run in runs
        if run.end() - run.start() >= at_least and len(_DIGIT.findall(text, run.start(), min(run.end(), run.start() + LONG))) >= at_least
    )


def matches(pattern: re.Pattern[str], text: str, *, at_least: int, reach: int = 10) -> Iterator[re.Match[str]]:
    """What ``pattern`` matches: forms of ``at_least`` so many digits, in which less than ``reach`` other characters stand together."""
    place = 0
    for start, end in _windows(text, reach, at_least):
        for match in pattern.finditer(text, max(start, place), end):
            place = match.end()
            yield match


def forget() -> None:
    """Keep no text that was looked at."""
    _windows.cache_clear()
