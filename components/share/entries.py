"""Where Share is offered: the Playground, Compare, a run or a comparison of the History, a preset."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from components import session
from components.parameter_form import collect
from components.services import workspace
from components.share.share_sheet import Subjects, share_button
from core.comparison.board import Board
from core.comparison.runs import board_runs
from core.preset.content import ComparisonContent
from core.preset.preset import Preset, Version
from core.prices.run_cost import RunCost, run_cost
from core.share.freezing import NotShared
from core.share.subject import Subject, comparison_subject, preset_subject, run_subject
from core.storage.run_record import StoredRun

if TYPE_CHECKING:
    from components.runs.run_column import Slot


def share_playground(slot: Slot) -> None:
    """The run that is shown, once it has ended, or the draft alone."""
    run, current = slot.run, workspace()
    draft = {"Only the settings": lambda: preset_subject(collect(slot.name, session.draft(slot.name) or slot.draft))}
    if run is not None and run.ended:
        share_button({"This run": lambda: run_subject(run, run_cost(run, current.prices.prices)), **draft}, key="share.open")
    else:
        share_button(draft, key="share.open")


def share_comparison() -> None:
    """The open comparison with its runs, or its settings alone."""
    from components.compare import desk

    def kept_name() -> str:
        kept = workspace().comparisons.current(session.comparison.current_id() or "")
        return kept.name if kept else ""

    share_button(_comparison(lambda: (desk.collected(), kept_name())), key="share.open", tertiary=True)


def share_kept_comparison(comparison_id: str | None) -> None:
    """A comparison as it is kept, with its runs, or its settings alone; nothing to press with None."""

    def kept() -> tuple[Board, str]:
        found = workspace().comparisons.find(comparison_id or "")
        if found is None:
            raise NotShared("This comparison is gone.", "Look for another one.")
        return found.board.shared(), found.name

    share_button(_comparison(kept), key="comparisons.share", disabled=comparison_id is None)


def _comparison(found: Callable[[], tuple[Board, str]]) -> Subjects:
    """The two ways to share the comparison that ``found`` gives, with its name."""

    def subject(*, runs: bool) -> Subject:
        current, (board, name) = workspace(), found()
        of_slots = [list(of_slot.found) if runs else [] for of_slot in board_runs(board, current.hub, current.runs)]
        return comparison_subject(board, of_slots, current.prices.prices, name=name)

    return {"With outputs": partial(subject, runs=True), "Only the settings": partial(subject, runs=False)}


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
