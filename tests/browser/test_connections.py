"""Servers behind the local router, as somebody at a browser adds and uses them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.browser.test_appearance import overflow
from tests.core.local_router.upstreams.chat_server import ChatServer, chat_server
from tests.support.app_process import AppProcess
from tests.support.playground_page import PlaygroundPage

PHONE = {"viewport": {"width": 400, "height": 800}}
KEY = "sk-typed-canary-0c7d"


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    with chat_server() as server:
        yield server


def go_to_connections(page: PlaygroundPage) -> None:
    page.page.get_by_role("link", name="Connections").click()
    page.keyed("upstreams").wait_for()
    page.idle()


def open_connections(page: PlaygroundPage) -> None:
    """By its address, as on a telephone, where the links are in a drawer. Streamlit looks for its own addresses beneath, too."""
    page.expected_problems.append("/connections/_stcore/")
    page.page.goto(f"{page.base_url}/connections")
    page.keyed("upstreams").wait_for()
    page.idle()


def fill(page: PlaygroundPage, field: str, text: str) -> None:
    widget = page.keyed(f"upstream.{field}").locator("input")
    widget.fill(text)
    widget.press("Tab")
    page.idle()


def add(page: PlaygroundPage, name: str, base_url: str) -> None:
    page.page.get_by_text("Add an OpenAI-compatible server").click()
    fill(page, "name", name)
    fill(page, "base_url", base_url)
    fill(page, "key", KEY)
    page.keyed("upstream.add").get_by_role("button").click()
    page.keyed(f"upstreams.row.{name}").wait_for()  # what is said beside it depends on whether the server was asked already
    page.idle()


def remove(page: PlaygroundPage, name: str) -> None:
    page.keyed(f"upstreams.remove.{name}").get_by_role("button").click()
    expect(page.keyed(f"upstreams.row.{name}")).to_have_count(0)


def test_added_server_answers_in_the_playground(local: PlaygroundPage, playground: AppProcess, chat: ChatServer) -> None:
    go_to_connections(local)
    add(local, "mine", chat.base_url)
    assert KEY not in local.page.content()
    local.page.get_by_role("link", name="Playground", exact=True).click()
    local.ready()
    local.choose_model("mine/thinker").type_prompt("Tell me").run()
    local.panel.wait_until_ended()
    local.panel.wait_for_exact_text(" says Tell me 0")
    go_to_connections(local)
    remove(local, "mine")
    assert KEY not in playground.output(last=10**7)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_form_fits_a_telephone_and_what_is_wrong_stands_at_its_field(playground: AppProcess, open_page: Opener, scheme: str) -> None:
    page = open_page(playground.url, **PHONE, color_scheme=scheme)
    open_connections(page)
    add(page, f"dead-{scheme}", "http://127.0.0.1:9")
    page.keyed(f"upstreams.row.dead-{scheme}").get_by_text("does not answer").wait_for()
    fill(page, "name", "local")
    page.keyed("upstream.add").get_by_role("button").click()
    page.page.get_by_text("name may not be local").wait_for()
    assert overflow(page.page) == []
    remove(page, f"dead-{scheme}")
