"""Charts: a picture for each figure that a slot has, made without a network."""

from __future__ import annotations

from core.comparison.charts import all_in_one, chart_images, figure_chart, heat_image, heat_map, sweep_images
from core.sweep.axes import Axis
from core.sweep.report import SweepReport
from tests.core.comparison.test_figure_noise import slot
from tests.core.sweep.test_cell_rows import state
from tests.core.sweep.test_report import AXES, CALLS, RUNS, two_axes

PNG = b"\x89PNG\r\n\x1a\n"


def test_every_figure_that_a_slot_has_is_a_picture_and_no_other() -> None:
    made = [slot(total=(1.0, 1.2), tokens_out=(20.0, 25.0)), slot(total=(2.0, 2.4))]
    images = chart_images(made)
    assert [*images] == ["total", "tokens out"]
    assert all(image.startswith(PNG) and len(image) > 2_000 for image in images.values())
    assert (all_in_one(made) or b"").startswith(PNG)
    assert all_in_one([slot()]) is None


def test_chart_has_the_medians_intervals_and_every_run() -> None:
    chart = figure_chart("total", [slot(total=(1.0, 1.2, 5.0)), slot(total=(2.0,))])
    assert chart is not None
    rows = [row for dataset in chart.to_dict()["datasets"].values() for row in dataset]
    medians = [row for row in rows if "median" in row]
    assert [(row["slot"], row["median"], row["low"] is None) for row in medians] == [("A", 1.2, False), ("B", 2.0, True)]
    assert [row["value"] for row in rows if "value" in row] == [1.0, 1.2, 5.0]


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
    assert (heat_image("tokens out", ("temperature", "top_p"), rows) or b"").startswith(PNG)
    assert heat_map("reasoning", ("temperature", "top_p"), rows) is None
    assert heat_image("tokens out", ("temperature",), rows) is None


def test_a_report_gets_heat_maps_of_grids_only_and_of_what_is_known() -> None:
    one_axis = SweepReport.of(state(CALLS[:2], AXES[0]), RUNS)
    unknown = SweepReport.of(state(CALLS, *AXES, Axis("seed", (1,))), {})
    images = sweep_images([one_axis, two_axes(), unknown])
    assert [*images] == [f"Sweep 2, {two_axes().name}: {name}" for name in ("total", "tokens out", "cost")]
    assert all(image.startswith(PNG) for image in images.values())
