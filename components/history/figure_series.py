"""Figures over time as rows that charts draw and tables show: which series there are, and what is known of each stretch."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from core.prices.pricing import dollars
from core.storage.run_figures import Figures

Row = dict[str, Any]
Latency = Literal["first_token_s", "total_s"]

TOP: Final = 5
"""So many models are told apart; the rest is one series, because more colours cannot be."""
TOGETHER: Final = "all models"
OTHER: Final = "other models"
UNTOLD: Final = "no model told"
FAILED: Final = "failed or interrupted"
BAR: Final = 0.9
"""The part of a stretch that its bar takes; the rest is the gap to the next one."""
PERCENTILES: Final = (("p50", "median"), ("p95", "95th percentile"))


class FigureSeries:
    """``figures`` in stretches of ``bucket``, by model where ``by_model``, else all together. Unknown values have no row, never a 0."""

    def __init__(self, figures: Sequence[Figures], bucket: timedelta, *, by_model: bool) -> None:
        self._figures = [(one.start, one) for one in figures if one.start is not None]
        self._bucket = bucket
        self._by_model = by_model
        counted: Counter[str] = Counter()
        for one in figures:
            if one.group is not None:
                counted[one.group] += one.runs
        self._top = tuple(name for name, _ in counted.most_common(TOP))
        self.names = self._names()

    def _names(self) -> tuple[str, ...]:
        there = {self.name(one) for _, one in self._figures}
        return tuple(name for name in (TOGETHER, *self._top, OTHER, UNTOLD) if name in there)

    def name(self, figures: Figures) -> str:
        """The series that a group belongs to."""
        if not self._by_model:
            return TOGETHER
        if figures.group is None:
            return UNTOLD
        return figures.group if figures.group in self._top else OTHER

    @property
    def total(self) -> int:
        """All runs."""
        return sum(one.runs for _, one in self._figures)

    @property
    def failed(self) -> int:
        """Runs that failed or were interrupted."""
        return sum(one.failed for _, one in self._figures)

    @property
    def unknown_cost(self) -> int:
        """Runs whose cost is unknown."""
        return sum(one.unknown_cost for _, one in self._figures)

    @property
    def cost_usd(self) -> Decimal | None:
        """What the others cost; None where no cost is known."""
        known = [one.cost_usd for _, one in self._figures if one.cost_usd is not None]
        return sum(known, Decimal(0)) if known else None

    @property
    def domain(self) -> tuple[datetime, datetime]:
        """From the first stretch to the end of the last."""
        starts = [start for start, _ in self._figures]
        return min(starts), max(starts) + self._bucket

    def runs(self) -> list[Row]:
        """Runs by series; those that failed are a series of their own, whatever model they were for."""
        sums: defaultdict[tuple[datetime, str], int] = defaultdict(int)
        for start, one in self._figures:
            sums[start, self.name(one)] += one.runs - one.failed
            sums[start, FAILED] += one.failed
        return [self._row(start, name, value=count) for (start, name), count in sums.items() if count]

    def tokens(self) -> list[Row]:
        """Tokens by series and kind, where they were told."""
        sums: defaultdict[tuple[datetime, str, str], int] = defaultdict(int)
        for start, one in self._figures:
            for kind, count in (("in", one.prompt_tokens), ("out", one.completion_tokens)):
                if count is not None:
                    sums[start, self.name(one), kind] += count
        return [self._row(start, name, kind=kind, value=count) for (start, name, kind), count in sums.items()]

    def costs(self) -> list[Row]:
        """Dollars by series, of the runs whose cost is known; ``unknown`` counts the others of the same stretch and series."""
        sums: dict[tuple[datetime, str], Decimal] = {}
        unknown: Counter[tuple[datetime, str]] = Counter()
        for start, one in self._figures:
            place = (start, self.name(one))
            unknown[place] += one.unknown_cost
            if one.cost_usd is not None:
                sums[place] = sums.get(place, Decimal(0)) + one.cost_usd
        return [
            self._row(start, name, value=float(usd), cost=dollars(usd), unknown=unknown[start, name]) for (start, name), usd in sums.items()
        ]

    def without_cost(self) -> list[Row]:
        """The stretches in which no cost at all is known, with how many runs they have."""
        known = {start for start, one in self._figures if one.cost_usd is not None}
        counts: Counter[datetime] = Counter()
        for start, one in self._figures:
            counts[start] += one.runs
        return [self._row(start, "", value=0, unknown=count) for start, count in counts.items() if start not in known]

    def latencies(self, measure: Latency) -> list[Row]:
        """Seconds by series and percentile, where there are any. ``part`` tells lines apart: one does not go on over an empty stretch."""
        rows: list[Row] = []
        parts: dict[str, tuple[datetime, int]] = {}
        for start, one in sorted(self._figures, key=lambda found: found[0]):
            name = self.name(one)
            if name == OTHER or getattr(one, f"{measure}_p50") is None:  # percentiles of several models cannot be put together
                continue
            before, part = parts.get(name, (start, 0))
            parts[name] = (start, part + (start - before > self._bucket))
            for percentile, kind in PERCENTILES:
                seconds = getattr(one, f"{measure}_{percentile}")
                rows.append(self._row(start, name, kind=kind, value=seconds, part=f"{name} {kind} {parts[name][1]}"))
        return rows

    def _row(self, start: datetime, name: str, **values: Any) -> Row:
        bar = start + self._bucket * BAR
        middle = start + self._bucket * BAR / 2
        return {"start": _ms(start), "end": _ms(bar), "middle": _ms(middle), "when": when(start), "series": name, **values}


def when(moment: datetime) -> str:
    """A moment as people read it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def table_rows(figures: Sequence[Figures], *, by_model: bool) -> Iterator[Row]:
    """The figures as a table: one row for each stretch (and model), exact, empty where nothing is known."""
    for one in figures:
        yield {
            **({"from": one.start} if one.start else {}),
            **({"model": one.group or UNTOLD} if by_model else {}),
            "runs": one.runs,
            "failed": one.failed,
            "tokens in": one.prompt_tokens,
            "tokens out": one.completion_tokens,
            "cost in $": None if one.cost_usd is None else f"{one.cost_usd.normalize():f}",
            "cost unknown": one.unknown_cost,
            "first token p50": one.first_token_s_p50,
            "first token p95": one.first_token_s_p95,
            "total p50": one.total_s_p50,
            "total p95": one.total_s_p95,
        }
