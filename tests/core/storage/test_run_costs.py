"""Costs that become known: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from decimal import Decimal

from core.contract.response import parse_usage
from core.prices.pricing import Price
from core.prices.run_cost import RunCost
from core.storage.database import Database
from core.storage.run_costs import RunCosts
from core.storage.run_query import RunFilter
from core.storage.run_repository import RunRepository
from tests.core.storage.samples import run

PRICE = Price("p/m", Decimal(1), Decimal(2), source="the bill")
KNOWN = RunCost(Decimal("0.25"), "because", PRICE)


def test_only_ended_runs_of_unknown_cost_come_in_order_and_in_batches(database: Database) -> None:
    runs, costs = RunRepository(database), RunCosts(database)
    unknown, known, going, deleted = [run() for _ in range(5)], run(), run(status="streaming"), run()
    runs.save([*unknown[:3], known, going, deleted, *unknown[3:]], {known.id: KNOWN})
    runs.delete(RunFilter(ids=(deleted.id,)))
    assert costs.unknown() == 5
    first = costs.batch(limit=3)
    rest = costs.batch(max(first), limit=3)
    assert [one.id for one in (*first.values(), *rest.values())] == [one.id for one in unknown]
    assert [*first.values()] == unknown[:3]
    assert costs.batch(max(rest)) == {}
    assert RunCosts(database, "somebody else").unknown() == 0


def test_known_costs_are_stored_with_how_they_were_reckoned(database: Database) -> None:
    runs, costs = RunRepository(database), RunCosts(database)
    one, other = run(), run()
    runs.save([one, other])
    keys = [*costs.batch()]
    assert costs.fill({keys[0]: KNOWN, keys[1]: RunCost(None, "no price")}) == 1
    found, left = runs.find(one.id), runs.find(other.id)
    assert found is not None
    assert left is not None
    assert (found.cost_usd, found.cost_detail) == (Decimal("0.25"), KNOWN.detail())
    assert (left.cost_usd, left.cost_detail) == (None, None)


def test_a_run_with_counts_that_cannot_be_true_is_stored_with_its_usage_as_it_came(database: Database) -> None:
    usage = parse_usage({"prompt_tokens": 10**20, "completion_tokens": -1, "total_tokens": 2**31 - 1})
    one = run(usage=usage, headers={"x-router-attempts": "99999999999"})
    runs = RunRepository(database)
    runs.save([one])
    found = runs.find(one.id)
    assert found is not None
    assert found.snapshot.usage == usage
    (row,) = runs.page().rows
    assert (row.prompt_tokens, row.completion_tokens, row.total_tokens, row.attempts) == (None, None, 2**31 - 1, None)


def test_a_cost_that_became_known_meanwhile_is_kept(database: Database) -> None:
    runs, costs = RunRepository(database), RunCosts(database)
    one = run()
    runs.save([one])
    keys = [*costs.batch()]
    runs.set_cost(one.id, Decimal(3), {"reason": "by hand"})
    assert costs.fill({keys[0]: KNOWN}) == 0
    found = runs.find(one.id)
    assert found is not None
    assert (found.cost_usd, found.cost_detail) == (Decimal(3), {"reason": "by hand"})
