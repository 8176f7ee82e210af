"""What came out of a sweep: a row for every cell, a heat map of two axes, and files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import streamlit as st

from components.services import workspace
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
        _heat_map(state, rows)
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


def _row(row: CellRow) -> dict[str, Any]:
    told = {"status": ", ".join(f"{count} {status}" for status, count in row.statuses.items())}
    reasons = ", ".join(f"{reason} ×{count}" if count > 1 else reason for reason, count in row.finish_reasons.items())
    return {**row.values, **told, **{name: row.median(name) for name in FIGURES}, "finish": reasons, "sent": row.tries}


def _heat_map(state: SweepState, rows: Sequence[CellRow]) -> None:
    """Two axes against one figure; nothing where there is one axis only, or no figure yet."""
    paths = state.record.plan.paths
    known = [name for name in FIGURES if any(row.median(name) is not None for row in rows)]
    if len(paths) < 2 or state.record.plan.settings.mode != "grid" or not known:
        return
    name = (
        st.segmented_control(
            "Colour", known, key="sweep.colour", default="tokens out" if "tokens out" in known else known[0], required=True
        )
        or known[0]
    )
    down, across = paths[0], paths[1]
    order = [list(dict.fromkeys(row.values[path] for row in rows)) for path in (down, across)]
    data = [
        {"down": row.values[down], "across": row.values[across], "figure": row.median(name)} for row in rows if row.median(name) is not None
    ]
    base = alt.Chart(alt.InlineData(values=data)).encode(
        x=alt.X("across:N", title=across, sort=order[1], axis=alt.Axis(labelAngle=0)), y=alt.Y("down:N", title=down, sort=order[0])
    )
    squares = base.mark_rect().encode(
        color=alt.Color("mean(figure):Q", title=name, scale=alt.Scale(scheme="viridis")),
        tooltip=[
            alt.Tooltip("down:N", title=down),
            alt.Tooltip("across:N", title=across),
            alt.Tooltip("mean(figure):Q", title=name, format=",.4~g"),
        ],
    )
    with st.container(key="sweep-heat"):
        st.altair_chart(squares.properties(height=min(360, 60 + 34 * len(order[0]))))
    if len(paths) > 2:
        st.caption(f"The mean over {', '.join(paths[2:])}.")
