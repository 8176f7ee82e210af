"""Where two outputs part, and what differs between them word by word: in one text, in two columns, or only what differs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, takewhile
from typing import Final, Literal

from rapidfuzz.distance import Levenshtein

from core.comparison.distance import is_word, sentences, tokens

Change = Literal["same", "removed", "added", "hidden"]
VISIBLE = {" ": "·", "\t": "→\t", "\n": "¶\n", "\r": "␍", "\u00a0": "⍽"}
"""White space as it is made visible; a line's end keeps its break."""
MOST_STEPS: Final = 1_600_000_000
"""Tokens of one text times tokens of the other that are compared one by one: a quarter of a second."""
AROUND: Final = 5
"""Words that stay on each side of a change when what is equal is hidden."""
LEAST_HIDDEN: Final = 4
"""Fewer equal words than these are not worth a fold."""

_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Span:
    """Text that both outputs have, that only the first has (``removed``) or only the second (``added``).

    ``hidden`` is text that both have and that is not to be shown.
    """

    change: Change
    text: str

    @property
    def words(self) -> int:
        """How many words are in it; punctuation and white space are none."""
        return sum(map(is_word, tokens(self.text)))


@dataclass(frozen=True, slots=True)
class Row:
    """A stretch of two outputs beside each other: what the first has of it, and the second. A hidden stretch is a row of its own."""

    left: tuple[Span, ...]
    right: tuple[Span, ...]

    @property
    def hidden(self) -> Span | None:
        """What is hidden, where the row is that."""
        return self.left[0] if self.left and self.left[0].change == "hidden" else None


@lru_cache(maxsize=16)
def word_diff(before: str, after: str) -> tuple[Span, ...]:
    """The way from one text to the other, by word: the same and removed spans joined are ``before``, the same and added ``after``.

    What both have by chance between two changes, the space between two words or a word among many, belongs to the change.
    Where too much lies between the first difference and the last (``MOST_STEPS``), that is compared by line and sentence, and those
    that differ by word as far as they are short enough. So a megabyte takes a second or two, whatever is in it.
    """
    return tuple(_spans(_joined(_pairs(_whole(tokens(before), tokens(after))))))


def _whole(before: list[str], after: list[str]) -> Iterator[Span]:
    first = _alike(before, after)
    last = _alike(before[first:][::-1], after[first:][::-1])
    yield Span("same", "".join(before[:first]))
    yield from _between(before[first : len(before) - last], after[first : len(after) - last])
    yield Span("same", "".join(before[len(before) - last :]))


def _alike(before: Sequence[str], after: Sequence[str]) -> int:
    """How many tokens are the same at the beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))


def _between(before: list[str], after: list[str]) -> Iterator[Span]:
    """By word where that can be done, else by line and sentence, else as a whole."""
    if len(before) * len(after) <= MOST_STEPS:
        yield from _steps(before, after)
        return
    ours, theirs = (sentences("".join(one)) for one in (before, after))
    if len(ours) * len(theirs) > MOST_STEPS:
        yield from _changed("".join(ours), "".join(theirs))
        return
    for removed, added in _pairs(_steps(ours, theirs)):
        one, other = tokens(removed), tokens(added)
        yield from _steps(one, other) if len(one) * len(other) <= MOST_STEPS else _changed(removed, added)


def _steps(before: Sequence[str], after: Sequence[str]) -> Iterator[Span]:
    for step in Levenshtein.opcodes(before, after):
        yield from _changed("".join(before[step.src_start : step.src_end]), "".join(after[step.dest_start : step.dest_end]))


def _changed(before: str, after: str) -> Iterator[Span]:
    if before == after:
        yield Span("same", before)
        return
    if before:
        yield Span("removed", before)
    if after:
        yield Span("added", after)


def _pairs(spans: Iterable[Span]) -> Iterator[tuple[str, str]]:
    """Stretches as they stand in the first text and in the second: equal ones, and between them changes, however many spans those are."""
    for _, stretch in groupby(spans, key=lambda span: span.change == "same"):
        found = list(stretch)
        before, after = ("".join(span.text for span in found if span.change != other) for other in ("added", "removed"))
        if before or after:
            yield before, after


@dataclass(slots=True)
class _Stretch:
    """A stretch of both texts, equal or changed; ``words`` counts the text that has more of them."""

    before: str
    after: str
    words: int

    @property
    def equal(self) -> bool:
        return self.before == self.after

    def lies_by_chance(self, before: _Stretch, after: _Stretch) -> bool:
        """Whether an equal stretch says nothing between two changes. A line's end says something: where lines of both texts meet."""
        return self.equal and "\n" not in self.before and 2 * self.words <= min(before.words, after.words)


def _joined(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The stretches, changes joined that only something equal by chance lies between."""
    found: list[_Stretch] = []
    for before, after in pairs:
        newest = _Stretch(before, after, max(sum(map(is_word, tokens(one))) for one in {before, after}))
        while not newest.equal and len(found) > 1 and found[-1].lies_by_chance(found[-2], newest):
            between, first = found.pop(), found.pop()
            newest = _Stretch(
                first.before + between.before + newest.before,
                first.after + between.after + newest.after,
                first.words + between.words + newest.words,
            )
        found.append(newest)
    yield from ((one.before, one.after) for one in found)


def _spans(pairs: Iterable[tuple[str, str]]) -> Iterator[Span]:
    for before, after in pairs:
        yield from _changed(before, after)


def only_differences(spans: Sequence[Span], *, around: int = AROUND) -> tuple[Span, ...]:
    """The spans with long equal stretches hidden, all but ``around`` words next to each change; joined they are the texts still."""
    found: list[Span] = []
    for place, span in enumerate(spans):
        edges = (around if place else 0, around if place < len(spans) - 1 else 0)
        found += _folded(span, *edges) if span.change == "same" else [span]
    return tuple(found)


def _folded(span: Span, kept_before: int, kept_after: int) -> list[Span]:
    cut = tokens(span.text)
    words = [place for place, token in enumerate(cut) if is_word(token)]
    if len(words) < kept_before + kept_after + LEAST_HIDDEN:
        return [span]
    start = words[kept_before - 1] + 1 if kept_before else 0
    end = words[-kept_after] if kept_after else len(cut)
    parts = (("same", cut[:start]), ("hidden", cut[start:end]), ("same", cut[end:]))
    return [Span(change, "".join(part)) for change, part in parts if part]  # type: ignore[arg-type]


def side_by_side(spans: Iterable[Span]) -> tuple[Row, ...]:
    """The spans in two columns: left the first text, right the second; a row ends where both end a line, and at what is hidden."""
    rows: list[Row] = []
    left: list[Span] = []
    right: list[Span] = []

    def end_row() -> None:
        if left or right:
            rows.append(Row(tuple(left), tuple(right)))
        left.clear()
        right.clear()

    for span in spans:
        match span.change:
            case "removed":
                left.append(span)
            case "added":
                right.append(span)
            case "hidden":
                end_row()
                rows.append(Row((span,), (span,)))
            case "same":
                for line in _LINE.findall(span.text):
                    left.append(Span("same", line))
                    right.append(Span("same", line))
                    if line.endswith("\n"):
                        end_row()
    end_row()
    return tuple(rows)


def cut_off(spans: Iterable[Span], most: int) -> tuple[Span, ...]:
    """The first spans, with ``most`` characters at most that are shown; what is hidden does not count."""
    found: list[Span] = []
    for span in spans:
        if most <= 0:
            break
        found.append(span if span.change == "hidden" else Span(span.change, span.text[:most]))
        most -= 0 if span.change == "hidden" else len(span.text)
    return tuple(found)


def parting(before: str, after: str) -> int | None:
    """The first character (from 0) at which two outputs differ, or at which one of them has ended; None where they are identical."""
    if before == after:
        return None
    pairs = enumerate(zip(before, after, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(before), len(after)))


def verdict(before: str, after: str) -> str:
    """*identical*, or where two outputs part, counted as a person counts: ``diverges at character 1`` is the very first."""
    at = parting(before, after)
    return "identical" if at is None else f"diverges at character {at + 1:,}"


def visible(text: str) -> str:
    """The text with its white space shown."""
    return "".join(VISIBLE.get(character, character) for character in text)
