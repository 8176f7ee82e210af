"""How tests are dealt out to test processes."""

from __future__ import annotations

import pytest

from tests.support.dealing import dealt

BROWSER = {f"b{number}": 4.0 for number in range(20)} | {"minute": 60.0, "half": 30.0, "quarter": 15.0}
OTHERS = {f"t{number}": 0.1 for number in range(70)} | {"slow": 9.0, "slower": 11.0}
SECONDS = BROWSER | OTHERS


def hands(tests: list[str], processes: int) -> list[list[str]]:
    """The tests of each process, cut as xdist's worksteal cuts them."""
    order = dealt(tests, processes, drives_browser=BROWSER.__contains__, takes_s=SECONDS.__getitem__)
    cut = []
    for place in range(processes):
        count = len(order) // (processes - place)
        cut.append(order[:count])
        order = order[count:]
    return cut


@pytest.mark.parametrize("processes", [1, 2, 3, 5])
def test_every_process_begins_with_as_much_work_in_a_browser_and_every_test_is_run_once(processes: int) -> None:
    made = hands(list(SECONDS), processes)
    assert sorted(test for hand in made for test in hand) == sorted(SECONDS)
    shares = [sum(BROWSER.get(test, 0) for test in hand) for hand in made]
    assert max(shares) <= max(60.0, sum(shares) / processes + 4)
    for hand in made:
        kinds = [test in BROWSER for test in hand]
        assert kinds == sorted(kinds, reverse=True)


def test_long_tests_come_first_and_neighbours_stay_together() -> None:
    made = hands(list(SECONDS), 3)
    assert [hand[0] for hand in made] == ["minute", "half", "quarter"]
    for hand in made:
        numbers = [int(test[1:]) for test in hand if test.startswith("b")]
        assert numbers == list(range(min(numbers, default=0), min(numbers, default=0) + len(numbers)))
    assert [next(test for test in hand if test not in BROWSER) for hand in made][:2] == ["slower", "slow"]


@pytest.mark.parametrize("tests", [[], ["t1"], ["b1", "t1"], ["minute", "half", "quarter", "b1"]])
def test_few_tests_are_all_run(tests: list[str]) -> None:
    assert sorted(test for hand in hands(tests, 3) for test in hand) == sorted(tests)
