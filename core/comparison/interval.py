"""Medians with intervals, for figures of which a slot has few: length, latency, cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
FEWEST = 2


@dataclass(frozen=True, slots=True)
class Interval:
    """A median and its 95 % bootstrap interval; ``low`` and ``high`` are None with a single figure."""

    median: float
    low: float | None
    high: float | None
    n: int


def median_interval(figures: Sequence[float], *, seed: int = 0) -> Interval:
    """The median with its 95 % percentile bootstrap interval (Efron, 1979); ValueError for no figures."""
    if not len(figures):
        raise ValueError("there are no figures")
    sample = np.asarray(figures, dtype=float)
    if len(sample) < FEWEST:
        return Interval(float(sample[0]), None, None, 1)
    medians = np.median(_resampled(sample, seed), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return Interval(float(np.median(sample)), float(low), float(high), len(sample))


def median_difference(a: Sequence[float], b: Sequence[float], *, seed: int = 0) -> Interval:
    """Median of ``b`` less median of ``a``, with its 95 % percentile bootstrap interval; ``n`` is the smaller size."""
    if not len(a) or not len(b):
        raise ValueError("there are no figures")
    one, other = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    median = float(np.median(other) - np.median(one))
    if min(len(one), len(other)) < FEWEST:
        return Interval(median, None, None, min(len(one), len(other)))
    differences = np.median(_resampled(other, seed + 1), axis=1) - np.median(_resampled(one, seed), axis=1)
    low, high = np.quantile(differences, [0.025, 0.975])
    return Interval(median, float(low), float(high), min(len(one), len(other)))


def _resampled(sample: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return sample[rng.integers(0, len(sample), (RESAMPLES, len(sample)))]
