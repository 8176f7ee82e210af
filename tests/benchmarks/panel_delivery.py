"""What it takes to bring tokens to the panel: lag of the last token, bytes to the browser, the server's CPU time."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import httpx
from playwright.sync_api import Browser, Page

from tests.benchmarks.row import Row, row
from tests.core.replay_upstream import ReplayUpstream, expected_text
from tests.support.app_process import AppProcess, running_app
from tests.support.browser import launched
from tests.support.conditions import eventually

APP = "tests/browser/panel_app/app.py"
REFERENCE = "tests/benchmarks/reference_pages/write_stream.py"
SAMPLES = 5
ONE = (1, 6000, 300)
FOUR = (4, 1500, 100)
"""Panels, tokens each, tokens a second each."""

# The wall-clock time, in milliseconds, of the last change of each panel's text.
_WATCH = """
() => {
  const changed = window.changed = {};
  for (const host of document.querySelectorAll('[class*=st-key-panel-]')) {
    const find = (node) => node.shadowRoot ?? [...node.querySelectorAll('*')].map((each) => each.shadowRoot).find(Boolean);
    const root = find(host)?.querySelector('[data-panel]');
    if (!root || changed[root.dataset.panel] !== undefined) continue;
    changed[root.dataset.panel] = 0;
    new MutationObserver(() => { changed[root.dataset.panel] = Date.now() })
      .observe(root.querySelector('.panel-text'), { subtree: true, childList: true, characterData: true });
  }
  return Object.keys(changed).length;
}
"""


def run(samples: int = SAMPLES) -> list[Row]:
    """The figures; each load is measured ``samples`` times, bytes once (they hardly vary)."""
    rows = []
    with running_app(script=APP) as app, upstream_in_thread() as upstream, launched() as browser:
        for load in (ONE, FOUR):
            taken = [deliver(browser, app, upstream, *load) for _ in range(samples)]
            name = f"{load[0]} × {load[1]:,} tokens at {load[2]}/s"
            rows.append(row(f"last token's lag, {name}", "ms", median(lag for lag, _ in taken), target="≤ 30 ms"))
            cpu = median(cpu_s for _, cpu_s in taken)
            rows.append(row(f"server CPU, {name}", "s", cpu, target="≤ 1.0 s" if load is FOUR else ""))
        for panels, tokens, rate in ((1, 1500, 100), FOUR):
            ours = kilobytes(browser, app, upstream, panels, tokens, rate)
            reference = write_stream_kilobytes(browser, upstream, tokens, rate)
            about = f"to the browser per 1,000 tokens, {panels} × {tokens:,} at {rate}/s"
            rows.append(row(about, "KB", ours, target="≤ 30 KB", reference=("st.write_stream, 1 stream", reference)))
    return rows


def deliver(browser: Browser, app: AppProcess, upstream: ReplayUpstream, panels: int, tokens: int, rate: int) -> tuple[float, float]:
    """One run in all panels: the slowest panel's lag in milliseconds, and the server's CPU seconds from the click to the end."""
    page = panel_page(browser, app.url, upstream, panels, tokens, rate)
    before = measured(app)
    upstream.sent.clear()
    page.locator(".st-key-run button").click()
    wait_until_shown(page, panels, tokens, rate)
    after = measured(app)
    changed = page.evaluate("window.changed")
    last_sent = {user.partition("-")[0]: times[-1] * 1000 for user, times in upstream.sent.items()}
    page.context.close()
    return max(changed[slot] - sent for slot, sent in last_sent.items()), after["cpu_s"] - before["cpu_s"]


def kilobytes(browser: Browser, app: AppProcess, upstream: ReplayUpstream, panels: int, tokens: int, rate: int) -> float:
    """Kilobytes (1,000 bytes) that reached the browser per 1,000 tokens, all connections together, from the click to the end."""
    with counting(app.port) as count:
        page = panel_page(browser, count.url, upstream, panels, tokens, rate)
        before = count.received
        page.locator(".st-key-run button").click()
        wait_until_shown(page, panels, tokens, rate)
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        received = count.received - before
        page.context.close()
    return received / (panels * tokens)


def write_stream_kilobytes(browser: Browser, upstream: ReplayUpstream, tokens: int, rate: int) -> float:
    """The same for a page that streams with ``st.write_stream``."""
    with (
        running_app(environment={"ORQ_BASE_URL": upstream.base_url}, script=REFERENCE, health="/_stcore/health") as app,
        counting(app.port) as count,
    ):
        page = browser.new_context().new_page()
        page.goto(count.url)
        page.locator(".st-key-model input").fill(model(tokens, rate))
        page.locator(".st-key-model input").press("Enter")
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        before = count.received
        upstream.sent.clear()
        page.locator(".st-key-run button").click()
        page.wait_for_selector(".st-key-output")
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=120_000)
        received = count.received - before
        page.context.close()
    return received / tokens


def model(tokens: int, rate: int) -> str:
    """What the replay upstream is to do."""
    return f"tokens={tokens}/rate={rate}"


def panel_page(browser: Browser, url: str, upstream: ReplayUpstream, panels: int, tokens: int, rate: int) -> Page:
    """The panel app, open and watched."""
    page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    page.goto(f"{url}/?slots={panels}&model={model(tokens, rate)}&upstream={upstream.base_url}")
    page.wait_for_selector(f"[data-panel={'abcdefgh'[panels - 1]}]")
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    eventually(lambda: page.evaluate(_WATCH) == panels, what="every panel to be found")
    return page


def wait_until_shown(page: Page, panels: int, tokens: int, rate: int) -> None:
    """Wait until every panel says finished, and check its text."""
    for slot in "abcdefgh"[:panels]:
        page.wait_for_selector(f"[data-panel={slot}][data-status=finished]", timeout=30_000 + 1000 * tokens / rate)
        text = page.locator(f"[data-panel={slot}] .panel-text").text_content()
        assert text == expected_text(tokens), f"panel {slot} shows {len(text or '')} characters, not what was sent"


def measured(app: AppProcess) -> dict[str, Any]:
    """What the panel app says of itself."""
    answer: dict[str, Any] = httpx.get(f"{app.url}/measured", trust_env=False).json()
    return answer


@contextmanager
def upstream_in_thread() -> Iterator[ReplayUpstream]:
    """A replay upstream in this process, so that its CPU time is not the app's."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    upstream = ReplayUpstream()
    asyncio.run_coroutine_threadsafe(upstream.__aenter__(), loop).result()
    try:
        yield upstream
    finally:
        asyncio.run_coroutine_threadsafe(upstream.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


class Counter:
    """A TCP proxy's count of bytes towards the browser."""

    def __init__(self) -> None:
        self.url = ""
        self.received = 0


@contextmanager
def counting(port: int) -> Iterator[Counter]:
    """A proxy in front of ``port`` that passes everything on and counts what goes to the browser."""
    counter = Counter()
    listener = socket.create_server(("127.0.0.1", 0))
    counter.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def pump(source: socket.socket, sink: socket.socket, counted: bool) -> None:
        try:
            while data := source.recv(65_536):
                counter.received += len(data) if counted else 0
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            end.close()

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", port))
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=pump, args=(server, client, True), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield counter
    finally:
        listener.close()


if __name__ == "__main__":
    from tests.benchmarks.__main__ import main

    sys.exit(main(["--here", "panel_delivery"]))
