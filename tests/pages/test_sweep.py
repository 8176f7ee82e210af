"""A sweep on the Compare page through Streamlit's AppTest: from axes to calls, and back to a grid."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from components.compare import export
from core.errors import StorageUnavailable
from core.storage.sweep_repository import SweepRepository
from core.sweep.progress import SweepState
from core.workspace import opened_workspace
from tests.pages.test_compare import Page, body
from tests.support.conditions import eventually
from tests.support.replay import Replay, Script


@pytest.fixture
def model(replay: Replay) -> str:
    return replay.add(Script.of("one two three"))


def begun(replay: Replay, *bodies: dict[str, Any]) -> Page:
    return Page(replay, *bodies).click("compare.sweep")


def state(page: Page) -> SweepState:
    found = opened_workspace().sweeps.state(page.at.session_state["session.sweep_view"])
    assert found is not None
    return found


def ended(page: Page) -> Page:
    eventually(lambda: not state(page).active, what="the sweep to end")
    return page.run()


def grid(page: Page) -> Any:
    return page.at.dataframe[0].value


def test_every_combination_is_called_once_and_stands_in_the_grid(replay: Replay, model: str) -> None:
    page = begun(replay, body(model), body(model))
    page.set("sweep.values.0.temperature", "0…1 step 0.5").set("sweep.values.1.top_p", "0.5, not sent").set("sweep.name", "warmth")
    assert "3 × 2 = 6 cells · 6 calls" in page.words
    page.click("sweep.start")
    ended(page)
    sent = Counter((call.body["temperature"], call.body.get("top_p")) for call in replay.calls(model))
    assert sent == {(temperature, top_p): 1 for temperature in (0, 0.5, 1) for top_p in (0.5, None)}
    assert list(grid(page).columns) == ["temperature ↓  top_p →", "0.5", "not sent"]
    assert set(grid(page)["0.5"]) == {"✓ one two three"}
    assert "its runs have the tag “sweep warmth”" in page.words
    assert state(page).record.comparison_id == page.comparison.id


def test_figures_are_drawn_and_downloaded_and_the_comparison_is_exported_with_its_sweep(replay: Replay, model: str) -> None:
    page = begun(replay, body(model), body(model))
    page.set("sweep.values.0.temperature", "0, 1").set("sweep.values.1.top_p", "0.5, 1").click("sweep.start")
    ended(page)
    sweep_id = state(page).record.id
    eventually(lambda: len(opened_workspace().sweeps.runs_of(sweep_id)) == 4, what="the runs in storage")
    page.open("sweep.figures")
    assert page.at.get("vega_lite_chart") or page.at.get("arrow_vega_lite_chart")
    assert {"CSV", "JSONL", "PNG of the chart"} <= {button.proto.label for button in page.at.get("download_button")}
    comparison = page.comparison
    packed = export._zip(export._report(comparison.id, comparison))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = archive.namelist()
        whole = json.loads(archive.read("comparison.json"))
    assert any(name.startswith("sweeps/01-") for name in names)
    assert any("tokens-out" in name and name.endswith(".png") for name in names)
    assert [len(sweep["cells"]) for sweep in whole["sweeps"]] == [4]
    assert whole["sweeps"][0]["cells"][0]["figures"]["tokens out"]["median"] == 3


def test_export_says_that_sweeps_are_left_out_while_storage_does_not_answer(
    replay: Replay, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise StorageUnavailable("The disk is full.", "Free some space.")

    page = begun(replay, body(model), body(model)).click("sweep.leave").open("compare.export")
    assert not page.at.warning
    monkeypatch.setattr(SweepRepository, "newest", broken)
    said = "Sweeps are left out, if there are any: storage does not answer now. The disk is full. Free some space."
    assert [one.value.replace("\\", "") for one in page.run().at.warning] == [said]
    comparison = page.comparison
    assert f"**{said}**" in export._markdown(export._report(comparison.id, comparison)).decode()


def test_fault_in_a_value_is_said_at_its_parameter_and_nothing_can_be_started(replay: Replay, model: str) -> None:
    page = begun(replay, body(model), body(model)).set("sweep.values.0.temperature", "0, 2.5")
    assert "Entry 2 (“2.5”)" in page.words
    page.set("sweep.values.0.temperature", "0…1 step 0.01").set("sweep.most_calls", 5)
    assert "202 calls are more than the limit of 5" in page.words
    assert page.at.get_by_key("sweep.start").disabled
    assert replay.calls(model) == []


def test_parameters_are_added_and_taken_out_and_models_are_picked(replay: Replay, model: str) -> None:
    other = replay.add(Script.of("four"))
    page = begun(replay, body(model), body(model)).click("sweep.remove.1").click("sweep.remove.0").click("sweep.add")
    page.set("sweep.path.0", "model").set("sweep.values.0.model", [model, other]).set("sweep.repeats", 2)
    page.click("sweep.start")
    ended(page)
    assert (len(replay.calls(model)), len(replay.calls(other))) == (2, 2)
    assert list(grid(page)["answer"]) == ["✓✓ one two three", "✓✓ four"]


def test_above_the_budget_the_button_says_so(replay: Replay, model: str) -> None:
    budget = opened_workspace().comparison_budget
    budget.set(Decimal("0.01"))
    try:
        page = begun(replay, body(model), body(model))
        assert "It may cost more than the budget, or its cost is not known." in page.words
        assert page.at.get_by_key("sweep.start").label == "Run anyway: 10 calls"
    finally:
        budget.set(None)


def test_failed_cells_are_marked_and_sent_again_on_demand(replay: Replay) -> None:
    model = replay.add(Script.refusal(400, "bad", "No."))
    page = begun(replay, body(model), body(model)).set("sweep.values.0.temperature", "0, 1").set("sweep.values.1.top_p", "1")
    page.click("sweep.start")
    ended(page)
    assert all(cell.startswith("✗") for cell in grid(page)["1"])
    replay.add(Script.of("now it works"), name=model)
    page.click("sweep.again")
    ended(page)
    assert set(grid(page)["1"]) == {"✓ now it works"}


def test_address_finds_the_sweep_again(replay: Replay, model: str) -> None:
    page = begun(replay, body(model), body(model)).click("sweep.start")
    ended(page)
    again = Page(replay, link=page.link)
    again.at.query_params["sweep"] = page.at.session_state["session.sweep_view"]
    again.at.session_state["session.sweep_view"] = None
    again.run()
    assert "✓ one two three" in set(grid(again)["0.5"])


def test_going_back_in_the_browser_shows_the_slots_and_another_page_in_between_does_not(replay: Replay, model: str) -> None:
    page = begun(replay, body(model), body(model)).run()
    del page.at.query_params["sweep"]
    page.run()
    assert page.at.session_state["session.sweep_view"] is None
    assert "sweep" not in page.at.query_params
    page.click("compare.sweep").run()
    page.at.query_params.clear()  # as a link in the navigation has it
    page.run()
    assert page.at.session_state["session.sweep_view"] == ""
    assert page.at.query_params["sweep"] in ("new", ["new"])


def test_sweep_that_is_not_there_says_so(replay: Replay, model: str) -> None:
    page = Page(replay, body(model), body(model))
    page.at.session_state["session.sweep_view"] = "nowhere"
    page.run()
    assert "This sweep was not found." in page.words
