"""What can be said of a comparison: its slots' settings, runs, figures and verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.comparison.board import LETTERS
from core.comparison.determinism import determinism, same_requests
from core.comparison.distance import groups, which_answers
from core.comparison.figure_verdict import figure_verdict
from core.comparison.figures import SlotFigures, slot_figures
from core.comparison.noise_floor import NoiseFloor, corrected, noise_floor
from core.comparison.output_diff import verdict
from core.comparison.record import Comparison
from core.comparison.runs import SlotRuns
from core.comparison.settings import Difference, differences
from core.comparison.votes import PART as VOTES
from core.comparison.votes import candidates, tally, votes_of
from core.outgoing import outgoing
from core.prices.pricing import PriceList
from core.prices.run_cost import RunCost, run_cost
from core.sweep.report import SweepReport


@dataclass(frozen=True, slots=True)
class SlotReport:
    """One slot: what it is set to now, what its runs sent and came to, and how it stands against the baseline (None for the baseline).

    ``changed`` are the settings it has differently; ``edited`` tells that it was edited after it ran; ``check`` is the verdict of a
    determinism check.
    """

    letter: str
    title: str
    settings: Mapping[str, Any]
    changed: tuple[Difference, ...]
    edited: bool
    runs: SlotRuns
    costs: tuple[RunCost, ...]
    figures: SlotFigures
    noise: NoiseFloor | None
    outputs: str
    check: str = ""

    @property
    def verdicts(self) -> tuple[str, ...]:
        """The sentences that say what to make of it, against the baseline."""
        noise = (self.noise.sentence, self.noise.next_step if self.noise.p_value is not None else "") if self.noise else ()
        return tuple(filter(None, (self.check, *noise, self.outputs)))


@dataclass(frozen=True, slots=True)
class Report:
    """A comparison with all that can be said of it, at ``made_at``, and the sweeps of its slots, the newest first.

    ``verdicts`` are the sentences on all slots together; ``left_out`` says in sentences what it has that could not be read.
    """

    comparison: Comparison
    slots: tuple[SlotReport, ...]
    made_at: datetime
    sweeps: tuple[SweepReport, ...] = ()
    left_out: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()


def report(
    comparison: Comparison,
    runs: Sequence[SlotRuns],
    prices: PriceList,
    *,
    made_at: datetime,
    sweeps: Sequence[SweepReport] = (),
    left_out: Sequence[str] = (),
) -> Report:
    """The report of a comparison whose runs were found as ``runs``; costs by ``prices``, as the page shows them."""
    figures = [slot_figures(of_slot.found, prices) for of_slot in runs]
    slots = tuple(_slots(comparison, runs, figures, prices))
    return Report(comparison, slots, made_at, tuple(sweeps), tuple(left_out), tuple(_verdicts(comparison, runs, figures)))


def _verdicts(comparison: Comparison, runs: Sequence[SlotRuns], figures: Sequence[SlotFigures]) -> Iterator[str]:
    """On figures, where there are repeats that are no copies; on votes, where there are any."""
    titles = [comparison.board.title(place) for place in range(len(figures))]
    if any(one.finished > 1 for one in figures) and not any(same_requests(of_slot.found) for of_slot in runs):
        found = figure_verdict(figures, titles)
        yield from filter(None, (*found.claims, found.remark))
    votes = tally(votes_of(comparison.parts.get(VOTES)), candidates(comparison.board))
    if votes.votes:
        yield f"Blind votes: {votes.sentence(titles)}"


def _slots(comparison: Comparison, runs: Sequence[SlotRuns], figures: Sequence[SlotFigures], prices: PriceList) -> Iterator[SlotReport]:
    board = comparison.board
    repeated = any(one.finished > 1 for one in figures)
    floors = _floors(comparison, runs, figures)
    for place, (of_slot, one) in enumerate(zip(runs, figures, strict=True)):
        settings = outgoing(board.slots[place].draft).body
        comparable = place > 0 and bool(figures[0].answers) and bool(one.answers)
        yield SlotReport(
            letter=LETTERS[place],
            title=board.title(place),
            settings=settings,
            changed=board.differences(place) if place else (),
            edited=was_edited(settings, of_slot),
            runs=of_slot,
            costs=tuple(run_cost(run, prices) for run in of_slot.found),
            figures=one,
            noise=floors.get(place) if repeated else None,
            outputs=_outputs(figures[0], one) if comparable else "",
            check=_check(of_slot, board.title(place)),
        )


def _check(runs: SlotRuns, title: str) -> str:
    return determinism(runs.found).sentence(title).removeprefix(f"{title}: ") if same_requests(runs.found) else ""


def _floors(comparison: Comparison, runs: Sequence[SlotRuns], figures: Sequence[SlotFigures]) -> dict[int, NoiseFloor]:
    """The noise floors by the place of their slot, corrected for how many there are; none for copies of one request with one seed."""
    if any(same_requests(of_slot.found) for of_slot in runs) or not figures or not figures[0].answers:
        return {}
    title = comparison.board.title
    found = {
        place: noise_floor(figures[0].answers, one.answers, name_a=title(0), name_b=title(place))
        for place, one in enumerate(figures[1:], 1)
        if one.answers
    }
    return dict(zip(found, corrected(list(found.values())), strict=True))


def was_edited(settings: Mapping[str, Any], runs: SlotRuns) -> bool:
    """Whether a slot would send something else now than its first run sent. A cache that was bypassed is no edit; neither is a seed
    that counts up, where the first run may be missing, nor the one that a determinism check chose."""
    any_seed = runs.missing or ("seed" not in settings and same_requests(runs.found))
    ignored = ("cache", "orq.cache", *(("seed",) if any_seed else ()))
    found = differences(runs.found[0].body, settings) if runs.found else ()
    return any(not one.path.startswith(ignored) for one in found)


def _outputs(baseline: SlotFigures, other: SlotFigures) -> str:
    before, after = (groups(one.answers)[0][0] for one in (baseline, other))
    return f"{which_answers(baseline.answers, other.answers)}: {verdict(before, after)}"
