"""The stream panel in a real browser, on a page that is nothing but panels."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from playwright.sync_api import Error, Locator, Page, expect

from core.calls.places import Wait
from core.connection import Connection
from core.hub.channels import Event, state_of
from core.run import Run
from tests.core.replay_upstream import expected_text
from tests.support.app_process import AppProcess, running_app
from tests.support.conditions import eventually
from tests.support.playground_page import WITHIN_MS
from tests.support.tabs import Tabs

SELECTED = """(element) => {
  const selection = element.getRootNode().getSelection?.() ?? getSelection();
  selection.selectAllChildren(element);
  return selection.toString();
}"""
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"


@pytest.fixture(scope="module")
def app() -> Iterator[AppProcess]:
    with running_app(script="tests/browser/panel_app/app.py") as running:
        yield running


class Panels:
    """The page of panels, and one of them."""

    def __init__(self, page: Page, slot: str = "a") -> None:
        self.page = page
        self.root = page.locator(f"[data-panel={slot}]")
        self.state = self.root.locator(".panel-state")

    def text(self, choice: int = 0) -> Locator:
        return self.root.locator(f".panel-text[data-choice='{choice}']")

    def run(self) -> Panels:
        self.page.locator(".st-key-run button").click()
        return self

    def says(self, state: str | re.Pattern[str]) -> Panels:
        expect(self.state).to_contain_text(state, timeout=WITHIN_MS)
        return self

    def shows(self, text: str, choice: int = 0) -> Panels:
        eventually(lambda: self.text(choice).text_content() == text, what=f"the text to be the {len(text)} characters sent")
        return self

    def counts(self) -> tuple[int, int]:
        """How often the script ran, and how often a panel said it was done."""
        self.page.wait_for_selector(IDLE)
        found = re.search(r"reruns (\d+) · done (\d+)", self.page.get_by_test_id("stCaptionContainer").last.text_content() or "")
        assert found
        return int(found[1]), int(found[2])


Opener = Callable[..., Panels]


@pytest.fixture
def panels(tabs: Tabs, app: AppProcess) -> Iterator[Opener]:
    """``panels(model, slots=1, slow=0, **context options)``: the page, idle, its panels drawn. ``before`` gets the page, empty."""
    watched: list[Page] = []
    errors: list[str] = []

    def note(error: Error) -> None:
        errors.append(str(error))

    def open_page(model: str, *, slots: int = 1, slow: float = 0, before: Callable[[Page], None] | None = None, **options: Any) -> Panels:
        page = tabs.open(fresh=before is not None, **options)
        watched.append(page)
        page.on("pageerror", note)
        if before:
            before(page)
        page.goto(f"{app.url}/?slots={slots}&model={model}&slow={slow}")
        page.wait_for_selector(f"[data-panel={'abcdefgh'[slots - 1]}]")
        page.wait_for_selector(IDLE)
        return Panels(page)

    yield open_page
    for page in watched:
        page.remove_listener("pageerror", note)
    assert not errors


def test_a_run_is_shown_before_the_rerun_its_click_caused_has_ended(panels: Opener) -> None:
    page = panels("tokens=20/rate=100", slow=2)
    page.run().shows(expected_text(20)).says("finished")
    expect(page.page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "running")


def test_the_end_is_told_once_per_run_and_not_again_after_a_reload(panels: Opener) -> None:
    page = panels("tokens=5/rate=100")
    assert page.counts() == (1, 0)
    page.run().says("finished")
    eventually(lambda: page.counts() == (3, 1), what="one rerun for the click and one for the end")
    page.run().says("finished")
    eventually(lambda: page.counts() == (5, 2), what="the second run's two")
    page.page.reload()
    page.shows(expected_text(5)).says("finished")
    page.page.locator(".st-key-ping button").click()
    eventually(lambda: page.counts()[0] > 1, what="the click's rerun, which comes after what the panel told")
    assert page.counts() == (2, 0)


def test_reloading_or_opening_another_tab_in_the_middle_shows_everything_once(panels: Opener) -> None:
    page = panels("tokens=250/rate=100")
    page.run()
    eventually(lambda: len(page.text().text_content() or "") > 200)
    page.page.reload()
    other = Panels(page.page.context.new_page())
    other.page.goto(page.page.url)
    for each in (page, other):
        each.shows(expected_text(250)).says("finished")
    eventually(lambda: page.counts()[1] == 1, what="the page that watched to be told")


def test_reruns_redraw_nothing(panels: Opener) -> None:
    page = panels("tokens=300/rate=100").run()
    page.says("streaming")
    page.text().evaluate("(element) => { element.mine = true; element.firstChild.mine = true }")
    for _ in range(3):
        page.page.locator(".st-key-ping button").click()
        page.page.wait_for_selector(IDLE)
    page.shows(expected_text(300))
    assert page.text().evaluate("(element) => element.mine && element.firstChild.mine")


def test_all_panels_of_a_page_share_one_connection(panels: Opener) -> None:
    opened: list[str] = []
    page = panels(
        "tokens=30/rate=100",
        slots=4,
        before=lambda page: page.on("request", lambda r: opened.append(r.url) if "/events" in r.url else None),
    )
    page.run()
    for slot in "abcd":
        Panels(page.page, slot).shows(expected_text(30)).says("finished")
    assert len(opened) == 1


def test_text_with_emoji_two_directions_and_whitespace_is_shown_as_it_came(panels: Opener) -> None:
    panels("tokens=120/rate=400/text=emoji").run().shows(expected_text(120, "emoji")).says("finished")


def test_visible_whitespace_changes_neither_the_text_nor_what_is_copied(panels: Opener) -> None:
    page = panels("tokens=60/rate=100/text=emoji").run().says("streaming")
    page.root.locator(".panel-whitespace").click()
    page.shows(expected_text(60, "emoji")).says("finished")
    assert page.text().locator(".mark-newline").first.evaluate("(e) => getComputedStyle(e, '::before').content").startswith('"↵"')
    selected = page.text().evaluate(SELECTED)
    assert selected.rstrip("\n") == expected_text(60, "emoji").rstrip("\n")
    page.root.locator(".panel-whitespace").click()
    page.shows(expected_text(60, "emoji"))
    expect(page.text().locator("span")).to_have_count(0)


@pytest.mark.parametrize("marked", [False, True])
def test_a_long_text_in_several_blocks_is_still_that_text(panels: Opener, marked: bool) -> None:
    page = panels("tokens=1500/rate=1500")
    if marked:
        page.run().says("streaming")
        page.root.locator(".panel-whitespace").click()
    else:
        page.run()
    page.says("finished").shows(expected_text(1500))
    assert page.text().locator(".panel-block").count() >= 3
    selected = page.text().evaluate(SELECTED)
    assert selected == page.text().inner_text() == expected_text(1500)
    height = page.text().evaluate("(e) => e.scrollHeight")
    whole = page.text().evaluate("(e) => { e.textContent = e.textContent; return e.scrollHeight }")
    assert height == whole, "the blocks take the room of one text"


def test_each_choice_has_its_tab_with_its_finish_reason(panels: Opener) -> None:
    page = panels("tokens=40/rate=400/n=3").run().says("finished")
    tabs = page.root.get_by_role("tab")
    expect(tabs).to_have_count(3)
    expect(tabs.nth(2)).to_contain_text("length")
    tabs.nth(0).focus()
    page.page.keyboard.press("ArrowLeft")
    expect(tabs.nth(2)).to_be_focused()
    expect(page.text(2)).to_be_visible()
    expect(page.text(0)).to_be_hidden()
    page.shows(expected_text(40), 2)


def test_following_lets_go_when_the_reader_scrolls_up_and_takes_hold_at_the_bottom(panels: Opener) -> None:
    page = panels("tokens=900/rate=150/hold", viewport={"width": 420, "height": 700}).run()
    text = page.text()
    at_bottom = "(e) => e.scrollHeight - e.scrollTop - e.clientHeight < 30"
    eventually(lambda: text.evaluate("(e) => e.scrollHeight > e.clientHeight + 200"))
    assert text.evaluate(at_bottom)
    text.hover()
    page.page.mouse.wheel(0, -150)
    eventually(lambda: not text.evaluate(at_bottom), what="following to let go")
    top = text.evaluate("(e) => e.scrollTop")
    length = len(text.text_content() or "")
    eventually(lambda: len(text.text_content() or "") > length + 100)
    assert text.evaluate("(e) => e.scrollTop") == top
    page.root.locator(".panel-latest").click()
    eventually(lambda: text.evaluate(at_bottom), what="following to take hold")
    length = len(text.text_content() or "")
    eventually(lambda: len(text.text_content() or "") > length + 100)
    assert text.evaluate(at_bottom)


def test_copy_takes_the_whole_text(panels: Opener) -> None:
    page = panels("tokens=30/rate=400/text=emoji", permissions=["clipboard-read", "clipboard-write"]).run().says("finished")
    page.root.locator(".panel-copy").click()
    expect(page.root.locator(".panel-copied")).to_be_visible()
    assert page.page.evaluate("navigator.clipboard.readText()") == expected_text(30, "emoji")


def test_copy_works_without_the_clipboard_interface(panels: Opener) -> None:
    page = panels("tokens=8/rate=400", permissions=["clipboard-read"]).run().says("finished")
    page.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')) }")
    page.root.locator(".panel-copy").click()
    expect(page.root.locator(".panel-copied")).to_be_visible()
    assert page.page.evaluate("navigator.clipboard.readText()") == expected_text(8)


def test_stop_in_one_panel_leaves_the_others_running(panels: Opener) -> None:
    page = panels("tokens=200/rate=100", slots=2).run()
    page.says("streaming")
    page.root.locator(".panel-stop").click()
    page.says("stopped by you")
    Panels(page.page, "b").shows(expected_text(200)).says("finished")
    assert 0 < len(page.text().text_content() or "") < len(expected_text(200))


def test_a_stop_that_is_refused_says_so(panels: Opener) -> None:
    page = panels("tokens=300/rate=100").run().says("streaming")
    page.page.route("**/stop*", lambda route: route.fulfill(status=403, body='{"error": "not from here"}'))
    page.root.locator(".panel-stop").click()
    page.says("not stopped: not from here")
    page.page.unroute("**/stop*")
    page.root.locator(".panel-stop").click()
    page.says("stopped by you")


def test_a_failure_says_why_and_what_next(panels: Opener) -> None:
    page = panels("status=429").run().says("failed · 429 · try again in 7 s")
    expect(page.root.locator(".panel-cause")).to_contain_text("Slow down.")
    expect(page.root.locator(".panel-next")).not_to_be_empty()
    expect(page.root.locator(".panel-facts")).to_contain_text("req-no")
    page.page.locator("input").first.fill("tokens=3")
    page.page.locator("input").first.press("Enter")
    page.run().shows(expected_text(3))
    expect(page.root.locator(".panel-error")).to_be_empty()


def test_a_queued_run_says_why_it_waits_and_until_when(panels: Opener) -> None:
    run = Run("r1", "a", {}, b"{}", Connection("replay", "local", "http://127.0.0.1:9", "/"), time.monotonic)
    run.place_in_queue(2, Wait(1, 1, slowed=True, until=int(datetime(2026, 11, 26, 14, 5, 9).timestamp())))
    told = Event("hello", {"runs": ["1"]}).encode() + Event("run", {"slot": "a", "n": "1", "token": "t", **state_of(run)}).encode()

    def queued(page: Page) -> None:
        page.route("**/events*", lambda route: route.fulfill(body=told, content_type="text/event-stream"))

    page = panels("tokens=1", before=queued, locale="en-GB")
    page.says("queued · #2 · waits for a place: 1 of 1 in use, slowed down after 429, the next place by 14:05:09")


def test_without_an_event_stream_the_panel_polls(panels: Opener) -> None:
    asked: list[str] = []

    def no_events(page: Page) -> None:
        page.route("**/events*", lambda route: route.abort())
        page.on("request", lambda request: asked.append(request.url) if "/delta" in request.url else None)

    page = panels("tokens=150/rate=100/n=2", before=no_events)
    eventually(lambda: page.page.evaluate("0") or asked, what="the panel to ask")
    page.run().shows(expected_text(150)).shows(expected_text(150), 1).says("finished")


def test_a_stream_that_says_no_hello_in_time_is_given_up_for_polling(panels: Opener) -> None:
    page = panels("tokens=150/rate=50", before=lambda page: page.route("**/events*", lambda route: None))
    page.run().says("finished").shows(expected_text(150))


def test_a_hidden_page_gives_its_connection_back_and_catches_up(panels: Opener) -> None:
    page = panels("tokens=23/rate=100")
    hide = """(hidden) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    with page.page.expect_event("requestfailed", lambda request: "/events" in request.url, timeout=WITHIN_MS):
        page.page.evaluate(hide, True)
    page.run()
    measured = f"{page.page.url.partition('/?')[0]}/measured"
    eventually(lambda: 23 in map(len, httpx.get(measured, trust_env=False).json()["sent"].values()), what="the whole answer to be sent")
    assert not page.text().text_content()
    page.page.evaluate(hide, False)
    page.shows(expected_text(23)).says("finished")


def test_a_page_without_panels_holds_no_connection(panels: Opener) -> None:
    page = panels("tokens=2")
    with page.page.expect_event("requestfailed", lambda request: "/events" in request.url, timeout=WITHIN_MS):
        page.page.locator(".st-key-shown label").click()
    expect(page.root).to_have_count(0)
    page.page.locator(".st-key-shown label").click()
    page.run().shows(expected_text(2)).says("finished")


def test_state_and_end_are_announced_politely_and_a_replay_is_not(panels: Opener) -> None:
    page = panels("tokens=40/rate=200").run().says("finished")
    said = page.root.locator("[aria-live=polite]")
    eventually(lambda: "finished" in (said.text_content() or ""))
    assert "liquid" in (said.text_content() or "")
    page.page.reload()
    page.says("finished").shows(expected_text(40))
    assert not said.text_content()


def test_nothing_moves_for_those_who_want_no_motion(panels: Opener) -> None:
    page = panels("tokens=1/hold", reduced_motion="reduce").run().says("streaming")
    assert page.root.locator(".panel-dot").evaluate("(e) => getComputedStyle(e).animationName") == "none"


def test_the_panel_keeps_its_height_from_empty_to_full(panels: Opener) -> None:
    page = panels("tokens=400/rate=800/n=2", viewport={"width": 400, "height": 800})
    heights = [page.root.bounding_box()]
    page.run().says("finished")
    heights.append(page.root.bounding_box())
    assert [box and box["height"] for box in heights] == [heights[0] and heights[0]["height"]] * 2
