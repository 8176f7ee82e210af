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
DESK = {"viewport": {"width": 1360, "height": 860}}
PHONE = {"viewport": {"width": 400, "height": 800}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
PROMPT = "A function definition"


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


def take(page: PlaygroundPage, name: str) -> None:
    """Write one picture, from the top of the page, with nothing moving, no caret and nothing under the mouse."""
    page.page.evaluate("document.fonts.ready.then(() => document.activeElement?.blur())")
    page.page.mouse.move(0, 0)
    page.page.get_by_test_id("stMain").evaluate("(element) => element.scrollTo(0, 0)")
    page.page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
    sys.stdout.write(f"docs/images/{name}.png\n")


def main() -> None:
    """Every picture that the README and the docs show."""
    IMAGES.mkdir(exist_ok=True)
    with launched() as browser, running_app(environment={"PLAYGROUND_LOCAL_PACE": "160"}) as app:
        for scheme in ("light", "dark"):
            with playground(browser, app, color_scheme=scheme, **DESK) as page:
                take(page, f"playground-{scheme}")
                if scheme == "light":
                    page.page.get_by_role("link", name="Connections").first.click()
                    page.page.get_by_role("button", name="Test").first.wait_for()
                    take(page.idle(), "connections-light")
        with playground(browser, app, color_scheme="light", **PHONE) as page:
            take(page, "playground-phone")


if __name__ == "__main__":
    main()
