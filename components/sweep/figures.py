"""What came out of a sweep: a row for every cell, a chart, and files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import streamlit as st

from components.services import workspace
from core.comparison.figures import COST
from core.sweep.cell_rows import FIGURES, CellRow, as_csv, call_records, cell_rows
from core.sweep.charts import MOST_BARS, are_beside, is_line, sweep_chart, sweep_image
from core.sweep.progress import SweepState

FORMATS: Final = {"first token": "%.3f s", "total": "%.3f s", "tokens/s": "%.1f", COST: "$%.4g"}
MOST_ROWS: Final = 1_000
"""Cells that the table shows; files have all of them."""


def figures(state: SweepState) -> None:
    """Draw the figures, in a box that is closed at first."""
    box = st.expander("Figures and files", icon=":material/monitoring:", key="sweep.figures", on_change="rerun")
    if not box.open:
        return
    with box:
        plan, runs = state.record.plan, workspace().sweeps.runs_of(state.record.id)
        rows = cell_rows(state, runs)
        if state.active:
            st.caption("As far as runs have been stored. It is drawn anew when the sweep ends, or when you press something.")
        charted = _chart(state, rows)
        st.dataframe(
            [_row(row) for row in rows[:MOST_ROWS]],
            key="sweep-figures-table",
            hide_index=True,
            height=min(420, 38 + 35 * len(rows)),
            column_config={name: st.column_config.NumberColumn(format=form) for name, form in FORMATS.items()},
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
            if charted is not None:
                st.download_button(
                    "PNG of the chart",
                    lambda: sweep_image(charted, plan.paths, rows, grid=plan.settings.mode == "grid") or b"",
                    f"{state.record.tag}-{charted.replace('/', ' per ').replace(' ', '-')}.png",
                    "image/png",
                    icon=":material/image:",
                    on_click="ignore",
                )


def _row(row: CellRow) -> dict[str, Any]:
    told = {"status": ", ".join(f"{count} {status}" for status, count in row.statuses.items())}
    reasons = ", ".join(f"{reason} ×{count}" if count > 1 else reason for reason, count in row.finish_reasons.items())
    return {**row.values, **told, **{name: row.median(name) for name in FIGURES}, "finish": reasons, "sent": row.tries}


def _chart(state: SweepState, rows: Sequence[CellRow]) -> str | None:
    """One figure of every cell, and its name; nothing where none is known yet."""
    paths, grid = state.record.plan.paths, state.record.plan.settings.mode == "grid"
    known = [name for name in FIGURES if any(row.median(name) is not None for row in rows)]
    if not known:
        return None
    name = (
        st.segmented_control(
            "Figure", known, key="sweep.colour", default="tokens out" if "tokens out" in known else known[0], required=True
        )
        or known[0]
    )
    chart = sweep_chart(name, paths, rows, grid=grid)
    if chart is not None:
        with st.container(key="sweep-chart"):
            st.altair_chart(chart, width="content" if grid and are_beside(paths, rows) else "stretch")
    if how := " ".join(_read(paths, rows, grid=grid)):
        st.caption(how)
    return name


def _read(paths: Sequence[str], rows: Sequence[CellRow], *, grid: bool) -> Iterator[str]:
    """How to read the chart, where that is not plain."""
    if grid and len(paths) > 1:
        others = paths[3:] if are_beside(paths, rows) else paths[2:]
        if others:
            yield f"The mean over {', '.join(others)}."
        return
    if any(row.statuses.get("finished", 0) > 1 for row in rows):
        yield "Medians, with their 95 % bootstrap intervals as lines, and a dot for every run."
    if len(rows) > MOST_BARS and not is_line(paths, rows):
        yield f"The first {MOST_BARS} of {len(rows):,} cells; the table and the files have all of them."
