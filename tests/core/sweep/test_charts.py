"""Charts of sweeps: every cell that has the figure is in them, where its values put it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.comparison.charts import AnyChart
from core.comparison.settings import NOT_SENT
from core.sweep.axes import Axis
from core.sweep.cell_rows import CellRow, cell_rows
from core.sweep.charts import MOST_BARS, MOST_BESIDE, axis_chart, heat_map, is_line, sweep_chart, sweep_image, sweep_images
from core.sweep.plan import SweepPlan, SweepSettings
from core.sweep.progress import CallState, SweepState
from core.sweep.prompt_rows import PromptRows
from core.sweep.report import SweepReport
from tests.core.sweep.test_cell_rows import row, state
from tests.core.sweep.test_report import AXES, CALLS, RUNS, two_axes

PNG = b"\x89PNG\r\n\x1a\n"


def one_axis(*values: Any, path: str = "temperature", repeats: int = 1) -> tuple[CellRow, ...]:
    """Cells of one axis; the calls of the cell at place ``p`` took ``p + 1``, ``p + 2``, … seconds."""
    calls = [CallState(number, "finished", (str(number),)) for number in range(len(values) * repeats)]
    runs = {str(one.number): row(str(one.number), total_s=1.0 + one.number % len(values) + one.number // len(values)) for one in calls}
    return cell_rows(state(calls, Axis(path, tuple(values)), repeats=repeats), runs)


def points(chart: AnyChart | None) -> list[dict[str, Any]]:
    assert chart is not None
    return [point for dataset in chart.to_dict()["datasets"].values() for point in dataset]


def marks(chart: AnyChart | None) -> list[str]:
    assert chart is not None
    return [layer["mark"]["type"] for layer in chart.to_dict()["layer"]]


def test_heat_map_has_a_square_for_every_cell_that_has_the_figure_in_the_order_of_the_axes() -> None:
    rows = two_axes().rows
    chart = heat_map("tokens out", ("temperature", "top_p"), rows)
    assert chart is not None
    drawn = chart.to_dict()
    assert [row for dataset in drawn["datasets"].values() for row in dataset] == [
        {"down": "0.2", "across": "0.5", "figure": 20},
        {"down": "0.2", "across": "1", "figure": 40},
    ]
    assert (drawn["encoding"]["y"]["sort"], drawn["encoding"]["x"]["sort"]) == (["0.2", "not sent"], ["0.5", "1"])
    assert (sweep_image("tokens out", ("temperature", "top_p"), rows, grid=True) or b"").startswith(PNG)
    assert sweep_chart("reasoning", ("temperature", "top_p"), rows, grid=True) is None


def test_third_parameter_with_few_values_has_a_heat_map_for_each_and_one_with_many_has_their_mean() -> None:
    paths = ("temperature", "top_p", "seed")

    def rows(seeds: int) -> tuple[CellRow, ...]:
        calls = [CallState(number, "finished", (str(number),)) for number in range(4 * seeds)]
        runs = {str(number): row(str(number), total_s=1.0 + number) for number in range(4 * seeds)}
        return cell_rows(state(calls, *AXES, Axis("seed", tuple(range(seeds)))), runs)

    few = heat_map("total", paths, rows(2))
    assert few is not None
    assert few.to_dict()["encoding"]["facet"]["sort"] == ["0", "1"]
    assert sorted((point["down"], point["across"], point["beside"]) for point in points(few)) == sorted(
        (down, across, seed) for down in ("0.2", "not sent") for across in ("0.5", "1") for seed in ("0", "1")
    )
    assert (sweep_image("total", paths, rows(2), grid=True) or b"").startswith(PNG)
    many = heat_map("total", paths, rows(MOST_BESIDE + 1))
    assert many is not None
    assert "facet" not in many.to_dict()["encoding"]


def test_axis_of_numbers_is_a_line_with_its_points_at_their_numbers() -> None:
    rows = one_axis(0, 0.2, 1.5)
    assert is_line(("temperature",), rows)
    chart = sweep_chart("total", ("temperature",), rows, grid=True)
    assert "line" in marks(chart)
    assert [(point["at"], point["median"], point["low"]) for point in points(chart)] == [(0, 1.0, None), (0.2, 2.0, None), (1.5, 3.0, None)]
    assert (sweep_image("total", ("temperature",), rows, grid=True) or b"").startswith(PNG)


def test_repeats_are_dots_around_a_median_with_its_interval() -> None:
    chart = axis_chart("total", ("temperature",), one_axis(0, 1, repeats=3))
    medians = [point for point in points(chart) if "median" in point]
    assert [(point["median"], point["low"], point["high"]) for point in medians] == [(2.0, 1.0, 3.0), (3.0, 2.0, 4.0)]
    assert sorted((point["at"], point["value"]) for point in points(chart) if "value" in point) == [
        *((0, value) for value in (1.0, 2.0, 3.0)),
        *((1, value) for value in (2.0, 3.0, 4.0)),
    ]


def test_words_and_numbers_beside_what_is_not_sent_are_bars_in_the_order_of_the_axis() -> None:
    chart = axis_chart("total", ("temperature",), one_axis(1, NOT_SENT, 0.5))
    assert marks(chart)[0] == "bar"
    assert [point["at"] for point in points(chart)] == ["1", "not sent", "0.5"]
    assert chart is not None
    assert chart.to_dict()["layer"][0]["encoding"]["x"]["sort"] == ["1", "not sent", "0.5"]
    models = axis_chart("total", ("model",), one_axis("one/model", "another/model", path="model"))
    assert [point["at"] for point in points(models)] == ["one/model", "another/model"]


def test_prompts_that_begin_alike_are_bars_of_their_own_and_many_are_cut() -> None:
    prompts = PromptRows("p.csv", ("prompt",), tuple((f"The same long beginning of every one of {n}",) for n in range(80)))
    calls = tuple(CallState(number, "finished", (str(number),)) for number in range(80))
    record = replace(state([], Axis("temperature", (0,))).record, plan=SweepPlan(SweepSettings({"model": "m"}, (), rows=prompts)))
    rows = cell_rows(SweepState(record, calls), {str(n): row(str(n), total_s=1.0) for n in range(80)})
    drawn = [point["at"] for point in points(axis_chart("total", ("prompt",), rows))]
    assert (len(drawn), len(set(drawn)), drawn[0][:4]) == (MOST_BARS, MOST_BARS, "1 · ")


def test_long_names_that_begin_alike_are_numbered() -> None:
    names = [f"provider/{'very-' * 10}long-{letter}" for letter in "ab"]
    drawn = [point["at"] for point in points(axis_chart("total", ("model",), one_axis(*names, path="model")))]
    assert [label[:12] for label in drawn] == ["1. provider/", "2. provider/"]


def test_cells_of_a_list_are_bars_with_all_that_varies() -> None:
    rows = two_axes().rows[:2]
    chart = sweep_chart("total", ("temperature", "top_p"), rows, grid=False)
    assert [point["at"] for point in points(chart)] == ["0.2 · 0.5", "0.2 · 1"]


def test_figure_that_nobody_tells_has_no_chart() -> None:
    assert axis_chart("cost", ("temperature",), one_axis(0, 1)) is None
    assert sweep_image("cost", ("temperature",), one_axis(0, 1), grid=True) is None


def test_a_report_gets_charts_of_what_is_known() -> None:
    one = SweepReport.of(state(CALLS[:2], AXES[0]), RUNS)
    unknown = SweepReport.of(state(CALLS, *AXES, Axis("seed", (1,))), {})
    images = sweep_images([one, two_axes(), unknown])
    told = [
        (f"Sweep {number}, {sweep.name}", name) for number, sweep in ((1, one), (2, two_axes())) for name in ("total", "tokens out", "cost")
    ]
    assert [*images] == [f"{sweep}: {name}" for sweep, name in told]
    assert all(image.startswith(PNG) for image in images.values())
