"""The History page through Streamlit's AppTest: which runs are listed, page by page, and what is said when there are none."""

from __future__ import annotations

import secrets
from dataclasses import replace
from decimal import Decimal

import pytest

from components.history import run_table
from core.errors import StorageUnavailable
from core.run import ChoiceText
from core.storage.run_query import SORT_COLUMNS
from core.storage.run_record import StoredRun
from core.storage.run_repository import RunRepository
from core.workspace import opened_workspace
from tests.core.storage import samples
from tests.support.script_page import ScriptPage


@pytest.fixture(autouse=True, scope="module")
def something_else() -> None:
    """An empty history links to the Playground, which a page that is tested alone does not know."""
    store("something else", 1)


@pytest.fixture
def word() -> str:
    """A word that only this test's runs have."""
    return f"okapi{secrets.token_hex(4)}"


class Page(ScriptPage):
    def __init__(self) -> None:
        super().__init__("history.py")
        self.run()

    def search(self, word: str) -> Page:
        return self.set("history.text", word)

    @property
    def chips(self) -> list[str]:
        return [button.label.replace("\\", "") for button in self.at.button if (button.key or "").startswith("history.chip.")]


def store(word: str, count: int, **fields: object) -> list[StoredRun]:
    """So many runs with the word in their prompts."""
    made = [StoredRun.of(samples.run(asked=samples.body(prompt=f"{word} {number}"), **fields)) for number in range(count)]
    fresh = [replace(run, snapshot=replace(run.snapshot, id=f"{word}-{place}")) for place, run in enumerate(made)]
    opened_workspace().runs.insert(fresh)
    return fresh


def ticked(word: str, *runs: StoredRun) -> Page:
    """The list of the runs with the word, these ticked: a table that was not drawn before begins with what the session has ticked."""
    page = Page()
    page.at.session_state["session.ticked_runs"] = [run.snapshot.id for run in runs]
    return page.search(word)


def test_runs_are_listed_fifty_at_a_time_forth_and_back(word: str):
    store(word, 120)
    page = Page().search(word)
    assert "1–50 of 120 runs" in page.words
    assert "51–100 of 120 runs" in page.click("history.more").words
    assert "101–120 of 120 runs" in page.click("history.more").words
    assert page.at.get_by_key("history.more").disabled
    assert "51–100 of 120 runs" in page.click("history.back").words


def test_another_order_begins_on_the_first_page(word: str):
    store(word, 60)
    page = Page().search(word).click("history.more")
    assert "51–60 of 60 runs" in page.words
    assert "1–50 of 60 runs" in page.set("history.sort", "total_tokens").words


def test_ways_through_the_list_say_what_they_lead_to(word: str):
    store(word, 60)
    page = Page().search(word)
    ways = [page.at.get_by_key(f"history.{way}") for way in ("back", "more")]
    assert [way.label for way in ways] == ["Newer", "Older"]
    page.set("history.sort", "total_tokens")
    assert [page.at.get_by_key(f"history.{way}").label for way in ("back", "more")] == ["Back", "More"]


def test_charts_and_usage_have_no_order_and_the_list_keeps_its_own(word: str):
    store(word, 1)
    page = Page().search(word).set("history.sort", "cost_usd")
    for tab in ("Charts", "Usage"):
        page.at.session_state["history-tabs"] = tab
        assert "history.sort" not in [box.key for box in page.run().at.selectbox]
    page.at.session_state["history-tabs"] = "Runs"
    assert page.run().at.get_by_key("history.sort").value == "cost_usd"


def test_every_column_of_the_table_is_one_to_sort_by(word: str):
    assert run_table.SORTS.keys() == run_table.COLUMNS.keys()
    store(word, 60)
    page = Page().search(word)
    for column in SORT_COLUMNS:
        assert "1–50 of 60 runs" in page.set("history.sort", column).words
        assert "51–60 of 60 runs" in page.click("history.more").words


def test_nothing_found_says_what_to_do(word: str):
    page = Page().search(word)
    assert "No run fits. Take out a filter above, or look for other words." in page.words
    assert page.chips == [f"“{word}”"]


def test_chip_takes_its_filter_out(word: str):
    store(word, 3)
    page = Page().search(word).set("history.starred", True)
    assert "No run fits" in page.words
    assert page.chips == [f"“{word}”", "starred", "Clear all"]
    assert "1–3 of 3 runs" in page.click("history.chip.starred").words


def test_ticked_run_is_shown_whole_with_the_cost_it_had(word: str):
    (run,) = store(word, 1)
    opened_workspace().runs.set_cost(run.snapshot.id, Decimal("0.00042"), {"reason": "at a price"})
    page = ticked(word, run)
    assert "$0.00042" in page.words
    assert f"run {run.snapshot.id}" in page.words


def test_two_ticked_runs_are_compared_inline_side_by_side_and_only_where_they_differ(word: str):
    equal = " ".join(f"word{number}" for number in range(20))
    (one,) = store(word, 1, choices={0: ChoiceText(f"{equal} old", "stop")})
    (other,) = store(f"{word} b", 1, choices={0: ChoiceText(f"{equal} new", "stop")})
    page = ticked(word, one, other)
    shown = [element.proto.body for element in page.at.get("html")]
    assert any(f"{equal} <del>old</del><ins>new</ins>" in html for html in shown), shown
    page.set("history.pair.view", "Side by side").set("history.pair.only", True)
    shown = [element.proto.body for element in page.at.get("html")]
    assert any("… 15 equal words …" in html and "</div><div>word15" in html for html in shown), shown


def test_compared_runs_say_how_they_ended_and_what_is_not_known(word: str):
    (fine,) = store(f"{word}fine", 1, choices={0: ChoiceText("a", "stop"), 1: ChoiceText("b", None)})
    (cut,) = store(f"{word}cut", 1, status="failed", choices={}, usage=None)
    said = ticked(f"{word}*", fine, cut).words
    assert "| status | finished | failed |" in said
    assert "| finish reason | stop, none | none |" in said
    assert "| tokens out | 5 | unknown |" in said
    assert "| cost | unknown | unknown |" in said
    assert "Output of choice 1:" in said


def test_database_that_cannot_be_read_is_said_with_a_next_step(monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object, **__: object) -> None:
        raise StorageUnavailable("The disk is full.", "Free some space.")

    monkeypatch.setattr(RunRepository, "page", broken)
    assert "The history cannot be read. The disk is full. Free some space." in Page().words


@pytest.mark.parametrize("action", ["star", "delete"])
def test_change_that_storage_cannot_make_now_is_said_and_the_page_stays(word: str, action: str, monkeypatch: pytest.MonkeyPatch):
    def locked(*_: object, **__: object) -> None:
        raise StorageUnavailable("The database is locked by another program.", "Close what holds playground.db.")

    (run,) = store(word, 1)
    page = ticked(word, run)
    monkeypatch.setattr(RunRepository, action, locked)
    page.click(f"history.{action}")
    (toast,) = page.at.toast
    assert "Nothing was changed. The database is locked by another program" in toast.value.replace("\\", "")
    assert "1–1 of 1 run" in page.words
