"""A sweep of 200 cells, 16 at once: how soon a click is answered while it goes on, on its own page and on the Playground."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page

from core.storage.database import Database
from core.storage.preference_repository import PreferenceRepository
from tests.benchmarks.compare import compare_page, store
from tests.benchmarks.in_page import click_to_idle_ms, note_messages
from tests.benchmarks.panel_delivery import upstream_in_thread
from tests.benchmarks.row import Row, row
from tests.benchmarks.widget_click import WITHIN, plain_widgets_ms
from tests.core.replay_upstream import ReplayUpstream
from tests.support.app_process import AppProcess, running_app
from tests.support.browser import launched
from tests.support.playground_page import IDLE, PlaygroundPage, css_class

CELLS, AT_ONCE = 200, 16
TOKENS, RATE = 300, 50
"""Six seconds a call, 800 tokens a second in all: the sweep lasts 75 s."""
CLICKS = 10
VIEW = {"width": 1360, "height": 900}


def run() -> list[Row]:
    """Clicks while the sweep goes on, and the same clicks once it has ended, beside a plain table and eighty plain widgets."""
    with launched() as browser, upstream_in_thread() as upstream, stocked_app(upstream) as (app, link):
        references = {"a cell pressed": ("a cell of a plain table", plain_cells_ms(browser))}
        plain = ("a switch among 80 plain widgets", plain_widgets_ms(browser))
        references["its figures opened"], references["its figures closed"] = plain_figures(browser)
        references["a switch on the Playground"] = plain
        playground = PlaygroundPage(note_messages(browser.new_context(viewport=VIEW)).new_page(), app.url).open().open_groups()
        page = started(browser, app, link)
        began = time.monotonic()
        upstream.most_open = 0
        during = clicked(page, playground)
        assert page.locator(f".{css_class('sweep.pause')} button").count(), "the sweep ended before the clicks did"
        assert upstream.most_open == AT_ONCE, f"{upstream.most_open} calls at once"
        page.get_by_test_id("stProgress").get_by_text("finished", exact=True).wait_for(timeout=240_000)
        took_s = time.monotonic() - began
        after = clicked(page, playground)
    name = f"{CELLS} cells, {AT_ONCE} at once"
    return [
        *(
            row(f"click → idle, {name}, {what}", "ms", value, target="≤ 150 ms", reference=references[what])
            for what, value in during.items()
        ),
        *(row(f"the same when it has ended, {what}", "ms", value, reference=references[what]) for what, value in after.items()),
        row(f"{name} of {TOKENS / RATE:.0f} s each", "s", took_s, reference=("with no call late", CELLS / AT_ONCE * TOKENS / RATE)),
    ]


@contextmanager
def stocked_app(upstream: ReplayUpstream) -> Iterator[tuple[AppProcess, str]]:
    """The playground on the upstream, which takes one call more than the sweep has, and the id of a stored comparison."""
    with tempfile.TemporaryDirectory(prefix="playground-", ignore_cleanup_errors=True) as folder:
        link = store(Path(folder), 1, tokens=TOKENS, rate=RATE)
        with closing(Database.of(Path(folder), None)) as database:
            PreferenceRepository(database).save("calls_at_once", {upstream.base_url: AT_ONCE + 1})
        environment = {"PLAYGROUND_DATA_DIR": folder, "ORQ_BASE_URL": upstream.base_url, "ORQ_API_KEY": "none"}
        with running_app(environment=environment) as app:
            yield app, link


def started(browser: Browser, app: AppProcess, link: str) -> Page:
    """The page of a sweep that has just begun, one cell pressed."""
    page = compare_page(note_messages(browser.new_context(viewport=VIEW)), app.url, link)
    page.locator(f".{css_class('compare.sweep')} button:visible").first.click()
    typed = {"sweep.values.0.temperature": "0…1.9 step 0.1", "sweep.values.1.top_p": "0.1…1 step 0.1", "sweep.at_once": str(AT_ONCE)}
    for key, text in typed.items():
        box = page.locator(f".{css_class(key)} input")
        box.fill(text)
        box.press("Enter")
        page.wait_for_timeout(300)
        page.wait_for_selector(IDLE)
    page.get_by_text(f"20 × 10 = {CELLS} cells").wait_for()
    page.locator(f".{css_class('sweep.start')} button:visible").first.click()
    page.locator(f".{css_class('sweep.pause')} button:visible").first.wait_for()
    grid = page.get_by_test_id("stDataFrame").first
    grid.wait_for()
    while not page.locator("[data-panel=sweep]").count():
        grid.click(position={"x": 300, "y": 55})
        page.wait_for_timeout(1_000)
    return page


def clicked(page: Page, playground: PlaygroundPage) -> dict[str, float]:
    """The median of each click, by what is clicked."""
    found = {"a cell pressed": cells_ms(page)}
    found["its figures opened"], found["its figures closed"] = box_ms(page, css_class("sweep.figures"))
    return found | {"a switch on the Playground": switch_ms(playground)}


def box_ms(page: Page, box: str) -> tuple[float, float]:
    """The medians of opening the box with the figures, a chart and a table of all cells, and of closing it again, in turn."""
    summary = page.locator(f".{box} summary")
    taken = [click_to_idle_ms(page, summary) for _ in range(CLICKS + 2)]
    return median(taken[2::2]), median(taken[3::2])


def cells_ms(page: Page) -> float:
    """The median over presses of cells, one under the other, each of which shows its call in the panel."""
    grid = page.get_by_test_id("stDataFrame").first
    return median([click_to_idle_ms(page, grid, at=(300, 55 + 35 * (number % 9))) for number in range(1, CLICKS + 3)][2:])


def plain_cells_ms(browser: Browser) -> float:
    """The same for a table of the same size with nothing around it."""
    with running_app(script="tests/benchmarks/reference_pages/plain_grid.py", health="/_stcore/health") as app:
        page = note_messages(browser.new_context(viewport=VIEW)).new_page()
        page.goto(app.url)
        page.get_by_test_id("stDataFrame").first.wait_for()
        page.wait_for_timeout(1_000)
        taken = cells_ms(page)
        page.context.close()
    return taken


def plain_figures(browser: Browser) -> tuple[tuple[str, float], tuple[str, float]]:
    """The same for a box with such a chart and such a table and nothing around it, with what to call it."""
    with running_app(script="tests/benchmarks/reference_pages/plain_figures.py", health="/_stcore/health") as app:
        page = note_messages(browser.new_context(viewport=VIEW)).new_page()
        page.goto(app.url)
        page.locator(".st-key-figures summary").wait_for()
        page.wait_for_timeout(1_000)
        opened, closed = box_ms(page, "st-key-figures")
        page.context.close()
    return ("a plain chart and table opened", opened), ("a plain chart and table closed", closed)


def switch_ms(page: PlaygroundPage) -> float:
    """The median over the clicks on a block's switch, every group open."""
    switch = page.widget(WITHIN).locator("label").first
    return median([click_to_idle_ms(page.page, switch) for _ in range(CLICKS + 2)][2:])


if __name__ == "__main__":
    from tests.benchmarks.__main__ import main

    sys.exit(main(["--here", "sweep"]))
