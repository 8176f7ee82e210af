"""A slot's runs in figures."""

from __future__ import annotations

from dataclasses import replace

from core.comparison.figures import slot_figures
from core.contract.response import Usage
from core.metrics import Timings
from core.prices.pricing import PriceList
from tests.core.storage import samples


def run(total_s: float, **fields: object):
    one = samples.run(asked=samples.body())
    return replace(one, **{"status": "finished", "timings": replace(one.timings, total_s=total_s), **fields})


def test_medians_are_over_finished_runs_only():
    runs = [run(1.0), run(3.0), run(2.0), run(99.0, status="stopped"), run(99.0, status="failed"), run(99.0, status="streaming")]
    found = slot_figures(runs, PriceList())
    assert (found.runs, found.ended, found.finished) == (6, 5, 3)
    total = found.figures["total"]
    assert (total.median, total.n) == (2.0, 3)
    assert total.low <= total.median <= total.high


def test_single_run_has_no_interval():
    total = slot_figures([run(1.5)], PriceList()).figures["total"]
    assert (total.median, total.low, total.high) == (1.5, None, None)


def test_what_no_run_tells_is_none_and_zero_is_not():
    found = slot_figures([run(1.0, usage=Usage(prompt_tokens=0, completion_tokens=4))], PriceList()).figures
    assert found["tokens in"].median == 0
    assert found["tokens out"].median == 4
    assert found["cached"] is None
    assert slot_figures([run(1.0, usage=None)], PriceList()).figures["tokens in"] is None


def test_no_runs_are_no_figures():
    found = slot_figures([], PriceList())
    assert (found.runs, found.finished, found.answers) == (0, 0, ())
    assert set(found.figures.values()) == {None}


def test_timings_that_are_unknown_do_not_count():
    assert slot_figures([run(1.0), replace(run(1.0), timings=Timings())], PriceList()).figures["total"].n == 1
