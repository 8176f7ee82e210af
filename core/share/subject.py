"""What somebody is about to share, whole: settings, a run, a comparison. ``core.share.freezing`` makes a snapshot of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.comparison.board import Board
from core.comparison.figures import slot_figures
from core.comparison.interval import Interval
from core.comparison.noise_floor import noise_floor
from core.outgoing import draft_of, outgoing
from core.prices.pricing import PriceList
from core.prices.run_cost import RunCost, run_cost
from core.run import RunSnapshot


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """A run, and what it cost where that is known."""

    run: RunSnapshot
    cost: RunCost | None = None


@dataclass(frozen=True, slots=True)
class SubjectSlot:
    """One request with its runs; ``figures`` as in ``core.comparison.figures``."""

    request: Mapping[str, Any]
    runs: tuple[ObservedRun, ...] = ()
    name: str = ""
    own_prompt: bool = False
    figures: Mapping[str, Interval | None] | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """``kind`` is the snapshot's; a preset and a run have one slot. ``name``, ``description`` and ``tags`` are a preset's."""

    kind: str
    slots: tuple[SubjectSlot, ...]
    name: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    repeats: int = 1
    keep_cache: bool = False
    verdicts: tuple[str, ...] = ()

    @property
    def requests(self) -> list[Mapping[str, Any]]:
        """The request of every slot, and of every run, whose seed may be another one."""
        return [body for slot in self.slots for body in (slot.request, *(one.run.body for one in slot.runs))]

    @property
    def runs(self) -> Iterator[RunSnapshot]:
        """Every run."""
        return (one.run for slot in self.slots for one in slot.runs)

    @property
    def problem(self) -> str | None:
        """Why this cannot be shared: a request that is not one; None when it can."""
        if any(not run.ended for run in self.runs):
            return "A run is still under way. Wait for its end, or stop it."
        if self.kind == "run":
            return None
        for place, slot in enumerate(self.slots):
            found = [one for one in request_problems(slot.request) if one]
            if found:
                where = f"{chr(ord('A') + place)}: " if len(self.slots) > 1 else ""
                return f"{where}{found[0]}"
        return None


def request_problems(request: Mapping[str, Any]) -> list[str]:
    """What the contract refuses in a request, less that ``model`` or ``prompt`` is missing: both may have been left out."""
    body = dict(request)
    for name in ("model", "prompt"):
        body.setdefault(name, "-")
    return [problem.sentence for problem in outgoing(draft_of(body)).problems]


def preset_subject(draft: Mapping[str, Any], *, name: str = "", description: str = "", tags: Sequence[str] = ()) -> Subject:
    """A draft's settings (``core.draft``), with or without a preset's name."""
    return Subject("preset", (SubjectSlot(outgoing(draft).body),), name, description, tuple(tags))


def run_subject(run: RunSnapshot, cost: RunCost | None = None) -> Subject:
    """A run that has ended."""
    return Subject("run", (SubjectSlot(run.body, (ObservedRun(run, cost),)),))


def comparison_subject(
    board: Board,
    runs: Sequence[Sequence[RunSnapshot]],
    prices: PriceList,
    *,
    name: str = "",
    description: str = "",
    tags: Sequence[str] = (),
) -> Subject:
    """A comparison with the runs of each of its slots (none for settings alone)."""
    found = [slot_figures(of_slot, prices) for of_slot in runs]
    slots = tuple(
        SubjectSlot(
            outgoing(one.draft).body,
            tuple(ObservedRun(run, run_cost(run, prices)) for run in of_slot if run.ended),
            one.name,
            one.own_prompt,
            figures.figures if figures.finished else None,
        )
        for one, of_slot, figures in zip(board.slots, runs, found, strict=True)
    )
    answers = [one.answers for one in found]
    verdicts = []
    if answers and answers[0] and any(len(texts) > 1 for texts in answers):
        for place, texts in enumerate(answers[1:], 1):
            if texts:
                floor = noise_floor(answers[0], texts, name_a=board.title(0), name_b=board.title(place))
                verdicts.append(" ".join(part for part in (floor.sentence, floor.next_step if floor.p_value is not None else "") if part))
    return Subject("comparison", slots, name, description, tuple(tags), board.repeats, board.keep_cache, tuple(verdicts))
