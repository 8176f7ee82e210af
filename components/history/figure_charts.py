"""Charts of figures over time, drawn by Altair: the same in the light and the dark, told apart also by who sees few colours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from components.history.figure_series import FAILED, OTHER, UNTOLD, Row

Chart = Any
"""Altair's, whose types its dialect of overloads hides from the type checker."""

# Okabe and Ito, Color Universal Design (2008): apart for every kind of colour blindness, and seen on white and on black alike.
# Their vermilion is kept for what failed, their yellow (pale on white) left out.
PALETTE: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9")
FIXED: Final = {OTHER: "#8d8d96", UNTOLD: "#b9b9c2", FAILED: "#d55e00"}
HEIGHT: Final = 190
# Formats of an axis, d3's: whole numbers with a prefix (25k), dollars and seconds without an exponent (10, where ~g says 1e+1).
COUNTS, DOLLARS, SECONDS = "~s", "$~r", "~r"
TIME_LABEL: Final = "utcFormat(datum.value, utchours(datum.value) || utcminutes(datum.value) ? '%H:%M' : '%b %-d')"
"""A Vega expression: the hour, or at midnight the day."""
COUNT_LABEL: Final = "datum.value % 1 ? '' : datum.value ? datum.label : '0'"
"""A Vega expression: there is no half of a run; and with one prefix for a whole axis, nothing would be ``0k``."""


def colors(names: Sequence[str]) -> dict[str, str]:
    """A colour for each series."""
    plain = iter(PALETTE)
    return {name: FIXED.get(name) or next(plain) for name in (*names, FAILED)}


class FigureCharts:
    """Charts over one stretch of time (``domain``, UTC), whose series have the same colours in all of them."""

    def __init__(self, names: Sequence[str], domain: tuple[datetime, datetime]) -> None:
        import altair  # takes as long to import as the rest of the page to draw

        self._alt = altair
        # As numbers, Vega takes them for lines' positions.
        self._domain = [
            altair.DateTime(year=end.year, month=end.month, date=end.day, hours=end.hour, minutes=end.minute, utc=True) for end in domain
        ]
        self._colors = colors(names)

    def bars(self, rows: Sequence[Row], title: str, *, tooltip: Sequence[tuple[str, str]], axis_format: str = COUNTS) -> Chart:
        """Stacked bars by series, tokens out fainter than tokens in; failed runs lie on top, faint and with an edge."""
        alt = self._alt
        failed = alt.datum.series == FAILED
        opacity: Any = alt.condition(failed, alt.value(0.45), alt.value(1.0))
        if any("kind" in row for row in rows):
            opacity = alt.FillOpacity("kind:N", scale=alt.Scale(domain=["in", "out"], range=[1.0, 0.5]), legend=None)
        return (
            self._chart(self._stacked(rows))
            .mark_rect(strokeWidth=1)
            .encode(
                x=self._x("start"),
                x2="end:T",
                y=self._y("low", title, axis_format),
                y2="high:Q",
                color=self._color(),
                stroke=alt.condition(failed, alt.value(FIXED[FAILED]), alt.value("transparent")),
                fillOpacity=opacity,
                tooltip=self._tooltip(tooltip),
            )
        )

    def _stacked(self, rows: Sequence[Row]) -> list[Row]:
        """The rows with the heights from which and to which their bars go: Vega stacks no bars that have both ends in time."""
        order = {name: place for place, name in enumerate(self._colors)}
        heights: dict[int, float] = {}
        stacked: list[Row] = []
        for row in sorted(rows, key=lambda row: (order[row["series"]], row.get("kind") == "out")):
            low = heights.get(row["start"], 0)
            heights[row["start"]] = low + row["value"]
            stacked.append({**row, "low": low, "high": low + row["value"]})
        return stacked

    def question_marks(self, rows: Sequence[Row]) -> Chart:
        """A question mark on the ground of each stretch of which nothing is known."""
        alt = self._alt
        return (
            self._chart(rows)
            .mark_text(text="?", baseline="bottom", dy=-2, color=FIXED[OTHER], fontWeight="bold")
            .encode(
                x=self._x("middle"),
                y=alt.Y("value:Q", title=None),
                tooltip=self._tooltip([("when", "from"), ("unknown", "runs of unknown cost")]),
            )
        )

    def lines(self, rows: Sequence[Row], title: str) -> Chart:
        """Lines by series; the kind (a percentile) is told by the line's dashes and the point's shape."""
        alt = self._alt
        kinds = ["median", "95th percentile"]
        return (
            self._chart(rows)
            .mark_line(point=alt.OverlayMarkDef(size=24, filled=True), strokeWidth=1.5)
            .encode(
                x=self._x("middle"),
                y=self._y("value", title, SECONDS),
                color=self._color(),
                strokeDash=alt.StrokeDash("kind:N", scale=alt.Scale(domain=kinds, range=[[1, 0], [5, 4]]), legend=None),
                shape=alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=["circle", "triangle-up"]), legend=None),
                detail="part:N",
                tooltip=self._tooltip([("when", "from"), ("series", "model"), ("kind", "of the runs"), ("value", "seconds")]),
            )
        )

    def _chart(self, rows: Sequence[Row]) -> Chart:
        return self._alt.Chart(self._alt.InlineData(values=list(rows)), height=HEIGHT)

    def _x(self, field: str) -> Any:
        alt = self._alt
        axis = alt.Axis(grid=False, labelOverlap=True, tickCount=6, labelExpr=TIME_LABEL)
        return alt.X(f"{field}:T", title=None, scale=alt.Scale(type="utc", domain=self._domain), axis=axis)

    def _y(self, field: str, title: str, axis_format: str) -> Any:
        alt = self._alt
        axis = alt.Axis(format=axis_format, tickCount=4, labelExpr=COUNT_LABEL if axis_format == COUNTS else "datum.label")
        return alt.Y(f"{field}:Q", title=title, axis=axis, scale=alt.Scale(zero=True))

    def _color(self) -> Any:
        alt = self._alt
        scale = alt.Scale(domain=list(self._colors), range=list(self._colors.values()))
        return alt.Color("series:N", scale=scale, legend=None)

    def _tooltip(self, fields: Sequence[tuple[str, str]]) -> list[Any]:
        numbers = {"value", "unknown"}
        return [self._alt.Tooltip(f"{name}:{'Q' if name in numbers else 'N'}", title=title) for name, title in fields]
