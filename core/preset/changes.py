"""What differs between two contents of a preset: settings by field, as they would be sent, and prompts by word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Final

from core.comparison.board import LETTERS
from core.comparison.output_diff import Span, word_diff
from core.comparison.settings import NOT_SENT, Difference, differences
from core.outgoing import EXTRA, parse_extra
from core.preset.content import ComparisonContent, Content, DraftContent, SlotContent

MOST_COMPARED: Final = 20_000
"""Characters of a prompt, between what both begin and end with, that are compared word by word; longer stretches are replaced whole."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field that two contents have differently. ``slot`` is a comparison's slot by its letter, ``""`` for the whole."""

    difference: Difference
    slot: str = ""

    @property
    def path(self) -> str:
        """``temperature``, or ``B.temperature`` in a slot."""
        return f"{self.slot}.{self.difference.path}" if self.slot else self.difference.path

    @property
    def text(self) -> str:
        """``temperature 0.2 → 0.9``, in a slot ``B temperature 0.2 → 0.9``."""
        return f"{self.slot} {self.difference.text}" if self.slot else self.difference.text


def changes(before: Content, after: Content) -> tuple[Change, ...]:
    """What ``after`` would send, or is named, differently; empty where it comes to the same.

    Slots are compared by their places. 3 and 3.0 are alike, so is another spelling of the same extra fields.
    """
    match before, after:
        case DraftContent(), DraftContent():
            return tuple(map(Change, _settings(before.body, before.extra, after.body, after.extra)))
        case ComparisonContent(), ComparisonContent():
            return tuple(_of_comparison(before, after))
        case _:
            return (Change(Difference("kind", before.kind, after.kind)),)


def same(before: Content, after: Content) -> bool:
    """Whether they come to the same."""
    return not changes(before, after)


def said(found: tuple[Change, ...]) -> str:
    """*in 2 fields*, *in 1 field*."""
    return f"in {len(found)} field{'' if len(found) == 1 else 's'}"


def _settings(body: Mapping[str, Any], extra: str, other: Mapping[str, Any], other_extra: str) -> Iterator[Difference]:
    yield from differences(body, other)
    if extra == other_extra:
        return
    (fields, problem), (other_fields, other_problem) = parse_extra(extra), parse_extra(other_extra)
    if problem or other_problem:
        yield Difference(EXTRA, extra or NOT_SENT, other_extra or NOT_SENT)
    else:
        yield from differences(fields, other_fields)


def _of_comparison(before: ComparisonContent, after: ComparisonContent) -> Iterator[Change]:
    shared, other = ({} if one.prompt is None else {"prompt": one.prompt} for one in (before, after))
    rest = ({"repeats": one.repeats, "keep_cache": one.keep_cache} for one in (before, after))
    yield from map(Change, differences(shared, other))
    yield from map(Change, differences(*rest))
    for place in range(max(len(before.slots), len(after.slots))):
        one, second = (of.slots[place] if place < len(of.slots) else None for of in (before, after))
        if one is None or second is None:
            gone, come = ("there", NOT_SENT) if second is None else (NOT_SENT, "there")
            yield Change(_Slot("slot", gone, come), LETTERS[place])
        else:
            yield from (Change(found, LETTERS[place]) for found in _of_slot(one, second, (before.prompt, after.prompt)))


class _Slot(Difference):
    """A slot that only one of two comparisons has."""

    @property
    def text(self) -> str:
        return "slot taken out" if self.after is NOT_SENT else "slot added"


def _of_slot(one: SlotContent, other: SlotContent, prompts: tuple[Any, Any]) -> Iterator[Difference]:
    named, renamed = ({"name": slot.name} if slot.name else {} for slot in (one, other))
    yield from differences(named, renamed)
    if one.own_prompt == other.own_prompt:
        yield from _settings(one.body, one.extra, other.body, other.extra)
        return
    yield Difference("own_prompt", one.own_prompt, other.own_prompt)
    before, after = (
        slot.body if slot.own_prompt or prompt is None else {**slot.body, "prompt": prompt}
        for slot, prompt in zip((one, other), prompts, strict=True)
    )
    yield from _settings(before, one.extra, after, other.extra)


def prompt_diff(before: str, after: str) -> tuple[Span, ...]:
    """The way from one prompt to the other by word.

    Of long prompts only what lies between a common beginning and a common end is compared; where that is long, too, it is replaced whole.
    """
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    start = _word_start(before, start)
    one, other = before[start:], after[start:]
    end = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(reversed(one), reversed(other), strict=False)))
    one, other, rest = one[: len(one) - end], other[: len(other) - end], one[len(one) - end :]
    if len(one) + len(other) <= MOST_COMPARED:
        return (
            word_diff(before, after)
            if len(before) + len(after) <= MOST_COMPARED
            else _with_ends(before[:start], word_diff(one, other), rest)
        )
    changed = [Span("removed", one)] if one else []
    changed += [Span("added", other)] if other else []
    return _with_ends(before[:start], tuple(changed), rest)


def _word_start(before: str, at: int) -> int:
    """``at``, or the beginning of the word that it is in, as far as a word is no longer than a line."""
    for back in range(at, max(at - 100, 0), -1):
        if before[back - 1].isspace():
            return back
    return at if at > 100 else 0


def _with_ends(start: str, middle: tuple[Span, ...], end: str) -> tuple[Span, ...]:
    """Spans between what is the same; joined where that stands next to each other."""
    spans: list[Span] = []
    for span in (Span("same", start), *middle, Span("same", end)):
        if not span.text:
            continue
        if spans and spans[-1].change == span.change == "same":
            spans[-1] = replace(spans[-1], text=spans[-1].text + span.text)
        else:
            spans.append(span)
    return tuple(spans)


def prompts_changed(found: tuple[Change, ...]) -> Iterator[tuple[Change, str, str]]:
    """Of the changes those of a prompt, with the texts before and after; a prompt that is not sent is empty."""
    for change in found:
        before, after = change.difference.before, change.difference.after
        if change.difference.path == "prompt" and all(isinstance(one, str) or one in (None, NOT_SENT) for one in (before, after)):
            yield change, before if isinstance(before, str) else "", after if isinstance(after, str) else ""
