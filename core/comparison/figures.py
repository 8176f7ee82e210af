"""What a slot's runs came to, in figures: medians with intervals where there are several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from core.comparison.interval import Interval, median_interval
from core.contract.response import Usage
from core.prices.pricing import PriceList
from core.prices.run_cost import run_cost
from core.run import RunSnapshot

Measure = Callable[[RunSnapshot], float | None]


def _cached(usage: Usage) -> int | None:
    return usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else None


def _reasoning(usage: Usage) -> int | None:
    return usage.completion_tokens_details.reasoning_tokens if usage.completion_tokens_details else None


MEASURES: Final[dict[str, Measure]] = {
    "first token": lambda run: run.timings.first_token_s,
    "total": lambda run: run.timings.total_s,
    "tokens/s": lambda run: run.timings.tokens_per_s,
    "tokens in": lambda run: run.usage.prompt_tokens if run.usage else None,
    "tokens out": lambda run: run.usage.completion_tokens if run.usage else None,
    "cached": lambda run: _cached(run.usage) if run.usage else None,
    "reasoning": lambda run: _reasoning(run.usage) if run.usage else None,
}
"""By the name that is shown: seconds, tokens a second, tokens. None where a run does not tell."""

COST: Final = "cost"


@dataclass(frozen=True, slots=True)
class SlotFigures:
    """``figures`` by name as in ``MEASURES`` and ``cost`` (US dollars), None where no run tells; over the ``finished`` ones of ``runs``.

    ``finish_reasons`` are those of every choice, with how often they came, the most frequent first; ``answers`` are the texts of the
    finished runs' first choices, in the runs' order. ``values`` are what ``figures`` were made of, as far as runs told them.
    """

    runs: int
    ended: int
    finished: int
    figures: dict[str, Interval | None]
    finish_reasons: tuple[tuple[str, int], ...]
    answers: tuple[str, ...]
    values: Mapping[str, tuple[float, ...]]


def slot_figures(runs: Sequence[RunSnapshot], prices: PriceList) -> SlotFigures:
    """The figures of a slot's runs. Only runs that finished count: one that was stopped or failed is no measurement."""
    finished = [run for run in runs if run.status == "finished"]
    values = {name: _told(measure(run) for run in finished) for name, measure in MEASURES.items()}
    costs = (run_cost(run, prices).usd for run in finished)
    values[COST] = _told(None if usd is None else float(usd) for usd in costs)
    figures = {name: figure_interval(told) if told else None for name, told in values.items()}
    reasons = [choice.finish_reason for run in finished for choice in run.choices.values() if choice.finish_reason]
    counted = sorted({reason: reasons.count(reason) for reason in reasons}.items(), key=lambda pair: -pair[1])
    ended = sum(run.ended for run in runs)
    return SlotFigures(len(runs), ended, len(finished), figures, tuple(counted), tuple(run.text for run in finished), values)


def _told(values: Iterable[float | None]) -> tuple[float, ...]:
    return tuple(value for value in values if value is not None)


@lru_cache(maxsize=2048)
def figure_interval(figures: tuple[float, ...]) -> Interval:
    """The median of a figure's values with its interval. Ten thousand resamples take some milliseconds, and a page is drawn often."""
    return median_interval(figures)
