"""What a run took, and tokens per second."""

from __future__ import annotations

import pytest

from core.metrics import Stopwatch, Timings, tokens_per_second


@pytest.mark.parametrize(
    ("tokens", "first_token_s", "total_s", "expected"),
    [
        (101, 2.0, 4.0, 50.0),  # a hundred tokens after the first in two seconds; the wait before it does not count
        (2, 0.0, 0.5, 2.0),
        (1, 1.0, 2.0, None),
        (0, 1.0, 2.0, None),
        (9, 2.0, 2.0, None),
        (9, 3.0, 2.0, None),
        (None, 1.0, 2.0, None),
        (9, None, 2.0, None),
        (9, 1.0, None, None),
    ],
)
def test_tokens_per_second_is_what_came_after_the_first_by_the_time_after_it(
    tokens: int | None, first_token_s: float | None, total_s: float | None, expected: float | None
) -> None:
    assert tokens_per_second(tokens, first_token_s, total_s) == expected


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_times_count_from_the_moment_the_run_was_asked_for() -> None:
    clock = Clock()
    watch = Stopwatch(clock)
    for wait, mark in ((0.5, watch.sent), (1.0, watch.first_token), (2.0, watch.ended)):
        clock.now += wait
        mark()
    clock.now += 10
    assert watch.timings(9) == Timings(queued_s=0.5, first_token_s=1.5, total_s=3.5, tokens_per_s=4.0)


def test_each_mark_counts_the_first_time_only() -> None:
    clock = Clock()
    watch = Stopwatch(clock)
    for wait in (1.0, 1.0, 1.0):
        clock.now += wait
        watch.sent()
        watch.first_token()
        watch.ended()
    assert watch.timings(None) == Timings(1.0, 1.0, 1.0, None)


def test_while_a_run_goes_on_the_total_is_the_time_until_now() -> None:
    clock = Clock()
    watch = Stopwatch(clock)
    assert watch.timings(None) == Timings(total_s=0.0)
    clock.now += 2.5
    assert watch.timings(None) == Timings(total_s=2.5)


def test_figures_are_rounded_for_people() -> None:
    shown = Timings(0.000_012, 0.123_456, 2.000_04, 33.333).to_dict()
    assert shown == {"queued_s": 0.0, "first_token_s": 0.1235, "total_s": 2.0, "tokens_per_s": 33.3}
    assert set(Timings().to_dict().values()) == {None}
