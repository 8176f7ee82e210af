"""The tab that is kept from test to test."""

from __future__ import annotations

from playwright.sync_api import Browser, Page

from tests.support.app_process import AppProcess
from tests.support.tabs import Tabs

KNOWN = "[document.cookie, localStorage.length, sessionStorage.length, innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]"


def known(page: Page, url: str) -> object:
    page.goto(url)
    return page.evaluate(KNOWN)


def test_kept_tab_knows_nothing_of_the_test_before(browser: Browser, playground: AppProcess) -> None:
    tabs, url = Tabs(browser), f"{playground.url}/healthz"
    first = tabs.open(viewport={"width": 400, "height": 800}, color_scheme="dark")
    assert known(first, url) == ["", 0, 0, 400, True]
    first.evaluate("() => { document.cookie = 'a=b'; localStorage.c = sessionStorage.d = 'e' }")
    beside, other = tabs.beside(first), tabs.open()
    assert known(beside, url) == ["a=b", 1, 0, 1360, False]
    assert known(other, url) == ["", 0, 0, 1360, False]
    tabs.release()
    again = tabs.open()
    assert again is first
    assert (beside.is_closed(), other.is_closed()) == (True, True)
    assert known(again, url) == ["", 0, 0, 1360, False]
    again.close()
    tabs.release()
    assert tabs.open() is not first
    tabs.release(keep=False)
