"""What the press of Run will come to: calls, tokens, a range of costs, and time."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.outgoing import most_tokens
from core.prices.preflight import least_cost, most_cost
from core.prices.pricing import PriceList


@dataclass(frozen=True, slots=True)
class Preflight:
    """``tokens`` are the most that can come out, ``least_usd`` and ``most_usd`` what all calls cost: None where a slot's is unknown.

    ``seconds`` is about how long it takes with ``at_once`` calls under way at a time, None where a slot's model was not called before.
    ``unpriced`` and ``untimed`` are the places of slots of which that is not known.
    """

    calls: int
    tokens: int | None
    least_usd: Decimal | None
    most_usd: Decimal | None
    unpriced: tuple[int, ...]
    seconds: float | None
    untimed: tuple[int, ...]
    at_once: int

    def above(self, budget_usd: Decimal | None) -> bool:
        """Whether it may cost more than a budget; what is not known may."""
        return budget_usd is not None and (self.most_usd is None or self.most_usd > budget_usd)


def preflight(
    bodies: Sequence[Mapping[str, Any]], repeats: int, prices: PriceList, seconds: Sequence[float | None], *, at_once: int
) -> Preflight:
    """What ``repeats`` calls of each body come to; ``seconds`` is how long one call of each takes."""
    tokens = [most_tokens(body) for body in bodies]
    least, most = ([reckon(body, prices) for body in bodies] for reckon in (least_cost, most_cost))
    rounds = [one for _ in range(repeats) for one in seconds]
    return Preflight(
        calls=len(bodies) * repeats,
        tokens=None if None in tokens else sum(one or 0 for one in tokens) * repeats,
        least_usd=_sum(least, repeats),
        most_usd=_sum(most, repeats),
        unpriced=tuple(place for place, one in enumerate(most) if one is None),
        seconds=None if None in rounds else makespan([one for one in rounds if one is not None], at_once),
        untimed=tuple(place for place, one in enumerate(seconds) if one is None),
        at_once=at_once,
    )


def makespan(seconds: Sequence[float], at_once: int) -> float:
    """How long calls of these lengths take that are started in order, ``at_once`` (at least 1) at a time."""
    free = [0.0] * max(1, at_once)
    for one in seconds:
        heapq.heapreplace(free, free[0] + one)
    return max(free)


def _sum(costs: Sequence[Decimal | None], repeats: int) -> Decimal | None:
    return None if None in costs else sum((one for one in costs if one is not None), Decimal(0)) * repeats
