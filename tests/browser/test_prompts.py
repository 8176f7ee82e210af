"""Placeholders and stored prompts in a real browser, up to the answer."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.playground_page import PlaygroundPage


def test_placeholder_gets_a_field_and_its_value_reaches_the_answer(local: PlaygroundPage) -> None:
    local.choose_model("rehearsal/ok").open_group("Length and stopping")
    local.widget("echo").get_by_text("true", exact=True).click()
    local.idle().type_prompt("Dear {{who}}, ")
    local.prompt.press("Tab")
    field = local.idle().keyed("a.placeholder.who").locator("textarea")
    expect(field).to_have_accessible_name("{{who}}")
    expect(local.keyed("preflight-a")).to_contain_text("{{who}} has no value")
    field.fill("Ada")
    local.run()
    local.panel.wait_for_text("Dear Ada, ").wait_until_ended()
    expect(local.keyed("preflight-a")).not_to_contain_text("no value")


def test_stored_prompt_is_used_from_the_library(local: PlaygroundPage) -> None:
    page = local.page
    page.get_by_role("link", name="Prompts").first.click()
    page.get_by_role("textbox", name="Find a prompt").fill("python-statement")
    page.keyboard.press("Enter")
    local.idle()
    page.get_by_role("button", name="Use in Playground").click()
    local.ready()
    local.keyed("a.placeholder.statement").locator("textarea").fill("while")
    local.run()
    local.panel.wait_until_ended()
    page.get_by_text("On the wire").first.click()
    expect(page.get_by_text('"python-statement"').first).to_be_visible()
    expect(page.get_by_text('"while"').first).to_be_visible()
