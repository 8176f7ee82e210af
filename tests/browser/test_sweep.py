"""A sweep in a browser: a grid that fills while one looks, pause, reload, resume, and a cell in the panel that every run has."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.browser.test_compare import Compare
from tests.support.app_process import AppProcess
from tests.support.conditions import eventually
from tests.support.playground_page import WITHIN_MS, Panel, PlaygroundPage
from tests.support.replay import Replay, Script


@pytest.mark.takes(14)
def test_grid_fills_is_paused_found_again_and_goes_on_with_no_cell_twice(
    scripted_playground: AppProcess, replay: Replay, open_page: Opener
) -> None:
    page = open_page(scripted_playground.url)
    page.expected_problems.append("/compare/_stcore/")
    page.open()
    page.page.get_by_role("link", name="Compare").click()
    page.keyed("slot-compare-b").wait_for()
    compare = Compare(page.idle())
    model = replay.add(Script.of("an answer of some words", first_token_s=0.4))
    compare.prompt("vary").models(a=model).press("compare.sweep")
    for key, text in {"sweep.values.0.temperature": "0…1 step 0.1", "sweep.values.1.top_p": "0.5, 1"}.items():
        page.keyed(key).locator("input").fill(text)
        page.keyed(key).locator("input").press("Enter")
        page.idle()
    expect(page.page.get_by_text("11 × 2 = 22 cells")).to_be_visible(timeout=WITHIN_MS)
    page.keyed("sweep.at_once").locator("input").fill("2")
    page.keyed("sweep.at_once").locator("input").press("Enter")
    page.idle()
    compare.press("sweep.start")
    eventually(lambda: len(replay.calls(model)) >= 4, what="some calls")
    page.keyed("sweep.pause").locator("button:visible").click()
    expect(page.keyed("sweep.resume").locator("button:visible")).to_be_visible(timeout=WITHIN_MS)
    expect(page.page.get_by_text("paused", exact=True)).to_be_visible(timeout=WITHIN_MS)
    sent = len(replay.calls(model))
    assert sent < 22
    page.page.reload()
    expect(page.page.get_by_text("paused", exact=True)).to_be_visible(timeout=WITHIN_MS)
    assert len(replay.calls(model)) == sent
    page.idle()
    page.keyed("sweep.resume").locator("button:visible").click()
    expect(page.page.get_by_text("finished", exact=True)).to_be_visible(timeout=WITHIN_MS)
    cells = [(call.body["temperature"], call.body["top_p"]) for call in replay.calls(model)]
    assert len(cells) == len(set(cells)) == 22
    page.idle()
    eventually(lambda: pressed(page), what="the cell's panel")
    Panel(page.page, "sweep").wait_for_exact_text("an answer of some words")
    page.keyed("sweep.figures").locator("summary").click()
    expect(page.keyed("sweep-chart")).to_be_visible(timeout=WITHIN_MS)
    expect(page.keyed("sweep-files").get_by_role("button", name="CSV")).to_be_visible()
    page.page.set_viewport_size({"width": 400, "height": 800})
    assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    compare.press("sweep.leave")
    page.keyed("slot-compare-b").wait_for()
    assert "sweep" not in page.idle().query


def pressed(page: PlaygroundPage) -> bool:
    """Press the first cell; whether its panel is there. A grid that has just been drawn anew takes no press yet."""
    box = page.page.get_by_test_id("stDataFrame").first.bounding_box()
    if box is not None and not page.page.locator("[data-panel=sweep]").count():
        page.page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 55)
        page.idle()
    return page.page.locator("[data-panel=sweep]").count() == 1
