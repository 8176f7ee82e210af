"""Charts of a comparison's figures and of its sweeps, as Altair specifications and as PNG images.

Colours are Okabe and Ito's ("Color Universal Design", jfly.uni-koeln.de/color, 2008), less yellow, which is hard to see on white.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import vl_convert

from core.comparison.board import LETTERS
from core.comparison.figures import COST, SlotFigures
from core.sweep.cell_rows import CellRow
from core.sweep.report import SweepReport

COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#7F7F7F", "#8B5E3C")
AnyChart = alt.Chart | alt.LayerChart | alt.FacetChart
CHARTED: Final = {"first token": "s", "total": "s", "tokens/s": "", "tokens out": "", COST: "$"}
"""Figures that are drawn, with their units."""
WIDTH: Final = 260
HEATED: Final = ("total", "tokens out", COST)
"""Figures whose heat maps a report shows."""
HIGHEST, WIDEST = 900, 1_200


def figure_chart(name: str, figures: Sequence[SlotFigures]) -> AnyChart | None:
    """One figure of every slot: a bar for the median, and with several runs a dot for each and a line for the 95 % interval.

    None where no slot has it.
    """
    middles, dots = _rows(name, figures)
    if not middles:
        return None
    unit = f" ({CHARTED[name]})" if CHARTED.get(name) else ""
    order = [LETTERS[place] for place in range(len(figures))]
    x = alt.X("slot:N", title=None, sort=order, axis=alt.Axis(labelAngle=0))
    colour = alt.Color("slot:N", scale=alt.Scale(domain=order, range=list(COLOURS[: len(order)])), legend=None)
    base = alt.Chart(alt.InlineData(values=middles))
    told = [alt.Tooltip("slot:N"), alt.Tooltip("median:Q", title=f"median{unit}", format=",.4~g")]
    bars = base.mark_bar(opacity=0.55).encode(x=x, y=alt.Y("median:Q", title=f"{name}{unit}"), color=colour, tooltip=told)
    lines = base.transform_filter("datum.low !== null").mark_rule(strokeWidth=2, color="#888").encode(x=x, y="low:Q", y2="high:Q")
    points = alt.Chart(alt.InlineData(values=dots)).mark_circle(size=28, opacity=0.8).encode(x=x, y="value:Q", color=colour)
    return alt.layer(bars, lines, points).properties(width=WIDTH, height=180)


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
    return {name: _png(chart) for name, chart in figure_charts(figures).items()}


def all_in_one(figures: Sequence[SlotFigures]) -> bytes | None:
    """One PNG image with every chart; None where there is none."""
    charts = list(figure_charts(figures).values())
    return _png(alt.concat(*charts, columns=3)) if charts else None


def heat_map(name: str, paths: Sequence[str], rows: Sequence[CellRow]) -> AnyChart | None:
    """One figure of a sweep: the first of ``paths`` down, the second across, the mean over the others. White is not known.

    None where there are fewer than two paths, or no cell has the figure.
    """
    known = [(row, value) for row in rows if (value := row.median(name)) is not None]
    if len(paths) < 2 or not known:
        return None
    down, across = paths[0], paths[1]
    order = [list(dict.fromkeys(row.values[path] for row in rows)) for path in (down, across)]
    data = [{"down": row.values[down], "across": row.values[across], "figure": value} for row, value in known]
    unit = f" ({CHARTED[name]})" if CHARTED.get(name) else ""
    base: alt.Chart = alt.Chart(alt.InlineData(values=data)).mark_rect()
    squares: alt.Chart = base.encode(
        x=alt.X("across:N", title=across, sort=order[1], scale=alt.Scale(domain=order[1]), axis=alt.Axis(labelAngle=0)),
        y=alt.Y("down:N", title=down, sort=order[0], scale=alt.Scale(domain=order[0])),
        color=alt.Color("mean(figure):Q", title=f"{name}{unit}", scale=alt.Scale(scheme="viridis")),
        tooltip=[
            alt.Tooltip("down:N", title=down),
            alt.Tooltip("across:N", title=across),
            alt.Tooltip("mean(figure):Q", title=f"{name}{unit}", format=",.4~g"),
        ],
    )
    return squares.properties(height=min(HIGHEST, 60 + 34 * len(order[0])))


def heat_image(name: str, paths: Sequence[str], rows: Sequence[CellRow]) -> bytes | None:
    """``heat_map`` as a PNG image, a column for each value across; None where there is none."""
    chart = heat_map(name, paths, rows)
    across = len({row.values[paths[1]] for row in rows}) if chart is not None else 0
    return _png(chart.properties(width=min(WIDEST, 60 + 48 * across), title=name)) if chart is not None else None


def sweep_images(sweeps: Sequence[SweepReport]) -> dict[str, bytes]:
    """Heat maps of sweeps as PNG images by their titles: of what ``HEATED`` names, where a grid of two parameters or more has it."""
    found: dict[str, bytes] = {}
    for number, sweep in enumerate(sweeps, 1):
        plan = sweep.state.record.plan
        for name in HEATED if plan.settings.mode == "grid" else ():
            if image := heat_image(name, plan.paths, sweep.rows):
                found[f"Sweep {number}, {sweep.name}: {name}"] = image
    return found


def _png(chart: Any) -> bytes:
    return bytes(vl_convert.vegalite_to_png(chart.properties(background="white").to_json(), scale=2))
