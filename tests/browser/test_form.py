"""What only a real browser shows of the form: typing in tables, visible whitespace, the null switch by keyboard, live search."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.app_process import AppProcess
from tests.support.playground_page import PlaygroundPage

HEADER_PX, ROW_PX = 35, 35


def sent(page: PlaygroundPage) -> dict[str, Any]:
    """The body as *On the wire* shows it."""
    page.keyed("wire-a").locator("button").first.click()
    page.idle()
    code = page.page.locator("[data-testid=stPopoverBody] [data-testid=stCode] code").nth(1)
    body: dict[str, Any] = json.loads(code.inner_text())
    page.page.keyboard.press("Escape")
    page.idle()
    return body


def type_into_cell(page: PlaygroundPage, path: str, row: int, x: int, text: str) -> None:
    """Click the cell in ``row`` (from 0) that lies ``x`` pixels from the table's left, and type ``text`` over it."""
    table = page.widget(path)
    table.locator("canvas").first.wait_for()
    table.scroll_into_view_if_needed()
    table.click(position={"x": x, "y": HEADER_PX + ROW_PX * row + ROW_PX // 2})
    type_over(page, text)


def type_over(page: PlaygroundPage, text: str) -> None:
    """Type over the selected cell, and go on to the one below."""
    page.page.keyboard.press("Enter")
    editor = page.page.locator("#portal textarea, #portal input").first
    editor.wait_for()
    editor.fill(text)
    page.page.keyboard.press("Enter")
    editor.wait_for(state="detached")
    page.idle()


def pick_model(page: PlaygroundPage, model: str) -> None:
    """Add a model to the balancer's table, and wait until it has its share."""
    picker = page.widget("load_balancer.models.add").locator("input")
    picker.fill(model)
    page.page.get_by_role("option").filter(has_text=model).first.wait_for()  # until it is offered, Enter takes nothing
    picker.press("Enter")
    expect(page.page.locator(".st-key-a-load_balancer-models-shares")).to_contain_text(model)
    page.idle()


def test_weights_are_typed_one_below_the_other_and_models_picked_or_typed(
    open_page: Callable[..., PlaygroundPage], playground: AppProcess
) -> None:
    page = open_page(playground.url).open().open_group("Routing")
    page.widget("load_balancer").locator("label").click()
    page.idle()
    for model in ("local/pydoc", "my/own"):
        pick_model(page, model)
    expect(page.widget("load_balancer.models.add").locator("input")).to_have_value("")
    type_into_cell(page, "load_balancer.models", 0, 250, "0.25")
    type_over(page, "0.75")
    expect(page.page.locator(".st-key-a-load_balancer-models-shares")).to_contain_text("75 %")
    assert sent(page)["load_balancer"]["models"] == [{"model": "local/pydoc", "weight": 0.25}, {"model": "my/own", "weight": 0.75}]


@pytest.mark.parametrize("pause_ms", [120])
def test_weights_typed_fast_from_cell_to_cell_all_arrive(
    open_page: Callable[..., PlaygroundPage], playground: AppProcess, pause_ms: int
) -> None:
    page = open_page(playground.url).open().open_group("Routing")
    page.widget("load_balancer").locator("label").click()
    page.idle()
    for model in ("a/b", "c/d", "e/f"):
        pick_model(page, model)
    type_into_cell(page, "load_balancer.models", 0, 250, "0.2")
    page.page.keyboard.type("0.6\n0.4\n", delay=pause_ms)
    expect(page.page.locator(".st-key-a-load_balancer-models-shares")).to_contain_text("50 %")
    expect(page.page.locator(".st-key-a-load_balancer-models-shares")).to_contain_text("17 %")
    assert [item.get("weight") for item in sent(page)["load_balancer"]["models"]] == [0.2, 0.6, 0.4]


def test_a_number_out_of_range_is_taken_over_marked_and_keeps_run_off(
    open_page: Callable[..., PlaygroundPage], playground: AppProcess
) -> None:
    page = open_page(playground.url).open().type_prompt("Once").set_field("temperature", "2.5")
    expect(page.widget("temperature").locator("input")).to_have_value("2.5")
    expect(page.page.get_by_text("temperature must be between 0 and 2, got 2.5").first).to_be_visible()
    expect(page.run_button).to_be_disabled()
    page.set_field("temperature", "0.70")
    expect(page.widget("temperature").locator("input")).to_have_value("0.7")
    expect(page.run_button).to_be_enabled()


def test_null_is_switched_by_the_keyboard(open_page: Callable[..., PlaygroundPage], playground: AppProcess) -> None:
    page = open_page(playground.url).open().set_field("top_p", "0.5")
    switch = page.widget("top_p.null").get_by_role("switch")
    switch.focus()
    page.page.keyboard.press("Space")
    page.idle()
    expect(page.widget("top_p").locator("input")).to_be_disabled()
    assert sent(page)["top_p"] is None


def test_a_stop_keeps_the_space_it_begins_with_and_shows_it(open_page: Callable[..., PlaygroundPage], playground: AppProcess) -> None:
    page = open_page(playground.url).open()
    box = page.widget("stop").locator("input").first
    box.click()
    box.press_sequentially(" END")
    box.press("Enter")
    page.idle()
    box.press_sequentially("\\n")
    box.press("Enter")
    page.idle()
    expect(page.widget("stop")).to_contain_text("␣END")
    box.press("Escape")
    assert sent(page)["stop"] == [" END", "\n"]


def test_search_finds_while_one_types(open_page: Callable[..., PlaygroundPage], playground: AppProcess) -> None:
    page = open_page(playground.url).open()
    page.widget("search").locator("input").press_sequentially("rerank")
    expect(page.widget("temperature")).to_have_count(0)
    expect(page.widget("orq.knowledge_bases")).to_be_visible()


def test_an_edit_that_stays_in_its_group_reaches_its_header_and_the_wire_and_survives_a_reload(local: PlaygroundPage) -> None:
    field = local.widget("temperature").locator("input")
    field.fill("0.5")
    field.press("Tab")
    expect(local.page.locator(".st-key-a-group-sampling-count")).to_have_text("1 set")
    assert sent(local)["temperature"] == 0.5
    local.page.reload()
    expect(local.widget("temperature").locator("input")).to_have_value("0.5")


def test_an_edit_that_turns_run_off_is_said_at_the_run_bar_and_taken_back(local: PlaygroundPage) -> None:
    field = local.widget("temperature").locator("input")
    field.fill("3")
    field.press("Enter")
    expect(local.page.locator(".st-key-preflight-a")).to_contain_text("Run is off")
    expect(local.page.locator(".st-key-run button").first).to_be_disabled()
    field.fill("1")
    field.press("Enter")
    expect(local.page.locator(".st-key-run button").first).to_be_enabled()
    expect(local.page.locator(".st-key-preflight-a")).to_contain_text("1 call")


def test_a_number_typed_and_sent_with_ctrl_enter_is_the_number_that_leaves(local: PlaygroundPage) -> None:
    local.page.locator(".st-key-a-prompt textarea").fill("A list is")
    field = local.widget("max_tokens").locator("input")
    field.fill("3")
    field.press("Control+Enter")
    expect(local.page.locator(".st-key-summary-a")).to_contain_text("3 out")
