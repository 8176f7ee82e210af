"""The History page, as somebody uses it: find a run, look at it, repeat it, compare two, mark, delete, export and import."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.storage.database import Database
from core.storage.run_repository import RunRepository
from tests.browser.conftest import Opener
from tests.core.storage.samples import body, run
from tests.support.app_process import AppProcess
from tests.support.conditions import eventually
from tests.support.playground_page import WITHIN_MS, PlaygroundPage

ROW_PX = 35


@pytest.fixture
def stored(playground: AppProcess) -> Iterator[RunRepository]:
    """The app's own runs, beside the app."""
    database = Database.of(playground.data_dir, None)
    yield RunRepository(database)
    database.close()


@pytest.fixture
def history(playground: AppProcess, open_page: Opener) -> PlaygroundPage:
    """The History page, open and idle."""
    return open_directly(open_page(playground.url))


def open_directly(page: PlaygroundPage) -> PlaygroundPage:
    """By its address; Streamlit looks for its own addresses beneath, too."""
    page.expected_problems.append("/history/_stcore/")
    page.page.goto(f"{page.base_url}/history")
    page.keyed("history.text").wait_for()
    return page.idle()


def said(page: PlaygroundPage, stored: RunRepository, prompt: str, **fields: object) -> None:
    """Run a prompt in the Playground; until it is stored, a moment after its end."""
    for path, value in fields.items():
        page.set_field(path, value)
    page.type_prompt(prompt).run()
    page.panel.wait_until_ended()
    run_id = page.idle().query["run"]
    eventually(lambda: (found := stored.find(run_id)) and found.snapshot.ended, what="the run to be stored")


def search(page: PlaygroundPage, words: str) -> None:
    box = page.keyed("history.text").locator("input")
    box.fill(words)
    box.press("Enter")
    page.idle()


def listed(page: PlaygroundPage, count: int) -> None:
    expect(page.keyed("history-bar")).to_contain_text(re.compile(rf"(?<!\d){count} runs?\b"), timeout=WITHIN_MS)


def tick(page: PlaygroundPage, row: int, *, table: str = "history") -> None:
    """The box before a row: the table is drawn on a canvas."""
    canvas = page.page.locator(f"[class*=st-key-{table}-table] canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.page.mouse.click(box["x"] + 18, box["y"] + ROW_PX * (row + 1) + ROW_PX / 2 + 3)
    page.idle()


@pytest.fixture
def word() -> str:
    """A word that no other run has."""
    return f"zebra{secrets.token_hex(4)}"


def test_run_is_found_by_a_word_repeated_told_identical_and_opened_with_exactly_its_request(
    local: PlaygroundPage, stored: RunRepository, word: str
):
    said(local, stored, f"A function definition {word}", seed=3, max_tokens=7)
    text = local.panel.text()
    local.set_field("seed", 4)
    local.page.get_by_role("link", name="History").click()
    local.keyed("history.text").wait_for()
    search(local.idle(), word)
    listed(local, 1)
    tick(local, 0)
    detail = local.keyed("history-run")
    expect(detail).to_contain_text("local/pydoc", timeout=WITHIN_MS)
    expect(detail.locator(".lane")).to_be_visible(timeout=WITHIN_MS)
    local.keyed("history.again").locator("button:visible").click()
    expect(local.keyed("history-verdict")).to_contain_text("Run again: identical.", timeout=WITHIN_MS)
    local.idle().keyed("history.open").locator("button:visible").click()
    local.ready()
    expect(local.prompt).to_have_value(f"A function definition {word}", timeout=WITHIN_MS)
    expect(local.widget("seed").locator("input")).to_have_value("3", timeout=WITHIN_MS)
    local.panel.wait_for_exact_text(text)


def test_two_runs_are_compared_and_deleting_can_be_undone(history: PlaygroundPage, stored: RunRepository, word: str):
    texts = {1: "one and two", 2: "one and three"}
    stored.save([run(id=f"{word}-{seed}", asked=body(prompt=f"{word} one", seed=seed), text=text) for seed, text in texts.items()])
    search(history, word)
    listed(history, 2)
    tick(history, 0)
    tick(history, 1)
    pair = history.keyed("history-pair")
    expect(pair).to_contain_text("seed 1 → 2", timeout=WITHIN_MS)
    expect(pair).to_contain_text("diverges at character", timeout=WITHIN_MS)
    history.keyed("history.delete").locator("button:visible").click()
    listed(history, 0)
    history.keyed("history.undo").get_by_role("button").click()
    listed(history, 2)


def test_click_on_a_header_sorts_the_whole_list_and_not_only_its_page(history: PlaygroundPage, stored: RunRepository, word: str):
    stored.save([run(id=f"{word}-{n}", asked=body(prompt=f"{word} {n}", model=f"m/{n:02}"), text="t") for n in range(60)])
    search(history, word)
    listed(history, 60)
    table = history.page.locator("[class*=st-key-history-table] canvas").first
    for way in ("descending", "ascending"):
        table.click(position={"x": 320, "y": ROW_PX / 2}, force=True)  # "model asked"
        arrow = "arrow_downward" if way == "descending" else "arrow_upward"
        expect(history.keyed("history.sort").locator("input")).to_have_value("model asked", timeout=WITHIN_MS)
        expect(history.keyed("history.way").get_by_role("radio", checked=True)).to_contain_text(arrow, timeout=WITHIN_MS)
        history.idle()
        tick(history, 0)
        expect(history.keyed("history-run")).to_contain_text(f"run {word}-{59 if way == 'descending' else 0}", timeout=WITHIN_MS)
        tick(history, 0)
    table.click(position={"x": 48, "y": ROW_PX / 2}, force=True)  # the star, left of the header's menu
    expect(history.keyed("history.sort").locator("input")).to_have_value("star", timeout=WITHIN_MS)


def test_note_and_tag_stay_after_a_reload_and_can_be_filtered_by(history: PlaygroundPage, stored: RunRepository, word: str):
    stored.save([run(id=word, asked=body(prompt=f"{word} kept"))])
    search(history, word)
    listed(history, 1)
    tick(history, 0)
    history.keyed("history.tag").get_by_role("button").first.click()
    history.keyed("history.tag.name").locator("input").fill(word)
    history.keyed("history.tag.name").locator("input").press("Enter")
    history.idle()
    history.keyed("history.tag.add").locator("button:visible").click()
    history.idle()
    history.page.keyboard.press("Escape")
    history.page.reload()
    history.keyed("history.filters").get_by_role("button", name="Filters").click()
    tags = history.keyed("history.tags").locator("input")
    tags.fill(word)
    history.page.get_by_role("option", name=word).click()
    history.page.keyboard.press("Escape")
    history.idle()
    listed(history, 1)
    expect(history.keyed("history-chips")).to_contain_text(f"Tag: {word}", timeout=WITHIN_MS)


def test_runs_are_exported_and_imported_again(history: PlaygroundPage, stored: RunRepository, word: str, tmp_path: Path):
    stored.save([run(id=f"run-{word}", asked=body(prompt=f"{word} leaves"))])
    search(history, word)
    listed(history, 1)
    history.keyed("history.export").get_by_role("button").first.click()
    history.keyed("history.export.start").locator("button:visible").click()
    with history.page.expect_download() as download:
        history.page.get_by_role("link", name="Download runs.jsonl").click()
    file = tmp_path / "runs.jsonl"
    download.value.save_as(file)
    (line,) = file.read_text().splitlines()
    assert json.loads(line)["choices"]
    file.write_text(line.replace(json.loads(line)["id"], f"imported-{word}") + "\n")
    history.page.keyboard.press("Escape")
    history.keyed("history.import").get_by_role("button").first.click()
    history.keyed("history.import.file").locator("input[type=file]").set_input_files(file)
    history.keyed("history.import.start").locator("button:visible").click()
    expect(history.page.get_by_text("1 run imported.")).to_be_visible(timeout=WITHIN_MS)
    history.page.keyboard.press("Escape")
    listed(history, 2)


def test_page_fits_a_telephone(playground: AppProcess, open_page: Opener):
    page = open_directly(open_page(playground.url, viewport={"width": 400, "height": 800}))
    for scheme in ("light", "dark"):
        page.page.emulate_media(color_scheme=scheme)
        page.idle()
        assert page.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 400
