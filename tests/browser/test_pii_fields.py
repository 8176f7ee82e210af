"""Naming personal data in a real browser: picking what the router offers, typing what it does not, reading it in both schemes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.browser.test_appearance import COLORS, contrast, overflow
from tests.browser.test_form import sent
from tests.support.app_process import AppProcess
from tests.support.playground_page import PlaygroundPage


def pick(page: PlaygroundPage, path: str, text: str, *, offered: bool = True) -> None:
    """Type into the picker of ``path`` and take the option that has the text, or the text itself where it is not offered."""
    box = page.widget(path).locator("input").first
    box.click()  # scrolls it into view: a list that would open out of sight closes
    box.fill(text)
    page.page.get_by_role("option", name=text if offered else f"Add: {text}", exact=True).click()
    box.press("Tab")
    page.idle()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 400)])
def test_kinds_of_personal_data_are_picked_or_typed_and_can_be_read(
    playground: AppProcess, open_page: Opener, scheme: str, width: int
) -> None:
    page = open_page(playground.url, color_scheme=scheme, viewport={"width": width, "height": 1000}).open().open_group("PII")
    page.widget("plugins").locator("label").first.click()
    page.idle()
    pick(page, "plugins.0.language", "nl")
    pick(page, "plugins.0.entities", "FI_PERSONAL_IDENTITY_CODE")
    pick(page, "plugins.0.entities", "MY_OWN", offered=False)
    pick(page, "plugins.0.entity_thresholds.add", "MY_OWN")
    chips = page.widget("plugins.0.entities").locator("[data-tag]")
    expect(chips).to_have_count(2)
    page.page.mouse.move(0, 0)
    for chip in chips.locator("span").all():
        assert contrast(chip.evaluate(COLORS)) >= 4.5
    assert overflow(page.page) == []
    assert sent(page)["plugins"] == [
        {
            "id": "pii_redaction",
            "language": "nl",
            "entities": ["FI_PERSONAL_IDENTITY_CODE", "MY_OWN"],
            "entity_thresholds": {"MY_OWN": 0.5},
        }
    ]
