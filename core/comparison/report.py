"""A comparison to take away: everything as JSON, or a report to read as Markdown, alone or in a .zip with its charts."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from core.comparison.board import LETTERS
from core.comparison.determinism import same_requests
from core.comparison.distance import groups
from core.comparison.figure_text import figure_text
from core.comparison.figures import COST, MEASURES, SlotFigures, slot_figures
from core.comparison.interval import Interval
from core.comparison.markdown import fenced, table, text
from core.comparison.noise_floor import NoiseFloor, corrected, noise_floor
from core.comparison.output_diff import verdict
from core.comparison.record import Comparison
from core.comparison.runs import SlotRuns
from core.comparison.settings import NOT_SENT, Difference, differences
from core.outgoing import outgoing
from core.prices.pricing import PriceList
from core.prices.run_cost import RunCost, run_cost
from core.run import RunSnapshot
from core.storage.run_record import StoredRun
from core.sweep.cell_rows import as_csv
from core.sweep.report import SweepReport

FORMAT: Final = "router-playground.comparison/1"

Charts = Mapping[str, bytes]
"""PNG images by their titles, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class SlotReport:
    """One slot: what it is set to now, what its runs sent and came to, and how it stands against the baseline (None for the baseline).

    ``changed`` are the settings it has differently; ``edited`` tells that it was edited after it ran.
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

    @property
    def verdicts(self) -> tuple[str, ...]:
        """The sentences that say what to make of it, against the baseline."""
        noise = (self.noise.sentence, self.noise.next_step if self.noise.p_value is not None else "") if self.noise else ()
        return tuple(filter(None, (*noise, self.outputs)))


@dataclass(frozen=True, slots=True)
class Report:
    """A comparison with all that can be said of it, at ``made_at``, and the sweeps of its slots, the newest first.

    ``left_out`` says in sentences what it has that could not be read.
    """

    comparison: Comparison
    slots: tuple[SlotReport, ...]
    made_at: datetime
    sweeps: tuple[SweepReport, ...] = ()
    left_out: tuple[str, ...] = ()


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
    return Report(comparison, tuple(_slots(comparison, runs, figures, prices)), made_at, tuple(sweeps), tuple(left_out))


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
        )


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
    that counts up, where the first run may be missing."""
    ignored = ("cache", "orq.cache", *(("seed",) if runs.missing else ()))
    found = differences(runs.found[0].body, settings) if runs.found else ()
    return any(not one.path.startswith(ignored) for one in found)


def _outputs(baseline: SlotFigures, other: SlotFigures) -> str:
    before, after = (groups(one.answers)[0][0] for one in (baseline, other))
    often = "The most frequent answers" if max(baseline.finished, other.finished) > 1 else "The answers"
    return f"{often}: {verdict(before, after)}"


# JSON


def to_json(made: Report) -> bytes:
    """The whole comparison: its document, requests exactly as sent, outputs, figures and verdicts.

    ``runs`` of a slot are as an export of runs has them, ``document`` as the comparison is stored.
    """
    comparison = made.comparison
    whole = {
        "format": FORMAT,
        "made_at": made.made_at.isoformat(),
        "id": comparison.id,
        "name": comparison.name,
        "note": comparison.note,
        "tags": list(comparison.tags),
        "created_at": comparison.created_at.isoformat(),
        "updated_at": comparison.updated_at.isoformat(),
        "left_out": list(made.left_out),
        "slots": [_slot_json(slot) for slot in made.slots],
        "sweeps": [sweep.to_json() for sweep in made.sweeps],
        "document": comparison.document,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _slot_json(slot: SlotReport) -> dict[str, Any]:
    noise = slot.noise
    return {
        "letter": slot.letter,
        "title": slot.title,
        "settings": dict(slot.settings),
        "differences": [_difference_json(one) for one in slot.changed],
        "edited_since_it_ran": slot.edited,
        "figures": {name: _interval_json(interval) for name, interval in slot.figures.figures.items()},
        "finish_reasons": dict(slot.figures.finish_reasons),
        "finished_runs": slot.figures.finished,
        "missing_runs": slot.runs.missing,
        "noise_floor": noise
        and {name: getattr(noise, name) for name in ("k_a", "k_b", "within_a", "within_b", "between", "p_value", "exact", "differs")},
        "verdicts": list(slot.verdicts),
        "runs": [_run(run, cost).to_json() for run, cost in zip(slot.runs.found, slot.costs, strict=True)],
    }


def _run(run: RunSnapshot, cost: RunCost) -> StoredRun:
    return replace(StoredRun.of(run), cost_usd=cost.usd, cost_detail=cost.detail())


def _difference_json(one: Difference) -> dict[str, Any]:
    sides = (("before", one.before), ("after", one.after))
    return {"path": one.path, "text": one.text, **{side: value for side, value in sides if value is not NOT_SENT}}


def _interval_json(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else {"median": interval.median, "low": interval.low, "high": interval.high, "n": interval.n}


# Markdown


def to_markdown(made: Report, charts: Charts | None = None) -> str:
    """The report. ``charts`` are embedded as data addresses."""
    addresses = {title: "data:image/png;base64," + base64.b64encode(png).decode("ascii") for title, png in (charts or {}).items()}
    return "\n".join(_markdown(made, addresses)).rstrip() + "\n"


def to_zip(made: Report, charts: Charts | None = None) -> bytes:
    """``comparison.md``, ``comparison.json``, the charts as PNG files that the report shows, and each sweep's calls as CSV."""
    files = {f"charts/{number:02}-{_file_name(title)}.png": (title, png) for number, (title, png) in enumerate((charts or {}).items(), 1)}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("comparison.md", "\n".join(_markdown(made, {title: name for name, (title, _) in files.items()})).rstrip() + "\n")
        archive.writestr("comparison.json", to_json(made))
        for number, sweep in enumerate(made.sweeps, 1):
            archive.writestr(f"sweeps/{number:02}-{_file_name(sweep.name)}.csv", as_csv(sweep.records))
        for name, (_, png) in files.items():
            archive.writestr(name, png)
    return packed.getvalue()


def _markdown(made: Report, charts: Mapping[str, str]) -> Iterator[str]:
    comparison = made.comparison
    yield f"# {text(comparison.title)}"
    yield ""
    moments = f"changed {comparison.updated_at:%Y-%m-%d %H:%M} UTC, written {made.made_at:%Y-%m-%d %H:%M} UTC"
    yield f"{len(made.slots)} slots, {len(comparison.run_ids)} runs, {moments}."
    for sentence in made.left_out:
        yield f"\n**{text(sentence)}**"
    if comparison.tags:
        yield f"\nTags: {', '.join(map(text, comparison.tags))}"
    if comparison.note:
        yield from ("", *(f"> {text(line)}" for line in comparison.note.splitlines()))
    if isinstance(comparison.board.prompt, str):
        yield from ("", "## Prompt", "", *fenced(comparison.board.prompt))
    yield from ("", "## Settings", "", *_settings(made))
    yield from ("", "## Figures", "", *_figures(made))
    yield from _verdicts(made)
    if charts:
        yield from ("", "## Charts")
        for title, address in charts.items():
            yield from ("", f"![{text(title)}]({address})")
    for sweep in made.sweeps:
        yield from ("", *sweep.markdown())
    yield from ("", "## Outputs", *(line for slot in made.slots for line in _slot_outputs(slot)))
    yield from ("", "## Requests as sent", *(line for slot in made.slots for line in _slot_requests(slot)))


def _settings(made: Report) -> Iterator[str]:
    yield from table(
        ("slot", "model", "against the baseline"),
        ((slot.title, str(slot.settings.get("model", "")), _against(slot, place)) for place, slot in enumerate(made.slots)),
    )
    edited = [slot.letter for slot in made.slots if slot.edited]
    if edited:
        yield f"\nEdited after it ran, so that the figures are of other settings: {', '.join(edited)}."
    own = {name: value for name, value in made.slots[0].settings.items() if name not in ("model", "prompt")}
    yield from ("", f"{made.slots[0].letter}, the baseline, sets:", "", *fenced(json.dumps(own, indent=2, ensure_ascii=False), "json"))


def _against(slot: SlotReport, place: int) -> str:
    return "baseline" if place == 0 else ", ".join(one.text for one in slot.changed) or "nothing"


def _figures(made: Report) -> Iterator[str]:
    names = [name for name in (*MEASURES, COST) if any(slot.figures.figures[name] for slot in made.slots)]
    rows = (
        (
            slot.title,
            f"{slot.figures.finished} of {slot.figures.runs}",
            *(figure_text(name, slot.figures.figures[name]) for name in names),
            ", ".join(f"{reason} ×{count}" for reason, count in slot.figures.finish_reasons) or "–",
        )
        for slot in made.slots
    )
    yield from table(("slot", "finished", *names, "finish reasons"), rows)
    yield "\nMedians over the runs that finished, with 95 % bootstrap intervals where there are several."
    for slot in made.slots:
        if slot.runs.sentence:
            yield f"\n{slot.letter}: {slot.runs.sentence}"


def _verdicts(made: Report) -> Iterator[str]:
    said = [(slot, slot.verdicts) for slot in made.slots if slot.verdicts]
    if said:
        yield from ("", "## Verdicts", "")
        yield from (f"- {text(slot.title)}: {' '.join(map(text, sentences))}" for slot, sentences in said)


def _slot_outputs(slot: SlotReport) -> Iterator[str]:
    yield from ("", f"### {text(slot.title)}")
    if not slot.runs.found:
        yield from ("", "No runs.")
    for same, alike in groupby(enumerate(slot.runs.found, 1), key=lambda one: (one[1].status, tuple(sorted(one[1].choices.items())))):
        numbers = [number for number, _ in alike]
        yield from ("", _heading(same[0], numbers, slot))
        run = slot.runs.found[numbers[0] - 1]
        if run.error:
            yield from ("", f"**{text(run.error.cause)}** {text(run.error.next_step)}")
        for index, (said, reason) in same[1]:
            label = f"choice {index + 1}, " if len(same[1]) > 1 else ""
            yield from ("", f"{label}finish reason {text(reason or 'none')}:", "", *fenced(said))


def _heading(status: str, numbers: Sequence[int], slot: SlotReport) -> str:
    alone = len(slot.runs.found) == 1
    which = "" if alone else f"run {numbers[0]}: " if len(numbers) == 1 else f"runs {numbers[0]} to {numbers[-1]}, identical: "
    run = slot.runs.found[numbers[0] - 1]
    by = f", answered by {text(run.model)}" if run.model else ""
    return f"{which}{status}{by}"


def _slot_requests(slot: SlotReport) -> Iterator[str]:
    for sent, alike in groupby(enumerate(slot.runs.found, 1), key=lambda one: one[1].sent):
        numbers = [number for number, _ in alike]
        run = slot.runs.found[numbers[0] - 1]
        count = f" ×{len(numbers)}" if len(numbers) > 1 else ""
        yield from ("", f"{text(slot.title)}{count}, to {text(run.connection_name)}:", "", *fenced(sent.decode("utf-8", "replace"), "json"))


def _file_name(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "chart"


def file_stem(comparison: Comparison) -> str:
    """What a file with the comparison is called, without its ending."""
    return f"comparison-{_file_name(comparison.name)}" if comparison.name else f"comparison-{comparison.id[:8]}"
