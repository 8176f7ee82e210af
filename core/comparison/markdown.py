"""Markdown in which nothing that somebody wrote, or a model, can become a heading, a link or the end of a block."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

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
