"""A comparison's report to read."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from core.comparison.figure_text import figure_text
from core.comparison.figures import COST, MEASURES
from core.comparison.markdown import fenced, table, text
from core.comparison.report.report import Report, SlotReport

Charts = Mapping[str, bytes]
"""PNG images by their titles, in the order in which they are shown."""


def to_markdown(made: Report, charts: Charts | None = None) -> str:
    """The report. ``charts`` are embedded as data addresses."""
    addresses = {title: "data:image/png;base64," + base64.b64encode(png).decode("ascii") for title, png in (charts or {}).items()}
    return with_charts_at(made, addresses)


def with_charts_at(made: Report, addresses: Mapping[str, str]) -> str:
    """The report with charts that lie elsewhere: their addresses by their titles, in the order in which they are shown."""
    return "\n".join(_lines(made, addresses)).rstrip() + "\n"


def _lines(made: Report, charts: Mapping[str, str]) -> Iterator[str]:
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
    if said or made.verdicts:
        yield from ("", "## Verdicts", "")
        yield from (f"- {text(slot.title)}: {' '.join(map(text, sentences))}" for slot, sentences in said)
        yield from (f"- {text(sentence)}" for sentence in made.verdicts)


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
