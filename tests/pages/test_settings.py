"""The Settings page through Streamlit's AppTest: prices, retention, the state of the storage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.prices.pricing import FIRST_PRICES, Price
from core.retention import OUTCOME, RetentionRule
from core.storage.run_query import RunFilter
from core.workspace import Workspace, opened_workspace
from tests.core.storage.samples import run
from tests.support.conditions import eventually
from tests.support.script_page import ScriptPage

NOW = datetime.now(UTC)
MINE = {"model": "settings/priced", "input": "1", "output": "2"}


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No run of ours, and no preference, before and after."""

    def clean() -> None:
        current = opened_workspace()
        current.prices.reset()
        current.retention.save(RetentionRule())
        current.preferences.save(OUTCOME, {})
        current.runs.delete(RunFilter())
        current.runs.purge(datetime.now(UTC) + timedelta(days=1))
        current.reckoning.forget()

    clean()
    yield
    clean()


@pytest.fixture
def current() -> Workspace:
    return opened_workspace()


class Page(ScriptPage):
    """The shell with the Settings page on it."""

    def __init__(self) -> None:
        super().__init__("shell.py")
        self.run()
        self.at.switch_page("settings.py")
        self.run()

    def edit(self, rows: list[dict[str, str]]) -> Page:
        """As if the table had been edited so; AppTest has no hands for tables, a browser test has."""
        self.at.session_state["session.price_rows"] = rows
        return self.run()

    def label(self, key: str) -> str:
        return str(self.at.get_by_key(key).label)

    def disabled(self, key: str) -> bool:
        return bool(self.at.get_by_key(key).disabled)


def test_edited_prices_count_once_they_are_saved(current: Workspace) -> None:
    page = Page()
    assert page.disabled("prices.save")
    page.edit([MINE])
    assert "Not saved yet" in page.words
    assert current.prices.prices.prices == FIRST_PRICES
    page.click("prices.save")
    assert current.prices.prices.prices == (Price("settings/priced", Decimal(1), Decimal(2)),)
    assert page.disabled("prices.save")


def test_rows_with_problems_are_told_and_nothing_typed_is_lost(current: Workspace) -> None:
    rows = [MINE, {"model": "x", "input": "cheap", "output": "1"}, {"model": "*[y](z)", "input": "1"}]
    page = Page().edit(rows).click("prices.save")
    assert "Nothing was saved: 2 rows have problems." in page.words
    assert "Row 2, x: The input price must be a number, got 'cheap'." in page.words
    assert "Row 3, *[y](z): A price needs both an input and an output price." in page.words
    assert page.at.session_state["session.price_rows"] == rows
    assert current.prices.prices.prices == FIRST_PRICES
    page.edit([MINE])
    assert "Nothing was saved" not in page.words
    page.click("prices.discard")
    assert "Not saved yet" not in page.words
    assert current.prices.prices.prices == FIRST_PRICES


def test_reset_asks_first(current: Workspace) -> None:
    current.prices.replace([])
    page = Page().click("prices.reset").click("prices.reset.keep")
    assert current.prices.prices.prices == ()
    page.click("prices.reset").click("prices.reset.sure")
    assert current.prices.prices.prices == FIRST_PRICES


def test_runs_of_unknown_cost_are_reckoned_with_the_saved_prices(current: Workspace) -> None:
    one, other = run(model="settings/priced", headers={}), run(model="settings/unpriced", headers={})
    current.runs.save([one, other])
    current.prices.replace([Price("settings/priced", Decimal(1), Decimal(2))])
    page = Page()
    assert "2 runs have unknown cost" in page.words
    page.edit([])
    assert page.disabled("prices.reckon")
    page.click("prices.discard").click("prices.reckon")
    eventually(lambda: current.reckoning.progress is not None and current.reckoning.progress.ended, what="the pass to end")
    page.run()
    assert "Looked at 2 runs: 1 got a cost. 1 stay unknown" in page.words
    found = current.runs.find(one.id)
    assert found is not None
    assert found.cost_usd == Decimal("0.000014")


def test_retention_tells_what_would_go_before_it_is_saved_and_what_went_after(current: Workspace) -> None:
    old = [run(created_at=NOW - timedelta(days=40 + n)) for n in range(4)]
    current.runs.save([*old, run(created_at=NOW)])
    current.runs.star([old[0].id])
    page = Page()
    assert "No limit: every run stays." in page.words
    assert page.disabled("retention.save")
    page.set("retention.days", 30)
    assert "Would remove 3 runs" in page.words
    assert "1 starred stays." in page.words
    assert page.label("retention.save") == "Save and remove 3 runs"
    assert current.runs.count() == 5
    page.click("retention.save")
    eventually(lambda: current.retention.outcome is not None and not current.retention.applying, what="retention to be applied")
    assert current.runs.count() == 2
    page.run()
    assert "Last removal: then, 3 runs by the limits." in page.words
    assert "Nothing would go now. 1 starred stays." in page.words
    again = Page()
    assert again.at.get_by_key("retention.days").value == 30
    assert not again.at.get_by_key("retention.days").proto.HasField("default")  # which the browser would not let go of
    again.set("retention.days", None).click("retention.save")
    assert current.retention.rule.off
    assert "No limit: every run stays." in again.words


def test_size_limit_is_of_whole_megabytes_of_runs(current: Workspace) -> None:
    current.runs.save([replace(run(created_at=NOW), choices={}, raw="x" * 6_000_000) for _ in range(3)])
    page = Page().set("retention.mb", 1)
    assert "Would remove 2 runs, 1.2 MB." in page.words
    assert page.set("retention.mb", 2).label("retention.save") == "Save limits"


def test_storage_says_which_database_and_how_it_is(current: Workspace) -> None:
    current.runs.save([run()])
    page = Page()
    assert "Runs and drafts are being saved." in page.words
    assert " · playground.db · schema " in page.words
    assert "about 1 kB of it for 1 run (0 starred)" in page.words
    assert str(current.settings.data_dir) not in page.words
