"""Does B differ from A by more than A and B differ from themselves? A permutation test, and one plain sentence.

Outputs of the two slots are pooled. The statistic is the mean distance between the slots less the mean distance within them (the
energy distance of Székely and Rizzo, "Energy statistics", J. Statist. Plann. Inference 143, 2013, halved); under the null hypothesis
(same settings in both) every way to deal the outputs to the slots is equally likely, so the share of deals with a statistic at
least as large is an exact p-value. A difference is claimed at p <= 0.05 only, so with equal settings it is claimed in at most 5 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from core.comparison.distance import distances

ALPHA = 0.05
MOST_DEALS = 20_000
"""With more ways to deal than these, so many are drawn at random (and the observed one counts as one of them)."""


def enough(claims: int = 1) -> int:
    """The fewest repeats of each slot at which a difference can be claimed at all, where so many ``claims`` are corrected together.

    4 for one: with 3 the smallest possible p-value is 1 in 10.
    """
    k = 2
    while claims * smallest_p(k, k) > ALPHA:
        k += 1
    return k


def smallest_p(k_a: int, k_b: int) -> float:
    """The smallest p-value that so many outputs can have: one deal of all."""
    ways = comb(k_a + k_b, k_a) // (2 if k_a == k_b else 1)
    return max(1 / ways, 1 / (MOST_DEALS + 1) if ways > MOST_DEALS else 0.0)


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """``within_*`` and ``between`` are mean distances from 0 (identical) to 1; ``within_*`` is None for a single output.

    ``p_value`` is None where it could not be ``ALPHA`` or less whatever the outputs are; ``exact`` tells that every deal was counted.
    ``claims`` is how many floors of one comparison were corrected together.
    """

    name_a: str
    name_b: str
    k_a: int
    k_b: int
    within_a: float | None
    within_b: float | None
    between: float
    p_value: float | None
    exact: bool
    claims: int = 1

    @property
    def differs(self) -> bool:
        """Whether a difference is claimed."""
        return self.p_value is not None and self.p_value <= ALPHA

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        at = f"k = {self.k_a}" if self.k_a == self.k_b else f"k = {self.k_a} and {self.k_b}"
        if self.p_value is None:
            return f"Too few repeats to tell {self.name_b} from {self.name_a} ({at}): {self.next_step}"
        if self.differs:
            return f"{self.name_b} differs from {self.name_a} by more than they differ from themselves ({at}, p = {self.p_value:.2g})."
        return f"No difference between {self.name_b} and {self.name_a} beyond run-to-run noise ({at}, p = {self.p_value:.2g})."

    @property
    def next_step(self) -> str:
        """What more repeats would tell; empty where they would tell nothing new."""
        if self.p_value is None:
            among = f" for {self.claims} slots beside {self.name_a}" if self.claims > 1 else ""
            return f"{enough(self.claims)} repeats of each slot are the fewest that can{among}. Fewer only show how far apart answers are."
        if self.differs:
            return ""
        return f"A smaller difference than these repeats can show would need more: try k = {2 * max(self.k_a, self.k_b)}."


def noise_floor(a: Sequence[str], b: Sequence[str], *, name_a: str = "A", name_b: str = "B", seed: int = 0) -> NoiseFloor:
    """Compare the outputs of two slots, at least one each; ValueError for none. ``seed`` matters only with many outputs."""
    if not a or not b:
        raise ValueError("each slot needs at least one output")
    matrix = distances([*a, *b])
    able = min(len(a), len(b)) >= 2 and smallest_p(len(a), len(b)) <= ALPHA
    exact = comb(len(a) + len(b), len(a)) // (2 if len(a) == len(b) else 1) <= MOST_DEALS
    p_value = _p_value(matrix, len(a), exact, seed) if able else None
    within_a, within_b = _mean(matrix[: len(a), : len(a)]), _mean(matrix[len(a) :, len(a) :])
    between = float(matrix[: len(a), len(a) :].mean())
    return NoiseFloor(name_a, name_b, len(a), len(b), within_a, within_b, between, p_value, exact)


def _mean(block: NDArray[np.float64]) -> float | None:
    """The mean of a square block without its diagonal."""
    n = len(block)
    return float(block.sum() / (n * (n - 1))) if n > 1 else None


def _statistics(matrix: NDArray[np.float64], deals: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The statistic of every deal: a row for each, true for the outputs that are dealt to the first slot."""
    one = deals.astype(float)
    other = 1.0 - one
    to_one, k = one @ matrix, one.sum(axis=1)
    rest = len(matrix) - k
    between = (to_one * other).sum(axis=1) / (k * rest)
    within_one = (to_one * one).sum(axis=1) / np.maximum(k * (k - 1), 1)
    within_other = ((other @ matrix) * other).sum(axis=1) / np.maximum(rest * (rest - 1), 1)
    return np.asarray(between - (within_one + within_other) / 2)


def _p_value(matrix: NDArray[np.float64], k_a: int, exact: bool, seed: int) -> float:
    chosen = np.array(list(deals_of(len(matrix), k_a, exact, seed)))
    deals = np.zeros((len(chosen), len(matrix)), dtype=bool)
    np.put_along_axis(deals, chosen, True, axis=1)
    as_it_is = np.arange(len(matrix))[None, :] < k_a
    reached = int((_statistics(matrix, deals) >= _statistics(matrix, as_it_is) - 1e-12).sum())
    return reached / len(deals) if exact else (reached + 1) / (len(deals) + 1)


def corrected(floors: Sequence[NoiseFloor]) -> list[NoiseFloor]:
    """The floors of one comparison with p-values corrected for how many there are (Holm, Scand. J. Statist. 6, 1979).

    So the chance that any of their sentences claims a difference, where no slot differs, is 5 % at most. Where correction leaves none
    that could be claimed, whatever the outputs are, no floor has a p-value, and each says how many repeats could.
    """
    told = [floor for floor in floors if floor.p_value is not None]
    possible = any(len(told) * smallest_p(floor.k_a, floor.k_b) <= ALPHA for floor in told)
    adjusted = iter(holm([floor.p_value for floor in told if floor.p_value is not None]))
    found = [None if floor.p_value is None else next(adjusted) for floor in floors]
    return [replace(floor, p_value=p if possible else None, claims=len(floors)) for floor, p in zip(floors, found, strict=True)]


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected by Holm's step-down method, in their order; none for none."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    found, most = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        most = max(most, min(1.0, p_values[place] * (len(p_values) - rank)))
        found[place] = most
    return found


def deals_of(n: int, k: int, exact: bool, seed: int) -> Iterator[NDArray[np.intp]]:
    """Ways to deal ``n`` values to two slots, the places of the first one's ``k``: every one, or ``MOST_DEALS`` drawn at random."""
    if exact:
        # With slots of one size a deal and its mirror image are the same: only those with the first output in A are counted.
        yield from (np.array(chosen) for chosen in combinations(range(n), k) if 2 * k != n or chosen[0] == 0)
    else:
        rng = np.random.default_rng(seed)
        yield from (rng.permutation(n)[:k] for _ in range(MOST_DEALS))
