"""Prices and retention as somebody at a browser sets them; charts that are drawn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Opener
from tests.browser.test_appearance import overflow
from tests.browser.test_form import HEADER_PX, ROW_PX, type_over
from tests.support.app_process import AppProcess, running_app
from tests.support.playground_page import PlaygroundPage

PHONE = {"viewport": {"width": 400, "height": 800}}
INPUT_X = 260
"""Pixels from the price table's left to the middle of its column *input*."""
INSTRUCT = 2
"""The row of openai/gpt-3.5-turbo-instruct in a new installation."""


@pytest.fixture(scope="module")
def app() -> Iterator[AppProcess]:
    """An app of our own: others' tests must not find our prices."""
    with running_app() as running:
        yield running


def opened(page: PlaygroundPage, path: str, key: str) -> PlaygroundPage:
    """A page by its address. Streamlit looks for its own addresses beneath, too."""
    page.expected_problems.append(f"/{path}/_stcore/")
    page.page.goto(f"{page.base_url}/{path}")
    page.keyed(key).wait_for()
    return page.idle()


def cells(page: PlaygroundPage, row: int) -> Locator:
    """What a screen reader finds in a row (from 0) of the price table, which is drawn on a canvas."""
    return page.keyed("prices.table").locator(f"tr[aria-rowindex='{row + 2}'] [role=gridcell]")


def type_price(page: PlaygroundPage, text: str) -> None:
    table = page.keyed("prices.table")
    table.locator("canvas").first.wait_for()
    cell = {"x": INPUT_X, "y": HEADER_PX + ROW_PX * INSTRUCT + ROW_PX // 2}
    table.hover(position=cell)  # type: ignore[arg-type]
    page.idle()  # the table takes a click for the cell that it has seen the pointer over
    table.click(position=cell)  # type: ignore[arg-type]
    expect(cells(page, INSTRUCT).nth(1)).to_have_attribute("aria-selected", "true")
    type_over(page, text)


def press(page: PlaygroundPage, key: str) -> None:
    page.keyed(key).locator("button:visible").click()
    page.idle()


def test_bad_price_is_refused_in_place_and_a_good_one_outlives_a_reload(app: AppProcess, open_page: Opener) -> None:
    page = opened(open_page(app.url), "settings", "prices")
    type_price(page, "cheap")
    press(page, "prices.save")
    expect(page.keyed("prices.problems")).to_contain_text("openai/gpt-3.5-turbo-instruct: The input price must be a number, got 'cheap'.")
    expect(cells(page, INSTRUCT).nth(1)).to_have_text("cheap")
    type_price(page, "1.75")
    expect(page.keyed("prices.problems")).to_have_count(0)
    press(page, "prices.save")
    expect(page.page.get_by_text("5 prices saved")).to_be_visible()
    opened(page, "settings", "prices")
    expect(cells(page, INSTRUCT).nth(1)).to_have_text("1.75")
    expect(page.keyed("prices.save").locator("button:visible")).to_be_disabled()


def test_settings_and_charts_fit_a_telephone(app: AppProcess, open_page: Opener) -> None:
    page = open_page(app.url, **PHONE, color_scheme="dark").open().type_prompt("draw this").run()
    page.panel.wait_until_ended()
    opened(page, "settings", "storage")
    expect(page.keyed("storage")).to_contain_text("playground.db")
    assert overflow(page.page) == []
    opened(page, "history", "history-tabs")
    page.page.get_by_role("tab", name="Charts").click()
    chart = page.keyed("history-chart-runs").locator("[role=graphics-document]")
    chart.wait_for()
    assert chart.bounding_box()["width"] > 200  # type: ignore[index]
    page.idle()
    assert overflow(page.page) == []
