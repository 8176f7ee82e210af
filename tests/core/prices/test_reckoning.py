"""Unknown costs are filled in, in the background; known ones are let be."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from core.errors import StorageUnavailable
from core.prices.pricing import Price, PriceList
from core.prices.reckoning import Reckoned, Reckoning
from core.prices.run_cost import RunCost, run_cost
from core.run import RunSnapshot
from core.storage.database import Database
from core.storage.run_costs import RunCosts
from core.storage.run_repository import RunRepository
from tests.core.storage.samples import run
from tests.support.conditions import eventually

PRICES = PriceList([Price("p/m", Decimal(1), Decimal(2))])


def ended(reckoning: Reckoning) -> Reckoned:
    eventually(lambda: reckoning.progress is not None and reckoning.progress.ended, what="the pass to end")
    assert reckoning.progress is not None
    return reckoning.progress


class Slow:
    """Costs of five runs, two at a time, after ``open`` was set."""

    def __init__(self) -> None:
        self.fails = False
        self.keys = [1, 2, 3, 4, 5]

    def unknown(self) -> int:
        return 5

    def batch(self, after: int = 0) -> dict[int, RunSnapshot]:
        if self.fails and after >= 2:
            raise StorageUnavailable("The database is locked.", "Try again.")
        return {key: run(model="p/m") for key in [key for key in self.keys if key > after][:2]}

    def fill(self, costs: Mapping[int, RunCost]) -> int:
        return sum(cost.usd is not None for cost in costs.values())


def test_runs_get_the_cost_that_has_become_known_and_others_stay_unknown(tmp_path) -> None:
    database = Database.of(tmp_path, None)
    runs = RunRepository(database)
    priced, free, dear = [run(model="p/m") for _ in range(3)], run(model="q/free"), run(model="p/m")
    runs.save([*priced, free, dear])
    runs.set_cost(dear.id, Decimal(9), {"reason": "as it was"})
    reckoning = Reckoning(RunCosts(database), lambda one: run_cost(one, PRICES))
    assert reckoning.progress is None
    reckoning.start()
    assert ended(reckoning) == Reckoned(4, 4, 3, True)
    costs = {row.id: row.cost_usd for row in runs.page().rows}
    assert costs == {**{one.id: Decimal("0.000014") for one in priced}, free.id: None, dear.id: Decimal(9)}
    reckoning.close()
    database.close()


def test_progress_counts_every_batch_and_a_second_pass_begins_anew() -> None:
    reckoning = Reckoning(Slow(), lambda one: run_cost(one, PRICES))
    reckoning.start()
    reckoning.start()
    assert ended(reckoning) == Reckoned(5, 5, 5, True)
    reckoning.forget()
    assert reckoning.progress is None
    reckoning.start()
    assert ended(reckoning).looked == 5


def test_storage_that_fails_is_told_and_what_was_filled_counts() -> None:
    costs = Slow()
    costs.fails = True
    reckoning = Reckoning(costs, lambda one: run_cost(one, PRICES))
    reckoning.start()
    assert ended(reckoning) == Reckoned(5, 2, 2, True, "The database is locked. Try again.")


def test_a_fault_of_ours_ends_the_pass_with_a_sentence() -> None:
    def broken(_run: RunSnapshot) -> RunCost:
        raise ZeroDivisionError

    reckoning = Reckoning(Slow(), broken)
    reckoning.start()
    assert "fault of the playground" in ended(reckoning).problem
