"""What a sweep can come to at most, before it is started: calls, tokens, cost, and about how long it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from core.outgoing import most_tokens
from core.prices.preflight import most_cost
from core.prices.pricing import PriceList
from core.sweep.plan import SweepPlan


@dataclass(frozen=True, slots=True)
class SweepBounds:
    """``calls`` are those of the plan; ``most_calls`` counts tries that a 429 may make necessary, never above the hard limit.

    ``tokens`` and ``cost_usd`` are upper bounds of the plan's calls, each answered once: a refused call makes no tokens. None where some
    call has no bound. ``seconds`` is about how long it takes at ``parallel`` calls at once; None while nobody knows a call's time.
    """

    calls: int
    most_calls: int
    tokens: int | None
    cost_usd: Decimal | None
    parallel: int
    seconds: float | None


def sweep_bounds(plan: SweepPlan, prices: PriceList, *, parallel: int, call_s: float | None = None) -> SweepBounds:
    """The bounds of a plan; ``call_s`` is what one call took lately."""
    bodies = [plan.body(cell) for cell in range(plan.size)]
    repeats, calls = plan.settings.repeats, plan.calls
    tokens = [most_tokens(body) for body in bodies]
    costs = [most_cost(body, prices) for body in bodies]
    parallel = max(1, min(parallel, plan.settings.at_once))
    return SweepBounds(
        calls=calls,
        most_calls=min(plan.settings.most_calls, calls * plan.settings.tries),
        tokens=None if None in tokens else sum(one or 0 for one in tokens) * repeats,
        cost_usd=None if None in costs else sum((one or Decimal(0) for one in costs), Decimal(0)) * repeats,
        parallel=parallel,
        seconds=None if call_s is None else math.ceil(calls / parallel) * call_s,
    )
