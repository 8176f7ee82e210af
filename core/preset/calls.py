"""What a preset comes to when it is run: each slot's calls, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.comparison.repeats import cache_trap, repeated, uncached
from core.errors import InvalidPreset, InvalidRequest, Problem
from core.preset.content import ComparisonContent, Content
from core.preset.preset import NewPreset


@dataclass(frozen=True, slots=True)
class SlotCalls:
    """The bodies that one slot sends, one a repeat; a draft's ``title`` is empty, a slot's is its letter and name."""

    title: str
    bodies: tuple[dict[str, Any], ...]


def calls_of(content: Content) -> tuple[SlotCalls, ...]:
    """Every slot's calls; as Compare does, the cache is left out where it would answer repeats, unless the comparison keeps it.

    InvalidRequest with every problem of every slot; then nothing may be sent.
    """
    sent = content.sent()
    problems = [
        Problem(f"{title[:1]}.{problem.path}" if title else problem.path, problem.message)
        for title, leaving in sent
        for problem in leaving.problems
    ]
    if problems:
        raise InvalidRequest(tuple(problems))
    bodies, repeats = [leaving.body for _, leaving in sent], 1
    if isinstance(content, ComparisonContent):
        repeats = content.repeats
        if not content.keep_cache and cache_trap(bodies, repeats):
            bodies = [uncached(body) for body in bodies]
    return tuple(SlotCalls(title, tuple(repeated(body, repeats))) for (title, _), body in zip(sent, bodies, strict=True))


def chosen(presets: tuple[NewPreset, ...], name: str | None, file: str) -> NewPreset:
    """The preset of that name; the only one without a name. InvalidPreset says which there are."""
    found = [one for one in presets if name is None or one.label.name == name]
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted({one.label.name for one in presets})[:20])
    if not found:
        raise InvalidPreset(f"{file} has no preset “{name}”; there are: {names}.")
    what = f"{len(found)} presets of that name" if name else f"{len(presets)} presets"
    raise InvalidPreset(f"{file} has {what}.", f"Say which one by --preset NAME; there are: {names}.")
