"""A comparison as files: JSON, a report in Markdown, and both with charts in one archive."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from components.plain_text import plain
from components.services import workspace
from core.comparison.charts import chart_images
from core.comparison.record import Comparison
from core.comparison.report.as_json import to_json
from core.comparison.report.as_markdown import to_markdown
from core.comparison.report.as_zip import file_stem, to_zip
from core.comparison.report.report import Report, report
from core.comparison.runs import board_runs
from core.errors import StorageProblem
from core.sweep.charts import sweep_images
from core.sweep.report import SweepReport


def export_comparison(comparison: Comparison, *, key: str) -> None:
    """Draw the buttons. A file is made when its button is pressed, of the runs as they are then."""
    stem = file_stem(comparison)
    _, left_out = _sweeps(comparison.id)
    if left_out:
        st.warning(plain(left_out), icon=":material/database_off:")
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
    sweeps, left_out = _sweeps(comparison.id)
    return report(
        comparison, runs, current.prices.prices, made_at=datetime.now(UTC), sweeps=sweeps, left_out=[left_out] if left_out else []
    )


def _sweeps(comparison_id: str) -> tuple[list[SweepReport], str]:
    """The sweeps of the comparison, the newest first; while storage cannot be read none, and a sentence that says so."""
    sweeps = workspace().sweeps
    try:
        states = [sweeps.state(record.id) for record in sweeps.newest(comparison_id)]
        return [SweepReport.of(state, sweeps.runs_of(state.record.id)) for state in states if state is not None], ""
    except StorageProblem as problem:
        return [], f"Sweeps are left out, if there are any: storage does not answer now. {problem.cause} {problem.next_step}".strip()


def _charts(made: Report) -> dict[str, bytes]:
    return {**chart_images([slot.figures for slot in made.slots]), **sweep_images(made.sweeps)}


def _markdown(made: Report) -> bytes:
    return to_markdown(made, _charts(made)).encode()


def _zip(made: Report) -> bytes:
    return to_zip(made, _charts(made))
