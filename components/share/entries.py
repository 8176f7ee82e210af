"""Where Share is offered: the Playground, Compare, a run of the History, a preset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components import session
from components.parameter_form import collect
from components.services import workspace
from components.share.share_sheet import share_button
from core.comparison.runs import board_runs
from core.preset.content import ComparisonContent
from core.preset.preset import Preset, Version
from core.run_cost import RunCost, run_cost
from core.share.subject import Subject, comparison_subject, preset_subject, run_subject
from core.storage.run_record import StoredRun

if TYPE_CHECKING:
    from components.run_column import Slot


def share_playground(slot: Slot) -> None:
    """The run that is shown, once it has ended, or the draft alone."""
    run, current = slot.run, workspace()
    draft = {"Only the settings": lambda: preset_subject(collect(slot.name, session.draft(slot.name) or slot.draft))}
    if run is not None and run.ended:
        share_button({"This run": lambda: run_subject(run, run_cost(run, current.prices.prices)), **draft}, key="share.open")
    else:
        share_button(draft, key="share.open")


def share_comparison() -> None:
    """The comparison with its runs, or its settings alone."""
    share_button(
        {"With outputs": lambda: _comparison(runs=True), "Only the settings": lambda: _comparison(runs=False)},
        key="share.open",
        tertiary=True,
    )


def _comparison(*, runs: bool) -> Subject:
    from components.compare import desk

    board, current = desk.collected(), workspace()
    found = [list(of_slot.found) if runs else [] for of_slot in board_runs(board, current.hub, current.runs)]
    kept = current.comparisons.current(session.comparison_id() or "")
    return comparison_subject(board, found, current.prices.prices, name=kept.name if kept else "")


def share_run(run: StoredRun) -> None:
    """A run as it is stored, with the cost it had."""
    reason = str((run.cost_detail or {}).get("reason") or "no price was known when it ran")
    share_button({"This run": lambda: run_subject(run.snapshot, RunCost(run.cost_usd, reason))}, key="share.open")


def share_preset(preset: Preset, version: Version) -> None:
    """A preset's version."""
    described, content = preset.label, version.content

    def subject() -> Subject:
        if isinstance(content, ComparisonContent):
            board = content.board
            none: list[list[object]] = [[] for _ in board.slots]
            about = {"name": described.name, "description": described.description}
            return comparison_subject(board, none, workspace().prices.prices, tags=described.tags, **about)  # type: ignore[arg-type]
        return preset_subject(content.draft, name=described.name, description=described.description, tags=described.tags)

    share_button({"This preset": subject}, key="share.open")
