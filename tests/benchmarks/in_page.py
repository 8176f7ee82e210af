"""Stopwatches that run inside the page, by its own clock, so that neither the driver nor its pipe is measured."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

from tests.support.playground_page import IDLE

_CLICK_TO_IDLE = """
() => {
  const app = document.querySelector('[data-testid=stApp]');
  const watch = window.stopwatch = {};
  addEventListener('pointerdown', () => { watch.from = performance.now() }, { capture: true, once: true });
  const observer = new MutationObserver(() => {
    if (watch.from === undefined) return;
    if (app.dataset.testScriptState !== 'notRunning') { watch.ran = true; return; }
    if (watch.ran) { watch.to = performance.now(); observer.disconnect(); }
  });
  observer.observe(app, { attributes: true, attributeFilter: ['data-test-script-state'] });
}
"""
_CLICK_TO_TEXT = """
(root, text) => {
  const watch = window.stopwatch = {};
  addEventListener('pointerdown', () => { watch.from = performance.now() }, { capture: true, once: true });
  const observer = new MutationObserver(() => {
    if (!root.textContent.includes(text)) return;
    watch.to = performance.now();
    observer.disconnect();
  });
  observer.observe(root, { subtree: true, childList: true, characterData: true });
}
"""
_SHOWN = "() => window.stopwatch.to !== undefined && window.stopwatch.to - window.stopwatch.from"


def click_to_idle_ms(page: Page, button: Locator) -> float:
    """Milliseconds from the press of ``button`` to the end of the script run it caused. The click must cause one."""
    page.wait_for_selector(IDLE)
    button.scroll_into_view_if_needed()
    page.evaluate(_CLICK_TO_IDLE)
    button.click()
    return float(page.wait_for_function(_SHOWN, polling=20).json_value())


def click_to_text_ms(page: Page, button: Locator, root: Locator, text: str) -> float:
    """Milliseconds from the press of ``button`` until ``text``, which is not there yet, stands in the DOM below ``root``."""
    page.wait_for_selector(IDLE)
    root.evaluate(_CLICK_TO_TEXT, text)
    button.click()
    return float(page.wait_for_function(_SHOWN, polling=20).json_value())
