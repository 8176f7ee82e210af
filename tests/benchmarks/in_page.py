"""Stopwatches that run inside the page, by its own clock, so that neither the driver nor its pipe is measured."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Locator, Page

from tests.support.playground_page import IDLE

_NOTE_MESSAGES = """
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    this.addEventListener('message', () => { window.lastMessage = performance.now() });
  }
};
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.busyUntil = Math.max(window.busyUntil ?? 0, task.startTime + task.duration);
}).observe({ type: 'longtask' });
for (const hover of ['mouseover', 'mouseout', 'pointerover', 'pointerout']) {
  addEventListener(hover, (event) => event.stopImmediatePropagation(), { capture: true });
}
"""
_CLICK_TO_IDLE = """
() => {
  const watch = window.stopwatch = {};
  addEventListener('pointerdown', () => { watch.from = performance.now() }, { capture: true, once: true });
  watch.observer = new MutationObserver(() => { watch.last = performance.now() });
  watch.observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}
"""
# The script's state in the DOM is not enough: when start and end come in one batch of messages, it never shows "running".
_IDLE = """
() => {
  const watch = window.stopwatch, last = Math.max(watch.last ?? 0, window.lastMessage ?? 0, window.busyUntil ?? 0);
  const running = document.querySelector('[data-testid=stApp]').dataset.testScriptState !== 'notRunning';
  if (running || !(window.lastMessage > watch.from) || performance.now() - last < 300) return false;
  watch.observer.disconnect();
  return last - watch.from;
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


def note_messages(context: BrowserContext) -> BrowserContext:
    """Have the context's pages note what ``click_to_idle_ms`` asks for: messages, and work without a break. Call before a page opens.

    They are told of no hovering: a tooltip goes 250 ms after the pointer has left its button, which a click that moves the button away
    does at times; nobody waits for it.
    """
    context.add_init_script(_NOTE_MESSAGES)
    return context


def click_to_idle_ms(page: Page, button: Locator, *, at: tuple[float, float] | None = None) -> float:
    """Milliseconds from the press of ``button`` to the last message or change in the page that followed, with no script running.

    It is the last when nothing comes for 300 ms, which are not counted. A page that works on for 50 ms or more without a change (the Long
    Tasks API tells) could not take the next press, and is not idle before that has ended. The click must cause a script run. ``at`` is
    where to press, in pixels from the top left; its middle otherwise.
    """
    page.wait_for_selector(IDLE)
    button.scroll_into_view_if_needed()
    page.evaluate(_CLICK_TO_IDLE)
    button.click(position={"x": at[0], "y": at[1]} if at else None)
    return float(page.wait_for_function(_IDLE, polling=20).json_value())


def click_to_text_ms(page: Page, button: Locator, root: Locator, text: str) -> float:
    """Milliseconds from the press of ``button`` until ``text``, which is not there yet, stands in the DOM below ``root``."""
    page.wait_for_selector(IDLE)
    root.evaluate(_CLICK_TO_TEXT, text)
    button.click()
    return float(page.wait_for_function(_SHOWN, polling=20).json_value())
