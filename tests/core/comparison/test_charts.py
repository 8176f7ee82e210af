"""Charts: a picture for each figure that a slot has, made without a network."""

from __future__ import annotations

from core.comparison.charts import all_in_one, chart_images, figure_chart
from tests.core.comparison.test_figure_noise import slot

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


def test_figure_that_is_nothing_everywhere_is_no_picture() -> None:
    assert figure_chart("total", [slot(total=(0.0, 0.0)), slot(total=(0.0,))]) is None
    assert figure_chart("total", [slot(total=(0.0, 0.0, 1.0))]) is not None
