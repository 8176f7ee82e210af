"""The figures of a comparison as charts, and as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import streamlit as st

from core.comparison.board import LETTERS
from core.comparison.charts import all_in_one, figure_charts
from core.comparison.figures import SlotFigures


def charts(figures: Sequence[SlotFigures]) -> None:
    """Draw the charts, in a box that is closed at first."""
    box = st.expander("Charts and files", icon=":material/bar_chart:", key="compare.charts", on_change="rerun")
    if not box.open:
        return
    with box:
        with st.container(horizontal=True, gap="medium", key="compare-charts"):
            for chart in figure_charts(figures).values():
                st.altair_chart(chart, width="content")
        if any(one.finished > 1 for one in figures):
            st.caption("Bars are medians, lines their 95 % bootstrap intervals, dots the runs.")
        with st.container(horizontal=True, gap="small", key="compare-chart-files"):
            st.download_button("CSV", figures_csv(figures), "figures.csv", "text/csv", icon=":material/download:", on_click="ignore")
            st.download_button(
                "PNG", lambda: all_in_one(figures) or b"", "figures.png", "image/png", icon=":material/image:", on_click="ignore"
            )


def figures_csv(figures: Sequence[SlotFigures]) -> str:
    """A row for every slot and figure: the median, its interval, and how many runs told it. What is unknown is empty."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["slot", "figure", "median", "low", "high", "runs"])
    for place, one in enumerate(figures):
        for name, interval in one.figures.items():
            if interval is not None:
                low, high = ("" if bound is None else bound for bound in (interval.low, interval.high))
                writer.writerow([LETTERS[place], name, interval.median, low, high, interval.n])
    return out.getvalue()
