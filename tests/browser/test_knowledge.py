"""The Knowledge page in a real browser: from a query to a run that used what was found, and files of one's own."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.app_process import AppProcess
from tests.support.playground_page import PlaygroundPage

Opener = Callable[..., PlaygroundPage]
QUERY = "orq.knowledge_bases.0.query"


@pytest.fixture
def knowledge(open_page: Opener, playground: AppProcess) -> PlaygroundPage:
    """The Knowledge page, by way of the navigation."""
    page = open_page(playground.url).open()
    page.page.get_by_role("link", name="Knowledge").first.click()
    page.slot = "k"
    page.widget("orq.knowledge_bases.0.top_k").wait_for()
    return page.idle()


def test_what_is_found_is_seen_first_and_then_used_by_a_run(knowledge: PlaygroundPage) -> None:
    page = knowledge
    page.widget("orq.knowledge_bases.0.search_type").locator("input").fill("keyword")
    page.page.keyboard.press("Enter")
    page.idle()
    page.set_field(QUERY, "the pass statement").set_field("orq.knowledge_bases.0.top_k", 2)
    match = page.keyed("knowledge-match-1")
    expect(match).to_contain_text("pass")
    expect(match.locator("[data-testid=stProgress]")).to_contain_text("search 0.")
    expect(page.keyed("knowledge-match-3")).to_have_count(0)
    page.keyed("knowledge.use").locator("button:visible").click()
    page.ready()
    page.slot = "a"
    page.type_prompt("A function definition").run()
    page.panel.wait_until_ended()
    expect(page.keyed("summary-a")).to_contain_text(re.compile(r"\(\d{3,} in, "))  # the prompt itself has three tokens
    page.open_group("Knowledge")
    expect(page.widget("orq.knowledge_bases.0.knowledge_id").locator("input")).to_have_value("python-reference")


def test_files_are_added_to_a_base_of_ones_own_and_it_is_deleted_again(knowledge: PlaygroundPage) -> None:
    page = knowledge
    page.keyed("knowledge-new").locator("button").first.click()
    key = page.keyed("knowledge.new.key").locator("input")
    key.fill("browser-notes")
    key.press("Tab")
    page.idle()
    page.keyed("knowledge.create").locator("button:visible").click()
    files = [
        {"name": f"{name}.md", "mimeType": "text/markdown", "buffer": f"# {name}\n\nThe {name} swims.".encode()}
        for name in ("otter", "newt")
    ]
    page.page.locator("input[type=file]").first.set_input_files(files)
    add = page.keyed("knowledge.add").locator("button:visible")
    expect(add).to_have_text("upload_fileAdd 2 files")
    page.idle()
    add.click()
    expect(page.keyed("knowledge-line")).to_contain_text("2 documents, 2 chunks")
    page.idle()
    page.keyed("knowledge.delete").locator("button:visible").click()
    page.keyed("knowledge.sure").locator("button:visible").click()
    expect(page.widget("orq.knowledge_bases.0.knowledge_id").locator("input")).to_have_value("python-reference")
    page.idle()
