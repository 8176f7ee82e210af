"""Do figures of two slots (length, latency, cost) differ by more than chance deals them? Permutation tests, corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import comb
from typing import Final

import numpy as np

from core.comparison.figures import COST, SlotFigures
from core.comparison.interval import Interval, median_difference
from core.comparison.noise_floor import ALPHA, MOST_DEALS, deals_of, holm, smallest_p

TESTED: Final = ("tokens out", "first token", "total", COST)
"""Figures that are tested: what an answer costs in length, time and money. The others follow from these."""


@dataclass(frozen=True, slots=True)
class FigureDifference:
    """A slot's figure less the baseline's: the difference of medians with its 95 % bootstrap interval; ``share`` is that difference over
    the baseline's median, None where that is 0. ``p_value`` is corrected (Holm); None where it could never be small enough."""

    name: str
    place: int
    difference: Interval
    share: float | None
    p_value: float | None

    @property
    def differs(self) -> bool:
        """Whether a difference is claimed."""
        return self.p_value is not None and self.p_value <= ALPHA


def figure_differences(figures: Sequence[SlotFigures]) -> tuple[FigureDifference, ...]:
    """Every tested figure of every slot against the first slot's; ``p_value`` is corrected for all of them together.

    So the chance that any is claimed, where no slot differs, is 5 % at most. Figures that a slot does not have are left out. Where
    correction leaves none that could be claimed, whatever the figures are, none has a p-value.
    """
    found = [
        _difference(name, place, figures[0].values[name], one.values[name])
        for place, one in enumerate(figures[1:], 1)
        for name in TESTED
        if figures[0].values[name] and one.values[name]
    ]
    told = [one for one in found if one.p_value is not None]
    counts = {(one.name, one.place): (len(figures[0].values[one.name]), len(figures[one.place].values[one.name])) for one in told}
    possible = any(len(told) * smallest_p(*count) <= ALPHA for count in counts.values())
    adjusted = iter(holm([one.p_value for one in told if one.p_value is not None]))
    p_values = [None if one.p_value is None else next(adjusted) for one in found]
    return tuple(replace(one, p_value=p if possible else None) for one, p in zip(found, p_values, strict=True))


def _difference(name: str, place: int, baseline: tuple[float, ...], other: tuple[float, ...]) -> FigureDifference:
    middle = float(np.median(baseline))
    difference = _median_difference(baseline, other)
    return FigureDifference(name, place, difference, difference.median / middle if middle else None, permutation_p(baseline, other))


@lru_cache(maxsize=512)
def _median_difference(baseline: tuple[float, ...], other: tuple[float, ...]) -> Interval:
    return median_difference(baseline, other)


@lru_cache(maxsize=512)
def permutation_p(a: tuple[float, ...], b: tuple[float, ...]) -> float | None:
    """The two-sided p-value of the difference of means when the values are dealt anew; exact where there are at most 20,000 deals.

    None where it could not be 0.05 or less, whatever the values are.
    """
    if min(len(a), len(b)) < 2 or smallest_p(len(a), len(b)) > ALPHA:
        return None
    ways = comb(len(a) + len(b), len(a)) // (2 if len(a) == len(b) else 1)
    pooled, exact = np.array([*a, *b]), ways <= MOST_DEALS
    chosen = np.array(list(deals_of(len(pooled), len(a), exact, 0)))
    sums = pooled[chosen].sum(axis=1)
    dealt = np.abs(sums / len(a) - (pooled.sum() - sums) / len(b))
    observed = abs(float(np.mean(a)) - float(np.mean(b)))
    reached = int((dealt >= observed - 1e-12 * max(1.0, observed)).sum())
    return reached / len(chosen) if exact else (reached + 1) / (len(chosen) + 1)
