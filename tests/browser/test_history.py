"""The History page, as somebody uses it: find a run, look at it, repeat it, compare two, mark, delete, export and import."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.support.app_process import AppProcess
from tests.support.playground_page import WITHIN_MS, PlaygroundPage

ROW_PX = 35


def said(page: PlaygroundPage, prompt: str, **fields: object) -> None:
    """Run a prompt in the Playground."""
    for path, value in fields.items():
        page.set_field(path, value)
    page.type_prompt(prompt).run()
    page.panel.wait_until_ended()
    page.idle()


def open_history(page: PlaygroundPage, words: str) -> None:
    """The runs that have these words; a run is saved a moment after it ended."""
    page.page.get_by_role("link", name="History").click()
    page.keyed("history.text").wait_for()
    page.idle()
    search(page, words)


def search(page: PlaygroundPage, words: str) -> None:
    box = page.keyed("history.text").locator("input")
    box.fill(words)
    box.press("Enter")
    page.idle()


def listed(page: PlaygroundPage, count: int) -> None:
    expect(page.keyed("history-bar")).to_contain_text(re.compile(rf"\b{count} runs"), timeout=WITHIN_MS)


def until_listed(page: PlaygroundPage, words: str, count: int) -> None:
    """Search until so many runs are found: the writer saves once a second."""
    for _ in range(20):
        if re.search(rf"\b{count} runs", page.keyed("history-bar").inner_text()):
            return
        search(page, "")
        search(page, words)
    listed(page, count)


def tick(page: PlaygroundPage, row: int) -> None:
    """The box before a row: the table is drawn on a canvas."""
    canvas = page.page.locator("[class*=st-key-history-table] canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.page.mouse.click(box["x"] + 18, box["y"] + ROW_PX * (row + 1) + ROW_PX / 2 + 3)
    page.idle()


@pytest.fixture
def word() -> str:
    """A word that no other run has."""
    return f"zebra{secrets.token_hex(4)}"


def test_run_is_found_by_a_word_repeated_and_told_identical(local: PlaygroundPage, word: str):
    said(local, f"A function definition {word}", seed=7)
    open_history(local, word)
    until_listed(local, word, 1)
    tick(local, 0)
    detail = local.keyed("history-run")
    expect(detail).to_contain_text("local/pydoc")
    expect(detail.locator(".lane")).to_be_visible()
    local.keyed("history.again").locator("button:visible").click()
    expect(local.keyed("history-verdict")).to_contain_text("Run again: identical.", timeout=WITHIN_MS)


def test_run_opens_in_the_playground_with_exactly_its_request(local: PlaygroundPage, word: str):
    said(local, f"{word} opens", seed=3, max_tokens=7)
    text = local.panel.text()
    local.set_field("seed", 4)
    open_history(local, word)
    until_listed(local, word, 1)
    tick(local, 0)
    local.keyed("history.open").locator("button:visible").click()
    local.ready()
    expect(local.prompt).to_have_value(f"{word} opens")
    expect(local.widget("seed").locator("input")).to_have_value("3")
    local.panel.wait_for_exact_text(text)


def test_two_runs_are_compared_and_deleting_can_be_undone(local: PlaygroundPage, word: str):
    said(local, f"{word} one", seed=1, max_tokens=9)
    said(local, f"{word} one", seed=2)
    open_history(local, word)
    until_listed(local, word, 2)
    tick(local, 0)
    tick(local, 1)
    pair = local.keyed("history-pair")
    expect(pair).to_contain_text("seed 1 → 2")
    expect(pair).to_contain_text("diverges at character")
    local.keyed("history.delete").locator("button:visible").click()
    listed(local, 0)
    local.keyed("history.undo").get_by_role("button").click()
    listed(local, 2)


def test_note_and_tag_stay_after_a_reload_and_can_be_filtered_by(local: PlaygroundPage, word: str):
    said(local, f"{word} kept", max_tokens=3)
    open_history(local, word)
    until_listed(local, word, 1)
    tick(local, 0)
    local.keyed("history.tag").get_by_role("button").first.click()
    local.keyed("history.tag.name").locator("input").fill(word)
    local.keyed("history.tag.name").locator("input").press("Enter")
    local.idle()
    local.keyed("history.tag.add").locator("button:visible").click()
    local.idle()
    local.page.keyboard.press("Escape")
    local.expected_problems.append("/history/_stcore/")
    local.page.reload()
    local.keyed("history.filters").get_by_role("button").click()
    tags = local.keyed("history.tags").locator("input")
    tags.fill(word)
    local.page.get_by_role("option", name=word).click()
    local.page.keyboard.press("Escape")
    local.idle()
    listed(local, 1)
    expect(local.keyed("history-chips")).to_contain_text(f"Tag: {word}")


def test_runs_are_exported_and_imported_again(local: PlaygroundPage, word: str, playground: AppProcess, open_page: Opener, tmp_path: Path):
    said(local, f"{word} leaves", max_tokens=3)
    open_history(local, word)
    until_listed(local, word, 1)
    local.keyed("history.export").get_by_role("button").first.click()
    local.keyed("history.export.start").locator("button:visible").click()
    with local.page.expect_download() as download:
        local.page.get_by_role("link", name="Download runs.jsonl").click()
    file = tmp_path / "runs.jsonl"
    download.value.save_as(file)
    (line,) = file.read_text().splitlines()
    assert json.loads(line)["choices"]
    file.write_text(line.replace(json.loads(line)["id"], f"imported-{word}") + "\n")
    local.page.keyboard.press("Escape")
    local.keyed("history.import").get_by_role("button").first.click()
    local.keyed("history.import.file").locator("input[type=file]").set_input_files(file)
    local.keyed("history.import.start").locator("button:visible").click()
    expect(local.page.get_by_text("1 runs imported.")).to_be_visible(timeout=WITHIN_MS)
    local.page.keyboard.press("Escape")
    listed(local, 2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_a_telephone(playground: AppProcess, open_page: Opener, scheme: str):
    page = open_page(playground.url, viewport={"width": 400, "height": 800}, color_scheme=scheme)
    page.expected_problems.append("/history/_stcore/")
    page.page.goto(f"{playground.url}/history")
    page.keyed("history.text").wait_for()
    page.idle()
    assert page.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 400
