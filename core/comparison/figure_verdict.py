"""Whether slots differ in length, latency or cost, in plain sentences: on the page and in a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.comparison.figure_noise import FigureDifference, figure_differences
from core.comparison.figure_text import value_text
from core.comparison.figures import SlotFigures
from core.comparison.noise_floor import enough


class FigureVerdict(NamedTuple):
    """``claims`` has a sentence for every slot with a difference that is more than noise; ``remark`` says why there is none, where figures
    were compared at all."""

    claims: tuple[str, ...] = ()
    remark: str = ""


def figure_verdict(figures: Sequence[SlotFigures], titles: Sequence[str]) -> FigureVerdict:
    """What the figures of the slots that are called ``titles`` say, against the first one's."""
    found = figure_differences(figures)
    if not found:
        return FigureVerdict()
    if all(one.p_value is None for one in found):
        few = f"Length, latency and cost: too few repeats to tell a difference from noise. {enough(len(found))} of each slot can."
        return FigureVerdict(remark=few)
    claimed = [one for one in found if one.differs]
    if not claimed:
        return FigureVerdict(remark="Length, latency and cost: no difference beyond run-to-run noise.")
    told = {place: ", ".join(_told(one) for one in claimed if one.place == place) for place in sorted({one.place for one in claimed})}
    return FigureVerdict(tuple(f"{titles[place]} against {titles[0]}: {words}." for place, words in told.items()))


def _told(one: FigureDifference) -> str:
    """``total +0.4 s, +38 % (+0.3 s to +0.5 s)``."""
    share = "" if one.share is None else f", {one.share:+.0%}".replace("%", " %")
    low, high = one.difference.low, one.difference.high
    interval = "" if low is None or high is None else f" ({_signed(one.name, low)} to {_signed(one.name, high)})"
    return f"{one.name} {_signed(one.name, one.difference.median)}{share}{interval}"


def _signed(name: str, value: float) -> str:
    return f"{'−' if value < 0 else '+'}{value_text(name, abs(value))}"
