"""Where two outputs part, and what differs between them word by word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from rapidfuzz.distance import Levenshtein

from core.comparison.distance import tokens

Change = Literal["same", "removed", "added"]
VISIBLE = {" ": "·", "\t": "→\t", "\n": "¶\n", "\r": "␍", "\u00a0": "⍽"}
"""White space as it is made visible; a line's end keeps its break."""


@dataclass(frozen=True, slots=True)
class Span:
    """Text that both outputs have, that only the first has (``removed``) or only the second (``added``)."""

    change: Change
    text: str


def word_diff(before: str, after: str) -> tuple[Span, ...]:
    """The way from one text to the other, by word: the same and removed spans joined are ``before``, the same and added ``after``."""
    return tuple(_joined(_spans(tokens(before), tokens(after))))


def _spans(before: list[str], after: list[str]) -> Iterator[Span]:
    for step in Levenshtein.opcodes(before, after):
        removed, added = "".join(before[step.src_start : step.src_end]), "".join(after[step.dest_start : step.dest_end])
        if step.tag == "equal":
            yield Span("same", removed)
            continue
        if removed:
            yield Span("removed", removed)
        if added:
            yield Span("added", added)


def _joined(spans: Iterator[Span]) -> Iterator[Span]:
    """Changes that stand next to each other as one removal and one addition."""
    pending: dict[Change, str] = {}
    for span in spans:
        if span.change == "same":
            yield from _changes(pending)
            pending = {}
            yield span
        else:
            pending[span.change] = pending.get(span.change, "") + span.text
    yield from _changes(pending)


def _changes(pending: dict[Change, str]) -> Iterator[Span]:
    kinds: tuple[Change, ...] = ("removed", "added")
    yield from (Span(change, pending[change]) for change in kinds if change in pending)


def parting(before: str, after: str) -> int | None:
    """The first character (from 0) at which two outputs differ, or at which one of them has ended; None where they are identical."""
    if before == after:
        return None
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))


def verdict(before: str, after: str) -> str:
    """*identical*, or where two outputs part, counted as a person counts: ``diverges at character 1`` is the very first."""
    at = parting(before, after)
    return "identical" if at is None else f"diverges at character {at + 1:,}"


def visible(text: str) -> str:
    """The text with its white space shown."""
    return "".join(VISIBLE.get(character, character) for character in text)
