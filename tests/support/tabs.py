"""Browser pages for tests: one tab is kept from test to test, emptied in between.

Opening the playground in a tab that had it before takes 1.2 s of CPU time, in a new browser context 2.8 s (two more processes, and
three megabytes of JavaScript read and compiled again).
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page

VIEWPORT = {"width": 1360, "height": 900}
_EMULATED = {"viewport", "color_scheme"}
"""What a kept tab can be told; anything else takes a context of its own."""

TALK = """(() => {
  const Plain = window.WebSocket;
  window.lastAsked = window.lastTold = 0;
  window.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", () => { window.lastTold = performance.now(); });
    }
    send(data) {
      window.lastAsked = performance.now();
      super.send(data);
    }
  };
})()"""
"""Lets a page know when it last asked the server for something and when it was last told something (``PlaygroundPage.idle``)."""

_FORGET = "() => { try { localStorage.clear(); sessionStorage.clear(); } catch { /* about:blank has none */ } }"


class Tabs:
    """The pages that one test after another opens in one Chromium."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._kept: Page | None = None
        self._opened: list[Page] = []

    def open(self, *, fresh: bool = False, **options: Any) -> Page:
        """An empty page without cookies and storage: the kept tab when this test has not got it yet.

        With ``fresh``, or with context options other than ``viewport`` and ``color_scheme``, it is the first page of a new context. A
        test that routes requests or listens to what arrives asks for a fresh one, for a tab keeps its routes and listeners.
        """
        if fresh or not set(options) <= _EMULATED or any(page is self._kept for page in self._opened):
            page = self._context(**{"viewport": VIEWPORT, **options}).new_page()
        else:
            page = self._tab()
            page.set_viewport_size(options.get("viewport", VIEWPORT))
            page.emulate_media(color_scheme=options.get("color_scheme", "light"))
        self._opened.append(page)
        return page

    def beside(self, page: Page) -> Page:
        """Another tab of the same browser: cookies and storage are shared."""
        self._opened.append(page.context.new_page())
        return self._opened[-1]

    def release(self, *, keep: bool = True) -> None:
        """After a test: close what it opened, and empty the kept tab; without ``keep``, close that one, too."""
        kept = self._kept
        if kept and not (keep and _emptied(kept)):
            self._kept = None
        for context in {page.context for page in self._opened} - ({self._kept.context} if self._kept else set()):
            context.close()
        self._opened.clear()

    def _tab(self) -> Page:
        if self._kept is None or self._kept.is_closed():
            self._kept = self._context(viewport=VIEWPORT).new_page()
        return self._kept

    def _context(self, **options: Any) -> BrowserContext:
        context = self._browser.new_context(**options)
        context.add_init_script(TALK)
        return context


def _emptied(page: Page) -> bool:
    """Close the tabs beside ``page``, and make it forget; False when it cannot be used again."""
    try:
        for other in page.context.pages:
            if other is not page:
                other.close()
        page.evaluate(_FORGET)
        page.goto("about:blank")
        page.mouse.move(0, 0)
        page.context.clear_cookies()
        page.context.clear_permissions()
    except Error:
        return False
    return True
