"""Which test process begins with which tests, so that all of them are busy until the end.

pytest-xdist gives each process an equal count of consecutive tests, and an idle one takes from the end of the longest queue. As they are
collected, all tests that drive a browser, which are most of the work and wait a lot, would fall to one process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

BROWSER_S = 4.0
"""About what a test takes that drives a browser and does not say."""

LONG_S = 5.0
"""What takes longer is dealt out one by one, the longest first."""


def dealt(tests: Sequence[T], processes: int, *, drives_browser: Callable[[T], bool], takes_s: Callable[[T], float]) -> list[T]:
    """``tests`` in the order in which xdist makes ``processes`` equal hands of them.

    Each hand begins with its share of the tests with a browser, by the time they take, for the browser is closed after them; then come
    long tests, then the rest as collected. Neighbours stay together where that is possible: they share what a file sets up.
    """
    hands: list[list[T]] = [[] for _ in range(processes)]
    loads = _deal_long(hands, [test for test in tests if drives_browser(test)], takes_s)
    _level(hands, loads, [test for test in tests if drives_browser(test) and takes_s(test) < LONG_S], takes_s)
    _deal_long(hands, [test for test in tests if not drives_browser(test)], takes_s)
    rest = [test for test in tests if not drives_browser(test) and takes_s(test) < LONG_S]
    for place, hand in enumerate(hands):
        left = len(tests) - sum(map(len, hands[:place]))
        room = max(left // (processes - place) - len(hand), 0)
        hand.extend(rest[:room])
        del rest[:room]
    return [test for hand in hands for test in hand] + rest


def _deal_long(hands: list[list[T]], tests: list[T], takes_s: Callable[[T], float]) -> list[float]:
    """Give the long ones of ``tests`` to whoever has the least of them, and tell how much each hand has got."""
    loads = [0.0] * len(hands)
    for test in sorted((test for test in tests if takes_s(test) >= LONG_S), key=takes_s, reverse=True):
        place = loads.index(min(loads))
        hands[place].append(test)
        loads[place] += takes_s(test)
    return loads


def _level(hands: list[list[T]], loads: list[float], tests: list[T], takes_s: Callable[[T], float]) -> None:
    """Give the hands ``tests``, one hand after the other, so that they are as full as each other."""
    full, more = 0.0, sum(map(takes_s, tests))
    for count, load in enumerate(sorted(loads), start=1):
        full = (more + load) / count  # as water would stand over so many of the emptiest
        more += load
        if count == len(loads) or full <= sorted(loads)[count]:
            break
    place = 0
    for test in tests:
        while place < len(hands) - 1 and loads[place] + takes_s(test) / 2 > full:
            place += 1
        hands[place].append(test)
        loads[place] += takes_s(test)
