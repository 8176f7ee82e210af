"""Figures of slots: differences beyond chance, against SciPy, and no more claims under the null than said."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.stats import binomtest, permutation_test

from core.comparison.figure_noise import TESTED, figure_differences, permutation_p
from core.comparison.figures import MEASURES, SlotFigures
from core.comparison.interval import median_interval
from core.comparison.noise_floor import ALPHA, corrected, enough, holm, noise_floor

WORDS = "a function definition may be wrapped by one or more decorator expressions".split()  # noqa: SIM905


def slot(**values: tuple[float, ...]) -> SlotFigures:
    told = {**dict.fromkeys([*MEASURES, "cost"], ()), **{name.replace("_", " "): one for name, one in values.items()}}
    figures = {name: median_interval(one) if one else None for name, one in told.items()}
    k = max(map(len, told.values()))
    return SlotFigures(k, k, k, figures, (), tuple("x" for _ in range(k)), told)


@pytest.mark.parametrize(
    ("a", "b"), [((1, 2, 3, 4), (2, 3, 4, 9)), ((1.0, 1.5, 1.2, 0.9, 1.1), (2.0, 2.2, 1.9, 2.5)), ((5, 5, 5, 5), (5, 5, 5, 5))]
)
def test_exact_p_value_is_scipys(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    def statistic(one: np.ndarray, other: np.ndarray, axis: int) -> np.ndarray:
        return np.abs(np.mean(one, axis=axis) - np.mean(other, axis=axis))

    expected = permutation_test((a, b), statistic, n_resamples=np.inf, alternative="greater", vectorized=True).pvalue
    assert permutation_p(a, b) == pytest.approx(expected)


def test_holm_is_the_step_down_method() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_few_values_claim_nothing_and_equal_ones_do_not_differ() -> None:
    assert permutation_p((1, 2, 3), (7, 8, 9)) is None
    [found] = figure_differences([slot(total=(1.0, 1.0, 1.0, 1.0)), slot(total=(1.0, 1.0, 1.0, 1.0))])
    assert (found.differs, found.p_value, found.share) == (False, 1.0, 0.0)


def test_figures_that_no_correction_leaves_a_claim_say_nothing_instead_of_no_difference() -> None:
    far = {name.replace(" ", "_"): (1.0, 1.0, 1.0, 1.0) for name in TESTED}, {name.replace(" ", "_"): (9.0,) * 4 for name in TESTED}
    found = figure_differences([slot(**one) for one in far])
    assert [one.p_value for one in found] == [None] * len(TESTED)
    k = enough(len(TESTED))
    assert figure_differences([slot(total=(1.0,) * k), slot(total=(9.0,) * k)])[0].differs


def test_real_difference_is_found_with_its_size_and_the_others_are_not() -> None:
    drawn = random.Random(1)
    first, second = ({name.replace(" ", "_"): tuple(drawn.gauss(10, 1) for _ in range(6)) for name in TESTED} for _ in range(2))
    second["total"] = tuple(value + 8 for value in second["total"])
    found = {one.name: one for one in figure_differences([slot(**first), slot(**second)])}
    assert [name for name, one in found.items() if one.differs] == ["total"]
    assert found["total"].share == pytest.approx(0.8, abs=0.25)
    assert found["total"].difference.low is not None
    assert found["total"].difference.low > 0


def test_under_the_null_something_is_claimed_in_at_most_one_of_twenty_comparisons() -> None:
    """200 comparisons of three slots that are set alike; a claim about any slot counts. The bound leaves room for the draw: more claims
    than these would come up in fewer than one of a hundred such tests, if the true share is 5 %."""
    drawn = random.Random(7)
    by_figure = by_answer = 0
    for _ in range(200):
        values = [[tuple(drawn.lognormvariate(0, 0.4) for _ in range(5)) for _ in TESTED] for _ in range(3)]
        raw = [permutation_p(one, other) for place in (1, 2) for one, other in zip(values[0], values[place], strict=True)]
        by_figure += any(p_value <= ALPHA for p_value in holm([p_value for p_value in raw if p_value is not None]))
        answers = [tuple(" ".join(drawn.choices(WORDS, k=8)) for _ in range(5)) for _ in range(3)]
        by_answer += any(floor.differs for floor in corrected([noise_floor(answers[0], other) for other in answers[1:]]))
    assert len(raw) == 2 * len(TESTED)
    for claims in (by_figure, by_answer):
        assert binomtest(claims, 200, 0.05, alternative="greater").pvalue > 0.01
