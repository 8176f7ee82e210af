"""Figures as rows of charts and tables: nothing is lost on the way, and what is unknown is no zero."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import vl_convert

from components.history.figure_charts import DOLLARS, FigureCharts, colors
from components.history.figure_series import FAILED, OTHER, TOGETHER, UNTOLD, FigureSeries, table_rows
from components.history.run_charts import as_csv
from core.storage.run_figures import Figures

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def figures(start: datetime = NOON, group: str | None = "a", **fields: Any) -> Figures:
    values: dict[str, Any] = {
        "runs": 1,
        "failed": 0,
        "prompt_tokens": 4,
        "completion_tokens": 5,
        "total_tokens": 9,
        "cost_usd": Decimal("0.5"),
        "unknown_cost": 0,
        "first_at": start,
        "last_at": start,
        "first_token_s_p50": 0.25,
        "first_token_s_p95": 0.5,
        "total_s_p50": 1.0,
        "total_s_p95": 2.0,
    }
    return Figures(start, group, **{**values, **fields})


def values(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_failed_runs_are_a_series_of_their_own_and_no_run_is_counted_twice() -> None:
    series = FigureSeries([figures(runs=5, failed=2), figures(group=None, runs=1, failed=1)], HOUR, by_model=True)
    assert values(series.runs(), "series", "value") == [("a", 3), (FAILED, 3)]
    assert (series.total, series.failed, series.names) == (6, 3, ("a", UNTOLD))


def test_models_beyond_the_first_five_are_one_series_and_have_no_percentiles() -> None:
    found = [figures(group=name, runs=20 - place) for place, name in enumerate("abcdefg")]
    series = FigureSeries(found, HOUR, by_model=True)
    assert series.names == ("a", "b", "c", "d", "e", OTHER)
    assert {row["series"]: row["value"] for row in series.runs()}[OTHER] == 15 + 14
    assert {row["series"] for row in series.latencies("total_s")} == set("abcde")
    assert len(set(colors(series.names).values())) == 7


def test_unknown_values_have_no_row_and_unknown_costs_are_counted() -> None:
    found = [
        figures(runs=3, cost_usd=Decimal("0.1"), unknown_cost=2),
        figures(NOON + HOUR, runs=4, cost_usd=None, unknown_cost=4, prompt_tokens=None, completion_tokens=None, total_s_p50=None),
    ]
    series = FigureSeries(found, HOUR, by_model=True)
    assert (series.cost_usd, series.unknown_cost) == (Decimal("0.1"), 6)
    assert values(series.costs(), "value", "cost", "unknown") == [(0.1, "$0.1", 2)]
    assert values(series.without_cost(), "when", "unknown") == [("2026-05-01 13:00 UTC", 4)]
    assert values(series.tokens(), "kind", "value") == [("in", 4), ("out", 5)]
    assert len(series.latencies("total_s")) == 2


def test_a_line_does_not_go_on_over_an_empty_stretch() -> None:
    found = [figures(NOON + n * HOUR, None) for n in (0, 1, 3)]
    rows = FigureSeries(found, HOUR, by_model=False).latencies("total_s")
    medians = [row for row in rows if row["kind"] == "median"]
    assert {row["series"] for row in rows} == {TOGETHER}
    assert medians[0]["part"] == medians[1]["part"] != medians[2]["part"]


def test_bars_of_one_stretch_lie_on_each_other() -> None:
    series = FigureSeries([figures(runs=2), figures(group="b", runs=3, failed=1)], HOUR, by_model=True)
    chart = FigureCharts(series.names, series.domain).bars(series.runs(), "runs", tooltip=[("value", "runs")]).to_dict()
    drawn = [(row["series"], row["low"], row["high"]) for row in chart["datasets"][chart["data"]["name"]]]
    assert sorted(drawn) == sorted([("b", 0, 2), ("a", 2, 4), (FAILED, 4, 5)])
    assert chart["encoding"]["x"]["scale"]["domain"][1]["hours"] == 13


def test_table_has_exact_figures_and_empty_cells_where_nothing_is_known() -> None:
    found = [figures(cost_usd=Decimal("0.0000004")), figures(NOON + HOUR, None, cost_usd=None, unknown_cost=1)]
    rows = list(csv.DictReader(io.StringIO(as_csv(list(table_rows(found, by_model=True))))))
    assert [row["cost in $"] for row in rows] == ["0.0000004", ""]
    assert [row["model"] for row in rows] == ["a", UNTOLD]
    assert rows[0]["from"] == "2026-05-01T12:00:00+00:00"


def labels(chart: Any) -> set[str]:
    """The texts of a chart as it is drawn."""
    return set(re.findall(r"<text[^>]*>([^<]*)</text>", vl_convert.vegalite_to_svg(chart.to_dict())))


def test_axes_count_in_whole_numbers_and_tell_seconds_and_dollars_without_exponents() -> None:
    found = [figures(NOON + n * HOUR, runs=2, prompt_tokens=24_000, cost_usd=Decimal("0.00002"), total_s_p95=9.4) for n in (0, 1)]
    series = FigureSeries(found, HOUR, by_model=True)
    charts = FigureCharts(series.names, series.domain)
    tooltip = [("value", "value")]
    assert {"0", "1", "2"} <= labels(charts.bars(series.runs(), "runs", tooltip=tooltip))
    assert {"0", "20k"} <= labels(charts.bars(series.tokens(), "tokens", tooltip=tooltip))
    assert {"0", "2", "8"} <= labels(charts.lines(series.latencies("total_s"), "seconds"))
    assert {"$0", "$0.00002"} <= labels(charts.bars(series.costs(), "dollars", tooltip=tooltip, axis_format=DOLLARS))
    drawn = [charts.lines(series.latencies("total_s"), "seconds"), charts.bars(series.runs(), "runs", tooltip=tooltip)]
    assert not [label for chart in drawn for label in labels(chart) if re.search(r"\de|\dm|0\.5", label)]
