"""Reciprocal rank fusion: one ranking out of several whose scores cannot be compared.

``score(d) = Σ 1 / (k + rank(d))`` over the rankings that hold ``d``, ranks from 1, ``k = 60``: Cormack, Clarke, Büttcher, "Reciprocal
Rank Fusion outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009, https://doi.org/10.1145/1571941.1572114.
Divided by what being first everywhere gives, it lies in 0…1: first in both of two rankings is 1, first in one alone 0.5.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

K = 60

Item = TypeVar("Item", bound=Hashable)


def fuse(rankings: Sequence[Sequence[Item]]) -> list[tuple[Item, float]]:
    """All items with their scores, best first; of equals, the one that was met first."""
    totals: dict[Item, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            totals[item] = totals.get(item, 0.0) + 1 / (K + rank)
    best = len(rankings) / (K + 1)
    return sorted(((item, min(1.0, total / best)) for item, total in totals.items()), key=lambda pair: -pair[1])
