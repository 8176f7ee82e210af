"""The playground as somebody at a browser uses it: by its keys (design.md, "Widgets and their keys") and the panel's DOM hooks."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlparse

from playwright.sync_api import ConsoleMessage, Error, Locator, Page, expect

WITHIN_MS = 45_000
"""How long anything may take on a busy machine before a test gives up."""

COLD_MS = 90_000
"""How long the first page of an app that was just started may take there: it imports and makes what later ones find."""

IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
RUNNING_STATES = re.compile(r"queued|waiting|streaming", re.IGNORECASE)


def css_class(key: str) -> str:
    """The class that Streamlit gives the widget with this key."""
    return "st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", key.strip())


def _told(message: ConsoleMessage) -> str:
    return f"{message.text} ({message.location.get('url', '')})"


ANSWERED_MS = 10_000
"""How long a page may wait for the server's first word on what it asked; not everything that it says is a question."""

CALM = f"""() => {{
  const open = window.lastAsked > window.lastTold && performance.now() - window.lastAsked < {ANSWERED_MS};
  window.calmFrames = !open && document.querySelector("{IDLE}") ? window.calmFrames + 1 : 0;
  return window.calmFrames > 6;
}}"""


class PlaygroundPage:
    """One browser page on one playground. ``slot`` is the one it drives."""

    def __init__(self, page: Page, base_url: str, slot: str = "a") -> None:
        self.page = page
        self.base_url = base_url
        self.slot = slot
        self.problems: list[str] = []
        self.expected_problems: list[str] = []
        page.set_default_timeout(WITHIN_MS)
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(_told(message))

    def _on_error(self, error: Error) -> None:
        self.problems.append(f"uncaught: {error}")

    def let_go(self) -> None:
        """Watch the browser's page no longer: it is another test's from now on."""
        self.page.remove_listener("console", self._on_console)
        self.page.remove_listener("pageerror", self._on_error)

    def unexpected_problems(self) -> list[str]:
        """Errors in the browser's console that no entry (a regular expression) of ``expected_problems`` accounts for."""
        return [problem for problem in self.problems if not any(re.search(pattern, problem) for pattern in self.expected_problems)]

    # Getting there

    def open(self, path: str = "/", **query: str) -> PlaygroundPage:
        """Go to a page of the playground and wait until it is usable."""
        self.page.goto(f"{self.base_url}{path}" + (f"?{urlencode(query)}" if query else ""))
        return self.ready()

    def ready(self) -> PlaygroundPage:
        """Wait until the Playground page is drawn and its script is done."""
        self.run_button.wait_for(timeout=COLD_MS)
        return self.idle()

    def reload(self) -> PlaygroundPage:
        """Press F5."""
        self.page.reload()
        return self.ready()

    def idle(self) -> PlaygroundPage:
        """Wait until nothing asked of the server is open and no script has run for some frames.

        A click asks for its run a frame later, a busy server begins it later still, and a run may ask for another one.
        """
        self.page.wait_for_selector(IDLE)
        self.page.evaluate("window.calmFrames = 0")
        self.page.wait_for_function(CALM, polling="raf")
        return self

    @property
    def query(self) -> dict[str, str]:
        """The page's query parameters."""
        return {name: values[-1] for name, values in parse_qs(urlparse(self.page.url).query).items()}

    # Widgets

    def keyed(self, key: str) -> Locator:
        """The element with a key of ours."""
        return self.page.locator(f".{css_class(key)}")

    def widget(self, path: str) -> Locator:
        """The widget that edits a parameter (``orq.retry.count``)."""
        return self.keyed(f"{self.slot}.{path}")

    @property
    def prompt(self) -> Locator:
        """The prompt's text area."""
        return self.widget("prompt").locator("textarea")

    @property
    def model(self) -> Locator:
        """The model picker's input, which holds the model's name."""
        return self.widget("model").locator("input").first

    def type_prompt(self, text: str) -> PlaygroundPage:
        """Put ``text`` into the prompt; as in life, it is taken over when the focus leaves or Run is pressed."""
        self.prompt.fill(text)
        return self

    def choose_model(self, name: str) -> PlaygroundPage:
        """Type a model's name into the picker and take it."""
        box = self.model
        box.click()
        box.fill(name)
        self.page.get_by_role("option").filter(has_text=name).first.wait_for()
        box.press("Enter")
        expect(self.model).to_have_value(name)
        return self.idle()

    def open_group(self, title: str) -> PlaygroundPage:
        """Open one group of parameters, if it is closed."""
        summary = self.page.locator("[data-testid=stExpander] details:not([open]) > summary").filter(has_text=title)
        if summary.count():
            summary.first.click()
        return self.idle()

    def open_groups(self) -> PlaygroundPage:
        """Open every group of parameters that is closed."""
        closed = self.page.locator("[data-testid=stExpander] details:not([open]) > summary")
        while closed.count():
            closed.first.click()
            self.idle()
        return self

    def set_field(self, path: str, value: object) -> PlaygroundPage:
        """Type a number or a text into a parameter's field and leave it."""
        field = self.widget(path).locator("input, textarea").first
        field.fill(str(value))
        field.press("Tab")
        return self.idle()

    # Running

    @property
    def run_button(self) -> Locator:
        """Run. With a tooltip, Streamlit draws a button twice, for mice and for fingers, and shows one."""
        return self.keyed("run").locator("button:visible")

    @property
    def stop_button(self) -> Locator:
        return self.keyed("stop").locator("button:visible")

    def run(self) -> PlaygroundPage:
        """Press Run with the mouse."""
        self.run_button.click()
        return self

    def stop(self) -> PlaygroundPage:
        """Press Stop with the mouse."""
        self.stop_button.click()
        return self

    @property
    def panel(self) -> Panel:
        """This slot's panel."""
        return Panel(self.page, self.slot)


class Panel:
    """One output panel."""

    def __init__(self, page: Page, slot: str) -> None:
        self.page = page
        self.root = page.locator(f"[data-panel={slot}]")
        self.state = self.root.locator(".panel-state")

    def output(self, choice: int = 0) -> Locator:
        """The element that holds one choice's text."""
        return self.root.locator(f'.panel-text[data-choice="{choice}"]')

    def text(self, choice: int = 0) -> str:
        """One choice's text as it is in the DOM, every space and line break of it."""
        return self.output(choice).text_content() or ""

    def wait_for_text(self, text: str, choice: int = 0) -> Panel:
        """Wait until the choice's text contains ``text``."""
        expect(self.output(choice)).to_contain_text(text, timeout=WITHIN_MS)
        return self

    def wait_for_exact_text(self, text: str, choice: int = 0, *, within_ms: float = WITHIN_MS) -> Panel:
        """Wait until the choice's text is ``text``, spaces and line breaks included."""
        self.output(choice).wait_for(state="attached")
        self.page.wait_for_function(
            "([element, text]) => element.textContent === text", arg=[self.output(choice).element_handle(), text], timeout=within_ms
        )
        return self

    def wait_for_state(self, state: str | re.Pattern[str]) -> Panel:
        """Wait until the state line contains ``state``."""
        expect(self.state).to_contain_text(state, timeout=WITHIN_MS)
        return self

    def wait_until_ended(self) -> Panel:
        """Wait until the run is neither queued nor waiting nor streaming."""
        expect(self.state).not_to_be_empty(timeout=WITHIN_MS)
        expect(self.state).not_to_contain_text(RUNNING_STATES, timeout=WITHIN_MS)
        return self

    def mark(self) -> None:
        """Put a mark on the panel's and the text's elements that a redraw would take away."""
        self.output().evaluate("(element) => { element.untouched = true }")

    def untouched(self) -> bool:
        """Whether the elements marked by ``mark`` are still the same ones."""
        found: Any = self.output().evaluate("(element) => element.untouched === true")
        return bool(found)
