"""From a click on a widget to an idle page, with the whole form drawn and every group open."""

from __future__ import annotations

from statistics import median

from playwright.sync_api import Browser

from tests.benchmarks.in_page import click_to_idle_ms, note_messages
from tests.benchmarks.row import Row, row
from tests.support.app_process import running_app
from tests.support.browser import launched
from tests.support.playground_page import PlaygroundPage

CLICKS = 10
WITHIN = "retry"
"""A block that is legal as it is: only its own group changes."""
BEYOND = "orq.thread"
"""A block that lacks its id: Run turns off, so the whole page is drawn again."""


def run() -> list[Row]:
    """A block's switch, on and off, against a switch among eighty plain widgets."""
    with launched() as browser:
        within, beyond = (playground_ms(browser, block) for block in (WITHIN, BEYOND))
        reference = ("a switch among 80 plain widgets", plain_widgets_ms(browser))
    return [
        row("widget click → idle", "ms", within, target="≤ 120 ms", reference=reference),
        row("the same, when it turns Run off", "ms", beyond, reference=reference),
    ]


def playground_ms(browser: Browser, block: str) -> float:
    """The median over the clicks on the block's switch, in milliseconds."""
    with running_app() as app:
        context = note_messages(browser.new_context(viewport={"width": 1360, "height": 900}))
        playground = PlaygroundPage(context.new_page(), app.url).open().open_groups()
        switch = playground.widget(block).locator("label").first
        taken = [click_to_idle_ms(playground.page, switch) for _ in range(CLICKS + 2)]
        context.close()
    return median(taken[2:])


def plain_widgets_ms(browser: Browser) -> float:
    """The same for a form of the same size with nothing around it."""
    with running_app(script="tests/benchmarks/reference_pages/plain_widgets.py", health="/_stcore/health") as app:
        context = note_messages(browser.new_context(viewport={"width": 1360, "height": 900}))
        page = PlaygroundPage(context.new_page(), app.url).open()
        taken = [click_to_idle_ms(page.page, page.keyed("switch").locator("label").first) for _ in range(CLICKS + 2)]
        context.close()
    return median(taken[2:])
