"""A shared Chromium, and pages in it. Every page is watched: an error in its console fails the test that opened it."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, expect

from tests.support.app_process import AppProcess
from tests.support.browser import launched
from tests.support.playground_page import WITHIN_MS, PlaygroundPage
from tests.support.tabs import Tabs

HERE = Path(__file__).parent
ARTIFACTS = HERE / "artifacts"
PAGES = pytest.StashKey[list[PlaygroundPage]]()
FAILED = pytest.StashKey[bool]()
Opener = Callable[..., PlaygroundPage]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a real Chromium."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of this folder. It ends with the folder, because Playwright's loop keeps asyncio tests from running."""
    expect.set_options(timeout=WITHIN_MS)
    with launched() as running:
        yield running


@pytest.fixture(scope="package")
def all_tabs(browser: Browser) -> Tabs:
    """The pages of that Chromium."""
    return Tabs(browser)


@pytest.fixture
def tabs(all_tabs: Tabs, request: pytest.FixtureRequest) -> Iterator[Tabs]:
    """Where one test's pages come from. What it opened is closed after it; the tab of a test that failed is not used again."""
    yield all_tabs
    all_tabs.release(keep=not request.node.stash.get(FAILED, False))


@pytest.fixture
def open_page(tabs: Tabs, request: pytest.FixtureRequest) -> Iterator[Opener]:
    """``open_page(url, **context options)``: a PlaygroundPage without cookies and storage, see `Tabs.open`.

    ``same_as=page`` opens a tab beside another page. The test fails when a console held an error that the page's
    ``expected_problems`` do not name.
    """
    pages: list[PlaygroundPage] = request.node.stash.setdefault(PAGES, [])

    def open_one(url: str, *, same_as: PlaygroundPage | None = None, **options: Any) -> PlaygroundPage:
        pages.append(PlaygroundPage(tabs.beside(same_as.page) if same_as else tabs.open(**options), url))
        return pages[-1]

    yield open_one
    problems = [problem for page in pages for problem in page.unexpected_problems()]
    for page in pages:
        page.let_go()
    assert not problems, f"errors in the browser's console: {problems}"


@pytest.fixture
def local(playground: AppProcess, open_page: Opener) -> PlaygroundPage:
    """The Playground page, open and idle, on the local router."""
    return open_page(playground.url).open()


@pytest.fixture
def scripted(scripted_playground: AppProcess, open_page: Opener) -> PlaygroundPage:
    """The Playground page, open and idle, on the scripted upstream."""
    return open_page(scripted_playground.url).open()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Of a test that failed: what was on the screen, the page's HTML, the browser's console, and what the app wrote."""
    report = yield
    if report.failed and call.when in ("setup", "call"):
        item.stash[FAILED] = True
        for number, page in enumerate(item.stash.get(PAGES, [])):
            report.sections.append((f"page {number}", _keep(page, f"{item.name}-{number}")))
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, AppProcess):
                report.sections.append((f"output of {name}", value.output()))
    return report


def _keep(page: PlaygroundPage, name: str) -> str:
    """Write a screenshot and the HTML; returns where, and the console's errors."""
    ARTIFACTS.mkdir(exist_ok=True)
    path = ARTIFACTS / re.sub(r"[^\w-]+", "_", name)
    try:
        page.page.screenshot(path=path.with_suffix(".png"), timeout=5_000)
        path.with_suffix(".html").write_text(page.page.content(), encoding="utf-8")
    except Error as error:
        return f"no picture: {error}"
    return f"{page.page.url}\n{path}.png, .html\nconsole: {page.problems}"
