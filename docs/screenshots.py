"""``python -m docs.screenshots`` (``make screenshots``): takes docs/images/*.png from the running app, on the local router."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.support.app_process import AppProcess, running_app
from tests.support.browser import launched
from tests.support.playground_page import PlaygroundPage

IMAGES = Path(__file__).parent / "images"
DESK = {"viewport": {"width": 1400, "height": 860}}
PHONE = {"viewport": {"width": 400, "height": 800}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
PROMPT = "A function definition"
EARLIER = ("The for statement", "An exception is", "A class definition", "The try statement", "Generator functions")
QUERY = "how are exceptions raised"


@contextmanager
def playground(browser: Browser, app: AppProcess, **context_options: Any) -> Iterator[PlaygroundPage]:
    """The Playground page with a finished run; the seed makes the text the same each time."""
    context = browser.new_context(**context_options)
    page = PlaygroundPage(context.new_page(), app.url).open().open_group("Sampling")
    page.set_field("temperature", 0.7).set_field("seed", 11).type_prompt(PROMPT).run()
    page.panel.wait_until_ended()
    page.keyed("summary-a").wait_for()
    page.idle()
    yield page
    context.close()


def other_page(page: PlaygroundPage, name: str, key: str) -> PlaygroundPage:
    """Go to another page by its link; ``key`` is something on it."""
    page.page.get_by_role("link", name=name, exact=True).first.click()
    page.keyed(key).first.wait_for()
    return page.idle()


def fill(page: PlaygroundPage, key: str, text: str) -> None:
    """Type into a widget and take it over."""
    box = page.keyed(key).locator("input, textarea").first
    box.fill(text)
    box.press("Enter")
    page.idle()


def take(page: PlaygroundPage, name: str) -> None:
    """Write one picture, from the top of the page, with nothing moving, no caret and nothing under the mouse."""
    page.page.evaluate("document.fonts.ready.then(() => document.activeElement?.blur())")
    page.page.mouse.move(0, 0)
    page.page.get_by_test_id("stMain").evaluate("(element) => element.scrollTo(0, 0)")
    page.page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
    sys.stdout.write(f"docs/images/{name}.png\n")


def other_pages(page: PlaygroundPage) -> None:
    """The pages beside the Playground, with something on them."""
    for prompt in EARLIER:
        page.type_prompt(prompt).run()
        page.panel.wait_until_ended()
        page.idle()
    other_page(page, "History", "history.text")
    take(page, "history-light")
    other_page(page, "Knowledge", "k.orq.knowledge_bases.0.query")
    fill(page, "k.orq.knowledge_bases.0.query", "exceptions")  # the first search of a base fits its embedding
    page.keyed("knowledge-match-1").wait_for()
    fill(page, "k.orq.knowledge_bases.0.query", QUERY)
    page.keyed("knowledge-match-1").wait_for()
    take(page.idle(), "knowledge-light")
    other_page(page, "Connections", "upstreams")
    take(page, "connections-light")
    other_page(page, "Compare", "slot-compare-b")
    page.keyed("edit-compare-b").locator("button:visible").first.click()
    page.slot = "compare-b"
    page.idle().keyed("form-compare-b").locator("summary:has-text('Sampling')").click()
    page.widget("temperature").wait_for()
    page.set_field("temperature", 1.4)
    page.keyed("edit-compare-b").locator("button:visible").first.click()
    page.idle().keyed("run").locator("button:visible").click()
    page.keyed("compare-figures").wait_for()
    take(page.idle(), "compare-light")
    other_page(page, "Presets", "presets.shelf")
    page.keyed("presets.take_all").locator("button:visible").click()
    page.page.get_by_test_id("stToast").wait_for(state="attached")
    page.page.get_by_test_id("stToast").wait_for(state="detached")
    page.page.locator("canvas").first.click(position={"x": 18, "y": 194}, force=True)  # the box of the fifth preset
    page.page.get_by_role("tab", name="What it sets").wait_for()
    take(page.idle(), "presets-light")


def main() -> None:
    """Every picture that the README and the docs show."""
    IMAGES.mkdir(exist_ok=True)
    with launched() as browser, running_app(environment={"PLAYGROUND_LOCAL_PACE": "160"}) as app:
        for scheme in ("light", "dark"):
            with playground(browser, app, color_scheme=scheme, **DESK) as page:
                take(page, f"playground-{scheme}")
                if scheme == "light":
                    other_pages(page)
        with playground(browser, app, color_scheme="light", **PHONE) as page:
            take(page, "playground-phone")


if __name__ == "__main__":
    main()
