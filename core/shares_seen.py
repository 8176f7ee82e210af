"""A load balancer's weights beside what was drawn: by a seeded rehearsal, and by the runs that were really made."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.local_router.load_balancer import draw, shares
from core.local_router.plan import read_plan, settled
from core.run import Run, RunSnapshot

DRAWS: Final = 1_000
FEWEST_RUNS: Final = 10
Z_95: Final = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: 95 % lie between it and its negative."""


@dataclass(frozen=True, slots=True)
class Share:
    """One model's shares, each a part of 1. ``low`` to ``high`` is the 95 % interval of the ``seen`` runs; all None without any."""

    model: str
    configured: float
    drawn: float
    count: int
    seen: float | None
    low: float | None
    high: float | None

    @property
    def agrees(self) -> bool:
        """Whether the configured share lies in the interval."""
        return self.low is None or self.high is None or self.low <= self.configured <= self.high


@dataclass(frozen=True, slots=True)
class SharesSeen:
    """The models of a load balancer in its order, and the number of runs that were counted."""

    rows: tuple[Share, ...]
    runs: int

    @property
    def verdict(self) -> str:
        """One sentence: what the runs say about the weights. Models stand in it by name."""
        if self.runs == 0:
            return "No run of this draft was drawn yet."
        if self.runs < FEWEST_RUNS:
            return f"Too few runs to tell (n = {self.runs})."
        odd = [row for row in self.rows if not row.agrees]
        if not odd:
            return f"Seen shares agree with the weights (n = {self.runs})."
        told = [f"{row.model} gets {'more' if (row.seen or 0) > row.configured else 'less'} than its weight" for row in odd]
        return f"{', '.join(told)} (n = {self.runs})."


def shares_seen(body: Mapping[str, Any], runs: Iterable[Run | RunSnapshot], *, seed: int = 1) -> SharesSeen | None:
    """The shares of a request's load balancer; None without one. Of ``runs`` those count that were drawn by the same weights."""
    configured = weights(body)
    if not configured:
        return None
    rng = random.Random(seed)  # noqa: S311 - shares, no secrets
    drawn = Counter(draw(tuple(configured.items()), rng) for _ in range(DRAWS))
    seen = Counter(model for run in runs if (model := _drawn(run, configured)) is not None)
    total = seen.total()
    rows = []
    for model, share in configured.items():
        low, high = wilson(seen[model], total) if total else (None, None)
        rows.append(Share(model, share, drawn[model] / DRAWS, seen[model], seen[model] / total if total else None, low, high))
    return SharesSeen(tuple(rows), total)


def weights(body: Mapping[str, Any]) -> dict[str, float]:
    """Each model's part of 1, in the order of the list; a model that is there twice has both its weights. Empty for no usable balancer."""
    try:
        balanced = read_plan(settled(body)).balanced
        parts = shares([float(weight) for _, weight in balanced])
    except (TypeError, ValueError, KeyError, AttributeError, ZeroDivisionError):
        return {}  # half edited
    found: dict[str, float] = {}
    for (model, _), part in zip(balanced, parts, strict=True):
        if not isinstance(model, str) or not part > 0:
            return {}
        found[model] = found.get(model, 0.0) + part
    return found


def wilson(count: int, total: int, z: float = Z_95) -> tuple[float, float]:
    """The Wilson score interval of a share that was seen ``count`` times out of ``total``, at least 1 (E. B. Wilson, JASA 22, 1927)."""
    seen, spread = count / total, z * z / total
    middle = (seen + spread / 2) / (1 + spread)
    half = z * math.sqrt(seen * (1 - seen) / total + spread / (4 * total)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _drawn(run: Run | RunSnapshot, configured: Mapping[str, float]) -> str | None:
    """The model that was drawn for a run of the same weights: by its trace, else the one that answered without a fallback's help."""
    theirs = weights(run.body)
    if theirs.keys() != configured.keys() or any(not math.isclose(theirs[model], part) for model, part in configured.items()):
        return None
    if run.trace is not None:
        drawn = [event.get("drawn") for event in _events(run.trace) if event.get("type") == "draw"]
        return drawn[0] if drawn and drawn[0] in configured else None
    fallbacks = {row.get("model") for row in settled(run.body).get("fallbacks") or () if isinstance(row, Mapping)}
    return run.model if run.model in configured and run.model not in fallbacks else None


def _events(trace: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    events = trace.get("events")
    return [event for event in events if isinstance(event, Mapping)] if isinstance(events, list) else []
