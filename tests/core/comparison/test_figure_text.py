"""Figures are told as what was measured, wherever they stand."""

from __future__ import annotations

import pytest

from core.comparison.figure_text import figure_text, value_text
from core.comparison.figures import COST
from core.comparison.interval import Interval
from core.share.snapshot import SharedInterval


@pytest.mark.parametrize("usd", [0.0000001, 0.00000004])
def test_cost_that_is_small_is_not_told_as_nothing(usd: float) -> None:
    assert value_text(COST, usd) != value_text(COST, 0.0) == "$0"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (COST, 0.0125, "$0.0125"),
        ("total", 0.0924, "92 ms"),
        ("total", 0.9996, "1.00 s"),
        ("first token", 1.236, "1.24 s"),
        ("tokens out", 1240.0, "1,240"),
        ("tokens out", 6.5, "6.5"),
        ("tokens/s", 79.6, "80"),
        ("cached", 0.0, "0"),
    ],
)
def test_value_has_the_unit_of_its_figure(name: str, value: float, told: str) -> None:
    assert value_text(name, value) == told


def test_interval_stands_behind_the_median_where_it_says_more() -> None:
    assert figure_text("total", Interval(0.5, 0.4, 1.25, 5)) == "500 ms (400 ms – 1.25 s)"
    assert figure_text("total", Interval(0.5, 0.5, 0.5, 5)) == figure_text("total", Interval(0.5, None, None, 1)) == "500 ms"
    assert figure_text("total", None) == "–"


def test_figure_behind_a_link_is_told_as_on_the_page() -> None:
    assert figure_text(COST, SharedInterval(median=0.00042, low=0.0004, high=0.00005, n=3)) == figure_text(
        COST, Interval(0.00042, 0.0004, 0.00005, 3)
    )
