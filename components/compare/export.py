"""A comparison as files: JSON, a report in Markdown, and both with charts in one archive."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from components.services import workspace
from core.comparison.charts import chart_images
from core.comparison.record import Comparison
from core.comparison.report import Report, file_stem, report, to_json, to_markdown, to_zip
from core.comparison.runs import board_runs


def export_comparison(comparison: Comparison, *, key: str) -> None:
    """Draw the buttons. A file is made when its button is pressed, of the runs as they are then."""
    stem = file_stem(comparison)
    st.caption("Settings, requests exactly as sent, outputs, figures, verdicts.")
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
    return report(comparison, runs, current.prices.prices, made_at=datetime.now(UTC))


def _markdown(made: Report) -> bytes:
    return to_markdown(made, chart_images([slot.figures for slot in made.slots])).encode()


def _zip(made: Report) -> bytes:
    return to_zip(made, chart_images([slot.figures for slot in made.slots]))
