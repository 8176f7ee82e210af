"""How long a plan can take and how many calls it can make, at worst."""

from __future__ import annotations

from dataclasses import dataclass

from core.local_router.plan import Plan
from core.local_router.retry import BACK_OFF_S, JITTER


@dataclass(frozen=True, slots=True)
class WorstCase:
    """What no execution of a plan exceeds.

    ``attempts`` calls of models, each of which a provider may bill, on ``targets`` models one after the other. ``attempts_s`` seconds
    in them, None for no limit, and ``waits_s`` between them, longer only where a provider's ``Retry-After`` asks for it. Reading the
    request, knowledge and the cache come on top.
    """

    targets: int
    attempts: int
    attempts_s: float | None
    waits_s: float

    @property
    def wall_s(self) -> float | None:
        """Seconds from the first attempt to the end, None for no limit."""
        return None if self.attempts_s is None else self.attempts_s + self.waits_s


def worst_case(plan: Plan) -> WorstCase:
    """The worst that ``plan`` allows, whatever statuses its models answer with."""
    retries = plan.retry.count if any(_fails(code) for code in plan.retry.on_codes) else 0
    targets = 1 + (len(plan.fallbacks) if any(_fails(code) for code in plan.fallback_on_codes) else 0)
    attempts = targets * (1 + retries)
    waits_s = targets * sum(BACK_OFF_S[:retries]) * (1 + JITTER)
    return WorstCase(targets, attempts, None if plan.call_timeout_ms is None else attempts * plan.call_timeout_ms / 1000, waits_s)


def _fails(code: float) -> bool:
    """Whether an attempt can fail with this status."""
    return 400 <= code <= 599 and code == int(code)
