"""A comparison as files: JSON, a report in Markdown, and both with charts in one archive."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from components.services import workspace
from core.comparison.charts import chart_images, sweep_images
from core.comparison.record import Comparison
from core.comparison.report import Report, file_stem, report, to_json, to_markdown, to_zip
from core.comparison.runs import board_runs
from core.errors import StorageProblem
from core.sweep.report import SweepReport


def export_comparison(comparison: Comparison, *, key: str) -> None:
    """Draw the buttons. A file is made when its button is pressed, of the runs as they are then."""
    stem = file_stem(comparison)
    st.caption("Settings, requests exactly as sent, outputs, figures, verdicts, sweeps.")
    for label, ending, mime, icon, made in (
        ("JSON", "json", "application/json", "data_object", lambda: to_json(_report(comparison.id, comparison))),
        ("Markdown report", "md", "text/markdown", "description", lambda: _markdown(_report(comparison.id, comparison))),
        ("Both, zipped", "zip", "application/zip", "folder_zip", lambda: _zip(_report(comparison.id, comparison))),
    ):
        st.download_button(
            label, made, f"{stem}.{ending}", mime, key=f"{key}.{ending}", icon=f":material/{icon}:", type="tertiary", on_click="ignore"
        )


def _report(comparison_id: str, drawn: Comparison) -> Report:
    current = workspace()
    comparison = current.comparisons.current(comparison_id) or drawn
    runs = board_runs(comparison.board, current.hub, current.runs)
    return report(comparison, runs, current.prices.prices, made_at=datetime.now(UTC), sweeps=_sweeps(comparison.id))


def _sweeps(comparison_id: str) -> list[SweepReport]:
    """The sweeps of the comparison, the newest first; none while storage cannot be read."""
    sweeps = workspace().sweeps
    try:
        states = [sweeps.state(record.id) for record in sweeps.newest(comparison_id)]
        return [SweepReport.of(state, sweeps.runs_of(state.record.id)) for state in states if state is not None]
    except StorageProblem:
        return []


def _charts(made: Report) -> dict[str, bytes]:
    return {**chart_images([slot.figures for slot in made.slots]), **sweep_images(made.sweeps)}


def _markdown(made: Report) -> bytes:
    return to_markdown(made, _charts(made)).encode()


def _zip(made: Report) -> bytes:
    return to_zip(made, _charts(made))
