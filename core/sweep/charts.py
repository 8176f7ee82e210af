"""Charts of a sweep: a heat map of a grid, and one axis as a line or as bars, as Altair specifications and as PNG images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from core.comparison.charts import COLOURS, AnyChart, png, titled
from core.comparison.figures import COST, figure_interval
from core.sweep.axes import is_numeric
from core.sweep.cell_rows import CellRow
from core.sweep.plan import PROMPT
from core.sweep.report import SweepReport

REPORTED: Final = ("total", "tokens out", COST)
"""Figures that a report has charts of."""
MOST_BARS: Final = 60
"""Cells that are drawn where each is a bar; numbers on an axis all are."""
HIGHEST, WIDEST = 900, 1_200
LONGEST_LABEL: Final = 32
MOST_TICKS: Final = 12
MOST_BESIDE: Final = 9
"""Heat maps beside each other, one for each value of a third parameter; with more values they are one, of the means."""
IN_A_ROW: Final = 3


def sweep_chart(name: str, paths: Sequence[str], rows: Sequence[CellRow], *, grid: bool) -> AnyChart | None:
    """One figure of a sweep: ``heat_map`` for a ``grid`` of two parameters or more, ``axis_chart`` for everything else."""
    return heat_map(name, paths, rows) if grid and len(paths) > 1 else axis_chart(name, paths, rows)


def sweep_image(name: str, paths: Sequence[str], rows: Sequence[CellRow], *, grid: bool) -> bytes | None:
    """``sweep_chart`` as a PNG image, as wide as what it shows; None where there is none."""
    chart = sweep_chart(name, paths, rows, grid=grid)
    if chart is None:
        return None
    if grid and are_beside(paths, rows):
        return png(chart.properties(title=name))
    places = len({row.values[paths[1]] for row in rows}) if grid and len(paths) > 1 else min(len(rows), MOST_BARS)
    return png(chart.properties(width=min(WIDEST, 60 + 48 * max(places, 6)), title=name))


def are_beside(paths: Sequence[str], rows: Sequence[CellRow]) -> bool:
    """Whether ``heat_map`` is several of one size, for there is a third parameter with few values."""
    return len(paths) > 2 and 1 < len({row.values[paths[2]] for row in rows}) <= MOST_BESIDE


def heat_map(name: str, paths: Sequence[str], rows: Sequence[CellRow]) -> AnyChart | None:
    """One figure of a sweep: the first of ``paths`` down, the second across, the mean over the others. White is not known.

    A third one with few values has a map for each of them (``are_beside``), in the same colours. None where there are fewer than two
    paths, or no cell has the figure.
    """
    known = [(row, value) for row in rows if (value := row.median(name)) is not None]
    if len(paths) < 2 or not known:
        return None
    down, across = paths[0], paths[1]
    order = [list(dict.fromkeys(row.values[path] for row in rows)) for path in (down, across)]
    third = {"beside": paths[2]} if are_beside(paths, rows) else {}
    places = {"down": down, "across": across, **third}
    data = [{**{place: row.values[path] for place, path in places.items()}, "figure": value} for row, value in known]
    base: alt.Chart = alt.Chart(alt.InlineData(values=data)).mark_rect()
    squares: alt.Chart = base.encode(
        x=alt.X("across:N", title=across, sort=order[1], scale=alt.Scale(domain=order[1]), axis=alt.Axis(labelAngle=0)),
        y=alt.Y("down:N", title=down, sort=order[0], scale=alt.Scale(domain=order[0])),
        color=alt.Color("mean(figure):Q", title=titled(name), scale=alt.Scale(scheme="viridis")),
        tooltip=[
            alt.Tooltip("down:N", title=down),
            alt.Tooltip("across:N", title=across),
            alt.Tooltip("mean(figure):Q", title=titled(name), format=",.4~g"),
        ],
    )
    if not are_beside(paths, rows):
        return squares.properties(height=min(HIGHEST, 60 + 34 * len(order[0])))
    values = list(dict.fromkeys(row.values[paths[2]] for row in rows))
    each: alt.Chart = squares.encode(facet=alt.Facet("beside:N", title=paths[2], sort=values, columns=IN_A_ROW))
    return each.properties(width=min(WIDEST // IN_A_ROW, 40 + 64 * len(order[1])), height=min(HIGHEST, 30 + 34 * len(order[0])))


def axis_chart(name: str, paths: Sequence[str], rows: Sequence[CellRow]) -> AnyChart | None:
    """One figure along one axis: a line through the medians where it has numbers only, else a bar for each cell, at most ``MOST_BARS``.

    With several repeats a dot for each and a line for the 95 % bootstrap interval. None where no cell has the figure.
    """
    numeric = is_line(paths, rows)
    shown = list(rows) if numeric else list(rows)[:MOST_BARS]
    at: list[Any] = [row.raw[paths[0]] for row in shown] if numeric else _labels(shown)
    told = [(place, row.figures[name]) for place, row in zip(at, shown, strict=True) if row.figures[name]]
    if not told:
        return None
    middles = [{"at": place, "median": (one := figure_interval(values)).median, "low": one.low, "high": one.high} for place, values in told]
    dots = [{"at": place, "value": value} for place, values in told if len(values) > 1 for value in values]
    about, title = " · ".join(paths), titled(name)
    x = _numbers(about, at) if numeric else _words(about, at)
    base: alt.Chart = alt.Chart(alt.InlineData(values=middles))
    tooltip = [alt.Tooltip("at:Q" if numeric else "at:N", title=about), alt.Tooltip("median:Q", title=f"median {title}", format=",.4~g")]
    encoded = base.encode(x=x, y=alt.Y("median:Q", title=title), tooltip=tooltip)
    mark: Any = encoded.mark_line(color=COLOURS[0], point={"size": 60, "color": COLOURS[0], "filled": True})
    bar: Any = encoded.mark_bar(color=COLOURS[0], opacity=0.55)
    lines = base.transform_filter("datum.low !== null").mark_rule(strokeWidth=2, color="#888").encode(x=x, y="low:Q", y2="high:Q")
    points = alt.Chart(alt.InlineData(values=dots)).mark_circle(size=28, opacity=0.6, color=COLOURS[0]).encode(x=x, y="value:Q")
    return alt.layer(*([lines, mark] if numeric else [bar, lines]), points).properties(height=260)


def _numbers(about: str, at: Sequence[float]) -> alt.X:
    """An axis of numbers, with a tick at every one where there are few."""
    ticks = alt.Axis(values=sorted(set(at)), format=".6~g") if len(set(at)) <= MOST_TICKS else alt.Axis(format=".6~g")
    return alt.X("at:Q", title=about, scale=alt.Scale(zero=False, nice=False, padding=12), axis=ticks)


def _words(about: str, at: Sequence[str]) -> alt.X:
    axis = alt.Axis(labelAngle=0 if _fits(at) else -40, labelLimit=240)
    return alt.X("at:N", title=about, sort=list(at), scale=alt.Scale(domain=list(at)), axis=axis)


def is_line(paths: Sequence[str], rows: Sequence[CellRow]) -> bool:
    """Whether ``axis_chart`` is a line: there is one axis, and it has numbers only, no null and nothing that is not sent."""
    if len(paths) != 1 or paths[0] == PROMPT or not is_numeric(paths[0]):
        return False
    return all(isinstance(row.raw[paths[0]], int | float) for row in rows)


def _labels(rows: Sequence[CellRow]) -> list[str]:
    """What each cell is called; numbered where two would be called the same."""
    words = [" · ".join(" ".join(value.split()) for value in row.values.values()) for row in rows]
    labels = [word if len(word) <= LONGEST_LABEL else f"{word[: LONGEST_LABEL - 1]}…" for word in words]
    return labels if len(set(labels)) == len(labels) else [f"{number}. {label}" for number, label in enumerate(labels, 1)]


def _fits(labels: Sequence[str]) -> bool:
    return max(map(len, labels)) <= 6 or (len(labels) <= 6 and max(map(len, labels)) <= 14)


def sweep_images(sweeps: Sequence[SweepReport]) -> dict[str, bytes]:
    """Charts of sweeps as PNG images by their titles: of what ``REPORTED`` names, where it is known and not 0 everywhere."""
    found: dict[str, bytes] = {}
    for number, sweep in enumerate(sweeps, 1):
        plan = sweep.state.record.plan
        for name in REPORTED:
            if any(any(row.figures[name]) for row in sweep.rows) and (
                image := sweep_image(name, plan.paths, sweep.rows, grid=plan.settings.mode == "grid")
            ):
                found[f"Sweep {number}, {sweep.name}: {name}"] = image
    return found
