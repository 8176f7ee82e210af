"""The Compare page with eight slots: what it costs to stream them, how late the last token is, and how soon a click is answered."""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from core.comparison.board import opened
from core.comparison.record import Comparison
from core.storage.comparison_repository import ComparisonRepository
from core.storage.database import Database
from tests.benchmarks.in_page import click_to_idle_ms, note_messages
from tests.benchmarks.panel_delivery import counting, upstream_in_thread
from tests.benchmarks.row import Row, row
from tests.benchmarks.server_process import ServerProcess
from tests.benchmarks.widget_click import plain_widgets_ms
from tests.core.replay_upstream import ReplayUpstream, expected_text
from tests.support.app_process import AppProcess, running_app
from tests.support.browser import launched
from tests.support.playground_page import IDLE, css_class

LETTERS = "abcdefgh"
TOKENS, RATE = 1500, 100
SAMPLES = 3
CLICKS = 10

# The wall-clock time, in milliseconds, of the last change of each panel's text.
_WATCH = """
() => {
  const changed = window.changed = {};
  for (const host of document.querySelectorAll('[class*=st-key-panel-compare-]')) {
    const find = (node) => node.shadowRoot ?? [...node.querySelectorAll('*')].map((each) => each.shadowRoot).find(Boolean);
    const root = find(host)?.querySelector('[data-panel]');
    changed[root.dataset.panel] = 0;
    new MutationObserver(() => { changed[root.dataset.panel] = Date.now() })
      .observe(root.querySelector('.panel-text'), { subtree: true, childList: true, characterData: true });
  }
}
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One run of some slots: the slowest one's lag, the server's processor time, and how long it took until the last token was shown."""

    lag_ms: float
    cpu_s: float
    took_s: float


def run(samples: int = SAMPLES) -> list[Row]:
    """The figures, eight slots beside one of them alone; bytes are measured once (they hardly vary)."""
    with launched() as browser, upstream_in_thread() as upstream, stocked_app(upstream) as (app, links):
        alone = [deliver(browser, app, upstream, links[1]) for _ in range(samples)]
        eight = [deliver(browser, app, upstream, links[8]) for _ in range(samples)]
        received = {count: kilobytes(browser, app, upstream, links[count]) for count in (1, 8)}
        clicks = clicked(browser, app, links[8])
        plain = ("a switch among 80 plain widgets", plain_widgets_ms(browser))
    name = f"8 × {TOKENS:,} tokens at {RATE}/s"
    cpu, lag = (median(getattr(one, what) for one in eight) for what in ("cpu_s", "lag_ms"))
    cpu_alone, lag_alone = (median(getattr(one, what) for one in alone) for what in ("cpu_s", "lag_ms"))
    longer = 100 * (median(one.took_s for one in eight) / median(one.took_s for one in alone) - 1)
    return [
        row(f"server CPU, {name}", "s", cpu, target="≤ 2.2 s", reference=("one slot alone", cpu_alone)),
        row(f"last token's lag, slowest slot, {name}", "ms", lag, target="≤ 80 ms", reference=("one slot alone", lag_alone)),
        row(f"to the browser, {name}", "KB", received[8], target="≤ 160 KB", reference=("one slot alone", received[1])),
        row(f"eight slots take longer than one alone, {name}", "%", longer, target="≤ 5 %"),
        *(row(f"click → idle, 8 slots, {what}", "ms", value, target="≤ 150 ms", reference=plain) for what, value in clicks.items()),
    ]


@contextmanager
def stocked_app(upstream: ReplayUpstream) -> Iterator[tuple[AppProcess, dict[int, str]]]:
    """The playground on the upstream, and the ids of stored comparisons by their number of slots: 1 and 8."""
    with tempfile.TemporaryDirectory(prefix="playground-", ignore_cleanup_errors=True) as folder:
        links = {count: store(Path(folder), count) for count in (1, 8)}
        environment = {"PLAYGROUND_DATA_DIR": folder, "ORQ_BASE_URL": upstream.base_url, "ORQ_API_KEY": "none"}
        with running_app(environment=environment) as app:
            yield app, links


def store(folder: Path, slots: int, *, tokens: int = TOKENS, rate: int = RATE) -> str:
    """A comparison of so many slots, each with a difference or two to the first; its id."""
    bodies: list[dict[str, Any]] = [
        {"model": f"tokens={tokens}/rate={rate}", "prompt": "Go", "user": letter, "stream": True, "temperature": number / 10}
        for number, letter in enumerate(LETTERS[:slots])
    ]
    board = opened(bodies, ["" for _ in bodies])
    board = replace(board, slots=tuple(replace(slot, runs=()) for slot in board.slots))
    moment = datetime.now(UTC)
    made = Comparison(secrets.token_urlsafe(12), board, moment, moment, name=f"{slots} slots", stored=True, revision=1)
    with closing(Database.of(folder, None)) as database:
        ComparisonRepository(database).save([made])
    return made.id


def deliver(browser: Browser, app: AppProcess, upstream: ReplayUpstream, link: str) -> Delivery:
    """Run all slots of a comparison, from the press to an idle page that shows figures."""
    page = compare_page(browser.new_context(viewport={"width": 1600, "height": 900}), app.url, link)
    process = ServerProcess(app.url, app.process.pid)
    page.evaluate(_WATCH)
    upstream.sent.clear()
    before, began = process.cpu_s(), page.evaluate("Date.now()")
    press_run(page)
    wait_until_shown(page)
    cpu_s = process.cpu_s() - before
    changed: dict[str, float] = page.evaluate("window.changed")
    page.context.close()
    lag_ms = max(changed[f"compare-{letter}"] - times[-1] * 1000 for letter, times in upstream.sent.items())
    return Delivery(lag_ms, cpu_s, (max(changed.values()) - began) / 1000)


def kilobytes(browser: Browser, app: AppProcess, upstream: ReplayUpstream, link: str) -> float:
    """Kilobytes (1,000 bytes) that reached the browser, all connections together, from the press of Run to an idle page with figures."""
    with counting(app.port) as count:
        page = compare_page(browser.new_context(viewport={"width": 1600, "height": 900}), count.url, link)
        before = count.received
        upstream.sent.clear()
        press_run(page)
        wait_until_shown(page)
        received = count.received - before
        page.context.close()
    return received / 1000


def clicked(browser: Browser, app: AppProcess, link: str) -> dict[str, float]:
    """The median milliseconds of some clicks, with eight ended runs, their summaries, chips and figures on the page."""
    page = compare_page(note_messages(browser.new_context(viewport={"width": 1600, "height": 900})), app.url, link)
    wait_until_shown(page)
    found = {"a slot's menu": median_ms(page, "more-compare-b", "button")}
    found["a slot's settings opened"], found["a slot's settings closed"] = settings_ms(page)
    switch = page.locator(f".{css_class('compare-b.retry')}")
    while not switch.count():
        for press in (f".{css_class('edit-compare-b')} button", "details:not([open]) > summary:has-text('Routing')"):
            button = page.locator(press).first
            if button.count() and not switch.count():
                button.click()
                page.wait_for_selector(IDLE)
                page.wait_for_timeout(1_000)
    found["a block's switch, which changes a chip"] = median_ms(page, "compare-b.retry", "label")
    page.context.close()
    return found


def settings_ms(page: Page) -> tuple[float, float]:
    """The medians of opening a slot's settings, which are closed, and of closing them again, in turn."""
    assert not page.locator(".st-key-compare-settings").count()
    button = page.locator(f".{css_class('edit-compare-b')} button").first
    taken = [click_to_idle_ms(page, button) for _ in range(2 * CLICKS + 2)]
    assert not page.locator(".st-key-compare-settings").count()
    return median(taken[2::2]), median(taken[3::2])


def median_ms(page: Page, key: str, part: str) -> float:
    """The median over the clicks on one widget."""
    taken = [click_to_idle_ms(page, page.locator(f".{css_class(key)} {part}").first) for _ in range(CLICKS + 2)]
    return median(taken[2:])


def compare_page(context: BrowserContext, url: str, link: str) -> Page:
    """The Compare page on a stored comparison, drawn and idle, its event stream open."""
    page = context.new_page()
    page.goto(f"{url}/compare?compare={link}")
    page.wait_for_selector(".st-key-run button:not([disabled])")
    page.wait_for_selector(IDLE)
    page.wait_for_timeout(1_000)
    return page


def press_run(page: Page) -> None:
    """Run all slots."""
    page.locator(".st-key-run button").click()
    page.wait_for_selector(".st-key-run button[disabled]")


def wait_until_shown(page: Page) -> None:
    """Wait until every panel has its text and the page its figures, with no script running."""
    count = page.locator("[class*=st-key-panel-compare-]").count()
    for letter in LETTERS[:count]:
        page.wait_for_selector(f"[data-panel=compare-{letter}][data-status=finished]", timeout=60_000 + 1000 * TOKENS / RATE)
        text = page.locator(f"[data-panel=compare-{letter}] .panel-text").text_content()
        assert text == expected_text(TOKENS), f"slot {letter} shows {len(text or '')} characters, not what was sent"
    page.wait_for_selector(".st-key-run button:not([disabled])")
    page.locator(".st-key-compare-figures tbody tr").nth(count - 1).wait_for()
    page.wait_for_selector(IDLE)


if __name__ == "__main__":
    from tests.benchmarks.__main__ import main

    sys.exit(main(["--here", "compare"]))
