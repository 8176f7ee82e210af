"""What came out of a sweep: a row for every cell, a heat map of two axes, and files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from components.services import workspace
from core.comparison.charts import heat_image, heat_map
from core.sweep.cell_rows import FIGURES, CellRow, as_csv, call_records, cell_rows
from core.sweep.progress import SweepState

MOST_ROWS: Final = 1_000
"""Cells that the table shows; files have all of them."""


def figures(state: SweepState) -> None:
    """Draw the figures, in a box that is closed at first."""
    box = st.expander("Figures and files", icon=":material/monitoring:", key="sweep.figures", on_change="rerun")
    if not box.open:
        return
    with box:
        runs = workspace().sweeps.runs_of(state.record.id)
        rows = cell_rows(state, runs)
        if state.active:
            st.caption("As far as runs have been stored. It is drawn anew when the sweep ends, or when you press something.")
        heated = _heat_map(state, rows)
        st.dataframe(
            [_row(row) for row in rows[:MOST_ROWS]], key="sweep-figures-table", hide_index=True, height=min(420, 38 + 35 * len(rows))
        )
        if any(max(row.statuses.values(), default=0) > 1 for row in rows):
            st.caption("Medians of the repeats that finished.")
        records = call_records(state, runs)
        with st.container(horizontal=True, gap="small", key="sweep-files"):
            st.download_button("CSV", as_csv(records), f"{state.record.tag}.csv", "text/csv", icon=":material/download:", on_click="ignore")
            lines = "".join(json.dumps(record, ensure_ascii=False, default=str) + "\n" for record in records)
            st.download_button(
                "JSONL", lines, f"{state.record.tag}.jsonl", "application/jsonl", icon=":material/download:", on_click="ignore"
            )
            if heated is not None:
                st.download_button(
                    "PNG of the heat map",
                    lambda: heat_image(heated, state.record.plan.paths, rows) or b"",
                    f"{state.record.tag}-{heated.replace('/', ' per ').replace(' ', '-')}.png",
                    "image/png",
                    icon=":material/image:",
                    on_click="ignore",
                )


def _row(row: CellRow) -> dict[str, Any]:
    told = {"status": ", ".join(f"{count} {status}" for status, count in row.statuses.items())}
    reasons = ", ".join(f"{reason} ×{count}" if count > 1 else reason for reason, count in row.finish_reasons.items())
    return {**row.values, **told, **{name: row.median(name) for name in FIGURES}, "finish": reasons, "sent": row.tries}


def _heat_map(state: SweepState, rows: Sequence[CellRow]) -> str | None:
    """Two axes against one figure, and its name; nothing where there is one axis only, or no figure yet."""
    paths = state.record.plan.paths
    known = [name for name in FIGURES if any(row.median(name) is not None for row in rows)]
    if len(paths) < 2 or state.record.plan.settings.mode != "grid" or not known:
        return None
    name = (
        st.segmented_control(
            "Colour", known, key="sweep.colour", default="tokens out" if "tokens out" in known else known[0], required=True
        )
        or known[0]
    )
    chart = heat_map(name, paths, rows)
    if chart is not None:
        with st.container(key="sweep-heat"):
            st.altair_chart(chart)
    if len(paths) > 2:
        st.caption(f"The mean over {', '.join(paths[2:])}.")
    return name
