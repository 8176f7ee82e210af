"""Charts of the runs of a filter over time, and what identities, threads and models used."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from components.history.figure_charts import DOLLARS, FigureCharts, colors
from components.history.figure_series import FAILED, UNTOLD, FigureSeries, Row, table_rows
from components.plain_text import escaped, plain
from components.services import workspace
from core.prices.pricing import dollars
from core.storage.run_figures import Figures, Grouping
from core.storage.run_query import RunFilter
from core.time_buckets import bucket_in_words, bucket_of

BY_MODEL, TOGETHER = "By model", "All models together"
SECONDS: Final = st.column_config.NumberColumn(format="%.3f s")
COLUMNS: Final[dict[str, Any]] = {
    "from": st.column_config.DatetimeColumn("from (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
    "cost in $": st.column_config.TextColumn(alignment="right"),
    **dict.fromkeys(("first token p50", "first token p95", "total p50", "total p95"), SECONDS),
}
LINES: Final = "Solid, dots: the median. Dashed, triangles: the 95th percentile."
NO_TIME: Final = "No run here has a time."
EMPTY: Final = "No run fits, so there is nothing to draw."
HOW: Final[dict[Grouping, str]] = {
    "identity": "No run here has an identity. Set `orq.identity` (its `id`) in the Playground, under *Identity and trace*, and runs are "
    "counted for whom they were made.",
    "thread": "No run here belongs to a thread. Set `orq.thread` (its `id`) in the Playground, under *Identity and trace*, and the runs "
    "of a conversation are counted together.",
}


def run_charts(which: RunFilter) -> None:
    """Draw the charts of a filter: runs, tokens, cost, first token and total time."""
    span = workspace().figures.span(which)
    if span is None:
        st.info(EMPTY, icon=":material/bar_chart:")
        return
    split = st.segmented_control(
        "Show", [BY_MODEL, TOGETHER], default=BY_MODEL, required=True, key="history.charts.split", persist_state="session"
    )
    by_model = split == BY_MODEL
    bucket = bucket_of(span[1] - span[0])
    with st.spinner("Counting…"):
        figures = workspace().figures.over_time(which, bucket, "model_answered" if by_model else None)
    series = FigureSeries(figures, bucket, by_model=by_model)
    _legend(series)
    st.caption(f"{_runs(series.total)}. A bar or a point is {bucket_in_words(bucket)}; times are UTC.")
    _charts(series)
    _table(list(table_rows(figures, by_model=by_model)))


def _legend(series: FigureSeries) -> None:
    """The colours of all charts, once."""
    swatches = "".join(
        f'<span style="display:inline-flex;align-items:center;gap:.4em;max-width:100%">'
        f'<i style="flex:none;width:.75em;height:.75em;border-radius:2px;background:{color}"></i>'
        f'<span style="overflow-wrap:anywhere">{escaped(name, 80)}</span></span>'
        for name, color in colors(series.names).items()
        if name != FAILED or series.failed
    )
    st.html(f'<div style="display:flex;flex-wrap:wrap;gap:.25em 1.25em;font-size:.875rem">{swatches}</div>')


def _charts(series: FigureSeries) -> None:
    charts = FigureCharts(series.names, series.domain)
    named = [("when", "from"), ("series", "model")]
    said = f"{series.failed:,} of {series.total:,} failed or were interrupted." if series.failed else "None failed or was interrupted."
    _one("Runs", said, charts.bars(series.runs(), "runs", tooltip=[*named, ("value", "runs")]))
    left, right = st.columns(2, gap="medium")
    with left:
        tokens = series.tokens()
        chart = charts.bars(tokens, "tokens", tooltip=[*named, ("kind", "in or out"), ("value", "tokens")]) if tokens else None
        _one("Tokens", "Solid: in (the prompt). Faint: out (the completion).", chart, "No run here told its tokens.")
    with right:
        _costs(charts, series)
    left, right = st.columns(2, gap="medium")
    with left:
        _one("Time to the first token", LINES, _latency(charts, series, "first_token_s"), NO_TIME)
    with right:
        _one("Total time", LINES, _latency(charts, series, "total_s"), NO_TIME)


def _latency(charts: FigureCharts, series: FigureSeries, measure: Any) -> Any:
    rows = series.latencies(measure)
    return charts.lines(rows, "seconds") if rows else None


def _costs(charts: FigureCharts, series: FigureSeries) -> None:
    unknown = series.unknown_cost
    said = "The cost of every run is known."
    if unknown:
        said = f"The cost of {unknown:,} of {series.total:,} runs is unknown; they are not in it. Prices are set on the Settings page."
    rows = series.costs()
    if not rows:
        _one("Cost", said, None, "No cost is known.")
        return
    tooltip = [("when", "from"), ("series", "model"), ("cost", "cost"), ("unknown", "runs of unknown cost")]
    chart: Any = charts.bars(rows, "US dollars", tooltip=tooltip, axis_format=DOLLARS)
    without = series.without_cost()
    if without:
        chart = chart + charts.question_marks(without)
    total = plain(dollars(series.cost_usd))
    _one("Cost", f"{total} in all. {said}", chart)


def _one(title: str, said: str, chart: Any, nothing: str = "") -> None:
    with st.container(key=f"history-chart-{title.lower().replace(' ', '-')}", gap="xsmall"):
        st.markdown(f"**{title}**")
        st.caption(said if chart is not None else nothing)
        if chart is not None:
            st.altair_chart(chart, alt=f"{title} over time. The table below has the same figures.")


@st.fragment
def _table(rows: Sequence[Row]) -> None:
    """A fragment: opening it asks the database nothing."""
    table = st.expander("The same figures as a table", icon=":material/table:", key="history.charts.table", on_change="rerun")
    if table.open:
        with table:
            st.dataframe(
                rows,
                hide_index=True,
                column_config=COLUMNS,
                placeholder="unknown",
                height=min(420, 38 + 35 * len(rows)),
                alt="Figures over time",
            )
            st.download_button(
                "Download as CSV",
                as_csv(rows),
                "figures.csv",
                "text/csv",
                key="history.charts.csv",
                icon=":material/download:",
                on_click="ignore",
            )


def as_csv(rows: Sequence[Row]) -> str:
    """Rows of one kind as CSV; what is unknown is empty, times are ISO 8601."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()})
    return file.getvalue()


def usage_figures(which: RunFilter) -> None:
    """Draw what identities, threads and models used, the one with most runs first."""
    models = workspace().figures.per("model_answered", which, latencies=False)
    if not models:
        st.info("No run fits, so nothing was used.", icon=":material/group:")
        return
    _usage("Models", "model", UNTOLD, models)
    _usage("Identities", "identity", "no identity", workspace().figures.per("identity", which, latencies=False), HOW["identity"])
    _usage("Threads", "thread", "no thread", workspace().figures.per("thread", which, latencies=False), HOW["thread"])
    st.caption("Sums are over the runs whose value is known. Costs are as they were when the runs ended.")


def _usage(title: str, column: str, nobody: str, figures: Sequence[Figures], how: str = "") -> None:
    with st.container(key=f"history-usage-{column}", gap="xsmall"):
        st.markdown(f"**{title}**")
        if how and all(one.group is None for one in figures):
            st.caption(how)
            return
        rows = [_used(one, column, nobody) for one in figures]
        columns = {
            "cost": st.column_config.NumberColumn("cost", format="$%.6f"),
            "last used": st.column_config.DatetimeColumn("last used (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
            "tokens in": st.column_config.NumberColumn(format="localized"),
            "tokens out": st.column_config.NumberColumn(format="localized"),
        }
        st.dataframe(
            rows,
            hide_index=True,
            column_config=columns,
            placeholder="unknown",
            height=min(300, 38 + 35 * len(rows)),
            alt=f"Usage by {column}",
        )


def _used(one: Figures, column: str, nobody: str) -> Row:
    return {
        column: nobody if one.group is None else one.group,
        "runs": one.runs,
        "failed": one.failed,
        "tokens in": one.prompt_tokens,
        "tokens out": one.completion_tokens,
        "cost": None if one.cost_usd is None else float(one.cost_usd),
        "cost unknown": one.unknown_cost,
        "last used": one.last_at,
    }


def _runs(count: int) -> str:
    return f"{count:,} run{'' if count == 1 else 's'}"
