"""Stored prompts and placeholders through Streamlit's AppTest: the library page, and the fields under the prompt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.local_router.server import LocalRouter
from tests.support.script_page import ScriptPage, talking_to


class Page(ScriptPage):
    """A page on a router of its own."""

    SAYS = ("markdown", "caption", "info", "error", "code")

    def __init__(self, name: str, base_url: str, draft: dict[str, Any] | None = None) -> None:
        mine = {"session.draft.a": {"body": draft, "extra": "", "shelf": {}}, "session.draft_id.a": "of-this-test"}
        super().__init__(name, session=talking_to(base_url) | (mine if draft is not None else {}))
        self.run()

    @property
    def body(self) -> dict[str, Any]:
        return self.at.session_state["session.draft.a"]["body"]


@pytest.fixture
def router() -> Iterator[LocalRouter]:
    with LocalRouter(api_key="", pace=0).running() as running:
        yield running


def playground(router: LocalRouter, **body: Any) -> Page:
    return Page("playground.py", router.base_url, {"model": "local/pydoc", **body})


def test_field_for_each_placeholder_fills_the_inputs_and_an_empty_one_sends_nothing(router: LocalRouter):
    page = playground(router, prompt="Dear {{who}} of {{town}}")
    assert "{{who}}, {{town}} have no value and stay as written" in page.words
    page.set("a.placeholder.who", "Ada")
    assert page.body["orq"] == {"inputs": {"who": "Ada"}}
    assert "{{town}} has no value and stays as written" in page.words
    page.set("a.placeholder.who", "")
    assert "orq" not in page.body


def test_value_is_kept_while_its_name_is_gone_from_the_prompt(router: LocalRouter):
    page = playground(router, prompt="Dear {{who}}").set("a.placeholder.who", "Ada").set("a.prompt", "Dear")
    assert not page.has("a.placeholder.who")
    assert page.set("a.prompt", "Hello {{who}}").widget("a.placeholder.who").value == "Ada"


def test_personal_mark_survives_an_emptied_field(router: LocalRouter):
    inputs = [{"key": "who", "value": "Ada", "is_pii": True}]
    page = playground(router, prompt="{{who}}", orq={"inputs": inputs}).set("a.placeholder.who", "")
    assert "orq" not in page.body
    page.set("a.placeholder.who", "Ben")
    assert page.body["orq"]["inputs"] == [{"key": "who", "value": "Ben", "is_pii": True}]


def test_number_stays_a_number_and_a_text_a_text(router: LocalRouter):
    page = playground(router, prompt="{{n}} {{t}}", orq={"inputs": {"n": 3, "t": "3"}})
    page.set("a.placeholder.n", "4").set("a.placeholder.t", "4")
    assert page.body["orq"]["inputs"] == {"n": 4, "t": "4"}


def test_stored_prompts_placeholders_take_the_place_of_the_prompts_own(router: LocalRouter):
    page = playground(router, prompt="{{mine}}", orq={"prompt": {"id": "python-statement", "version": "latest"}})
    assert (page.has("a.placeholder.statement"), page.has("a.placeholder.mine")) == (True, False)
    assert 'The "{{statement}}" statement' in page.words
    page = playground(router, prompt="{{mine}}", orq={"prompt": {"id": "not-listed", "version": "latest"}})
    assert "Its text is not known here" in page.words


def test_library_makes_changes_and_deletes_a_prompt(router: LocalRouter):
    page = Page("prompts.py", router.base_url).click("prompts.new")
    page.set("prompts.new.name", "Mine").set("prompts.new.text", "Dear {{who}}").click("prompts.save")
    made = page.at.session_state["prompts.chosen"]
    assert "blue-badge[who]" in page.words
    page.set(f"prompts.{made}.text", "To {{whom}}").click("prompts.save")
    assert "version 2" in page.words
    page.click("prompts.delete")
    assert made not in page.widget("prompts.radio").options
    assert not page.has(f"prompts.{made}.text")


def test_library_finds_by_any_word_and_keeps_what_was_typed(router: LocalRouter):
    page = Page("prompts.py", router.base_url).set("prompts.python-statement.name", "Half")
    page.set("prompts.search", "sql schema")
    assert [option.replace("\\", "") for option in page.widget("prompts.radio").options] == ["Write a SQL query"]
    page.set("prompts.radio", "sql-query")
    assert page.widget("prompts.sql-query.name").value == "Write a SQL query"
    page.set("prompts.search", "").set("prompts.radio", "python-statement")
    assert page.widget("prompts.python-statement.name").value == "Half"


def test_every_run_tells_the_browser_what_a_stored_prompt_holds_for_it_may_have_missed_the_first(router: LocalRouter):
    page = Page("prompts.py", router.base_url)
    for _ in range(2):
        assert page.widget("prompts.python-statement.name").proto.default
        assert "{{statement}}" in page.widget("prompts.python-statement.text").proto.default
        page.run()


def test_router_without_stored_prompts_says_what_to_do(router: LocalRouter):
    assert "keeps no stored prompts" in Page("prompts.py", f"{router.base_url}/nothing/here").words
