"""Opening a share link in a browser that was never here, and reading what links hold."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from statistics import median

from playwright.sync_api import Browser

from core.share.freezing import freeze
from core.share.link import SelfContainedLinks
from core.share.subject import run_subject
from core.storage.database import Database
from core.storage.share_repository import ShareRepository
from tests.benchmarks.row import Row, row
from tests.support.app_process import running_app
from tests.support.browser import launched
from tests.support.playground_page import COLD_MS

SAMPLES = 7
LAST_WORDS = "and this is the end of the answer."


def run() -> list[Row]:
    """From the address to the last words of the output, beside one button on a page of plain Streamlit; both servers run already."""
    from tests.core.storage import samples

    snapshot = freeze(run_subject(samples.run(text="A word or two. " * 150 + LAST_WORDS)))
    with launched() as browser, running_app() as app, running_app(script=PLAIN, health="/_stcore/health") as plain:
        with closing(Database.of(app.data_dir, None)) as database:
            link = f"{app.url}/share?s={ShareRepository(database).add(snapshot, 'A run').id}"
        sides = {link: f"text={LAST_WORDS}", plain.url: ".st-key-run button"}
        took = {address: [] for address in sides}  # type: dict[str, list[float]]
        for number in range(SAMPLES + 1):
            for address, content in sides.items():
                seconds = opened_s(browser, address, content)
                if number:  # the first fills the disk's cache; not counted
                    took[address].append(seconds)
    ours, theirs = (median(took[address]) for address in sides)
    return [
        row("a share link, cold → its content", "s", ours, target="≤ 1.5 s", reference=("a page with one button, cold", theirs)),
        *reading(),
    ]


PLAIN = "tests/benchmarks/reference_pages/one_button.py"


def opened_s(browser: Browser, address: str, content: str) -> float:
    """Seconds from the address until the content is there, in a context without cache, cookies and session."""
    with closing(browser.new_context()) as context:
        page = context.new_page()
        began = time.monotonic()
        page.goto(address)
        page.locator(content).first.wait_for(timeout=COLD_MS)
        return time.monotonic() - began


def reading() -> list[Row]:
    """Packing and unpacking a link of about the longest, and refusing one that was altered."""
    from tests.core.storage import samples

    links = SelfContainedLinks("secret")
    noise = "".join(f"{number * 7919 % 100_003:x} " for number in range(900))
    snapshot = freeze(run_subject(samples.run(text=noise)))
    text = links.pack(snapshot)
    assert text is not None
    altered = text[:-4] + "AAAA"
    return [
        row(f"packing a link of {len(text):,} characters", "ms", timed_ms(lambda: links.pack(snapshot))),
        row("unpacking and checking it", "ms", timed_ms(lambda: links.unpack(text))),
        row("refusing it altered", "ms", timed_ms(lambda: refused(links, altered))),
    ]


def refused(links: SelfContainedLinks, text: str) -> None:
    """Unpack what cannot be."""
    from core.share.reading import NotReadable

    try:
        links.unpack(text)
    except NotReadable:
        return
    raise AssertionError("an altered link was read")


def timed_ms(work: Callable[[], object]) -> float:
    """The median of 25."""
    took = []
    for _ in range(25):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return median(took)
