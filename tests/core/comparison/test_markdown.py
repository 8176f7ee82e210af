"""Figures of a report are what was measured."""

from __future__ import annotations

import pytest

from core.comparison.figures import COST
from core.comparison.markdown import figure_value


@pytest.mark.parametrize("usd", [0.0000001, 0.00000004])
def test_cost_that_is_small_is_not_told_as_nothing(usd: float) -> None:
    assert figure_value(COST, usd) != figure_value(COST, 0.0) == "$0"


def test_costs_are_told_as_on_the_page() -> None:
    assert figure_value(COST, 0.0125) == "$0.0125"
