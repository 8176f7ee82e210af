"""Charts of a comparison's figures, as Altair specifications and as PNG images.

Colours are Okabe and Ito's ("Color Universal Design", jfly.uni-koeln.de/color, 2008), less yellow, which is hard to see on white.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import vl_convert

from core.comparison.board import LETTERS
from core.comparison.figures import COST, SlotFigures

COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#7F7F7F", "#8B5E3C")
AnyChart = alt.Chart | alt.LayerChart | alt.FacetChart
CHARTED: Final = {"first token": "s", "total": "s", "tokens/s": "", "tokens out": "", COST: "$"}
"""Figures that are drawn, with their units."""
WIDTH: Final = 260


def figure_chart(name: str, figures: Sequence[SlotFigures]) -> AnyChart | None:
    """One figure of every slot: a bar for the median, and with several runs a dot for each and a line for the 95 % interval.

    None where no slot has it, and where it is 0 everywhere.
    """
    middles, dots = _rows(name, figures)
    if not any(row["median"] for row in middles) and not any(dot["value"] for dot in dots):
        return None
    title = titled(name)
    order = [LETTERS[place] for place in range(len(figures))]
    x = alt.X("slot:N", title=None, sort=order, axis=alt.Axis(labelAngle=0))
    colour = alt.Color("slot:N", scale=alt.Scale(domain=order, range=list(COLOURS[: len(order)])), legend=None)
    base = alt.Chart(alt.InlineData(values=middles))
    told = [alt.Tooltip("slot:N"), alt.Tooltip("median:Q", title=f"median {title}", format=",.4~g")]
    bars = base.mark_bar(opacity=0.55).encode(x=x, y=alt.Y("median:Q", title=title), color=colour, tooltip=told)
    lines = base.transform_filter("datum.low !== null").mark_rule(strokeWidth=2, color="#888").encode(x=x, y="low:Q", y2="high:Q")
    points = alt.Chart(alt.InlineData(values=dots)).mark_circle(size=28, opacity=0.8).encode(x=x, y="value:Q", color=colour)
    return alt.layer(bars, lines, points).properties(width=WIDTH, height=180)


def titled(name: str) -> str:
    """A figure with its unit: ``total (s)``."""
    return f"{name} ({CHARTED[name]})" if CHARTED.get(name) else name


def _rows(name: str, figures: Sequence[SlotFigures]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    middles, dots = [], []
    for place, one in enumerate(figures):
        interval = one.figures[name]
        if interval is None:
            continue
        middles.append({"slot": LETTERS[place], "median": interval.median, "low": interval.low, "high": interval.high})
        if len(one.values[name]) > 1:
            dots += [{"slot": LETTERS[place], "value": value} for value in one.values[name]]
    return middles, dots


def figure_charts(figures: Sequence[SlotFigures]) -> dict[str, AnyChart]:
    """A chart for every figure that some slot has, by its name."""
    return {name: chart for name in CHARTED if (chart := figure_chart(name, figures)) is not None}


def chart_images(figures: Sequence[SlotFigures]) -> dict[str, bytes]:
    """The charts as PNG images on white, twice the size for sharp screens, by their names. Nothing is fetched for it."""
    return {name: png(chart) for name, chart in figure_charts(figures).items()}


def all_in_one(figures: Sequence[SlotFigures]) -> bytes | None:
    """One PNG image with every chart; None where there is none."""
    charts = list(figure_charts(figures).values())
    return png(alt.concat(*charts, columns=3)) if charts else None


def png(chart: Any) -> bytes:
    """A chart as a PNG image on white, twice the size for sharp screens. Nothing is fetched for it."""
    return bytes(vl_convert.vegalite_to_png(chart.properties(background="white").to_json(), scale=2))
