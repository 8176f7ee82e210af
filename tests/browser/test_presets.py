"""The whole road of a preset: saved, changed, told apart, saved again, compared, restored, forked, exported and imported."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.preset.content import DraftContent
from core.preset.document import read_presets
from core.preset.preset import NewPreset, label
from core.storage.database import Database
from core.storage.preset_query import PresetFilter
from core.storage.preset_repository import PresetRepository
from tests.browser.conftest import Opener
from tests.support.app_process import AppProcess
from tests.support.conditions import eventually
from tests.support.playground_page import COLD_MS, PlaygroundPage

ROW_PX = 35


@pytest.fixture
def library(playground: AppProcess) -> Iterator[PresetRepository]:
    """The app's own library, beside the app."""
    database = Database.of(playground.data_dir, None)
    yield PresetRepository(database)
    database.close()


def open_library(page: PlaygroundPage, preset_id: str | None = None) -> PlaygroundPage:
    """By its address; Streamlit looks for its own addresses beneath, too."""
    page.expected_problems.append("/presets/_stcore/")
    page.page.goto(f"{page.base_url}/presets" + (f"?preset={preset_id}" if preset_id else ""))
    page.keyed("presets.shelf").wait_for(timeout=COLD_MS)
    return page.idle()


def press(page: PlaygroundPage, key: str) -> None:
    page.keyed(key).locator("button:visible").first.click()
    page.idle()


def line(page: PlaygroundPage) -> str:
    """What the line over the draft says."""
    return page.keyed("preset-line-presets.a").inner_text()


def says(page: PlaygroundPage, text: str) -> None:
    expect(page.keyed("preset-line-presets.a")).to_contain_text(text, timeout=COLD_MS)


def named(library: PresetRepository, name: str) -> str:
    [found] = [one for one in library.page(PresetFilter(), limit=1_000).presets if one.label.name == name]
    return found.id


@pytest.mark.takes(17)
def test_preset_goes_its_whole_road(local: PlaygroundPage, library: PresetRepository, tmp_path: Path) -> None:
    page, name = local, f"Road {secrets.token_hex(4)}"
    page.type_prompt("A red house").set_field("temperature", 0.2)
    press(page, "presets.a.save")
    page.keyed("presets.a.new.name").locator("input").fill(name)
    press(page, "presets.a.new.save")
    says(page, "version 1")
    assert "No changes" in line(page)

    page.set_field("temperature", 0.9).set_field("max_tokens", 50)
    says(page, "Differs from version 1 in 2 fields")
    assert "temperature 0.2 → 0.9" in line(page)
    assert "max_tokens 200 → 50" in line(page)
    page.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 1e6)")
    expect(page.keyed("preset-line-presets.a")).to_be_in_viewport()
    page.type_prompt("A green house").prompt.press("Tab")
    says(page, "in 3 fields")
    press(page, "presets.a.save_version")
    says(page, "version 2")
    page.reload()
    says(page, "No changes")

    preset_id = named(library, name)
    open_library(page, preset_id)
    page.page.get_by_role("tab", name="Versions").click()
    expect(page.keyed("preset-detail")).to_contain_text("Differs from version 1 in 3 fields")
    expect(page.page.locator(".text-diff del")).to_have_text("red")
    expect(page.page.locator(".text-diff ins")).to_have_text("green")
    page.keyed(f"preset.version.{preset_id}").locator("input").click()
    page.page.get_by_role("option", name=re.compile("version 1")).click()
    page.idle()
    press(page, "preset.restore")
    expect(page.keyed("preset-detail")).to_contain_text("version 3")
    assert [head.restored for head in library.versions(preset_id)] == [1, None, None]
    press(page, "preset.fork")
    expect(page.keyed("preset-detail")).to_contain_text("forked from")
    fork_id = named(library, f"{name} (copy)")

    page.page.get_by_role("tab", name="File").click()
    page.idle()
    with page.page.expect_download() as download:
        page.keyed("preset.file.download").locator("button:visible").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    [written] = read_presets(path.read_bytes(), path.name)
    version = library.version(fork_id, 1)
    assert version is not None
    assert written.content == version.content
    assert path.suffix == ".yaml"

    library.delete([fork_id])
    open_library(page)
    press(page, "presets.import")
    page.keyed("presets.import.files").locator("input[type=file]").set_input_files(path)
    expect(page.page.get_by_text("1 preset added")).to_be_visible(timeout=COLD_MS)
    again = library.version(named(library, f"{name} (copy)"), 1)
    assert again is not None
    assert again.content == version.content


def test_preset_runs_from_the_list_and_hostile_text_stays_text(
    playground: AppProcess, open_page: Opener, library: PresetRepository
) -> None:
    name = f"<img src=x onerror=\"document.title='owned'\"> **b** \u202e{secrets.token_hex(4)}"
    body = {
        "model": "local/pydoc",
        "prompt": "<script>document.title='owned'</script>\u202e" + "x" * 1_000_000,
        "max_tokens": 8,
        "stream": True,
    }
    [hostile] = library.add([NewPreset(label(name, name * 20, [name[:60]], "a/b"), DraftContent(body))])
    [plain] = library.add(
        [NewPreset(label(f"Run {secrets.token_hex(4)}"), DraftContent({**body, "prompt": "The for statement", "temperature": 0}))]
    )
    page = open_page(playground.url)
    page.expected_problems.append("/presets/_stcore/")
    open_library(page, hostile.id)
    expect(page.keyed("preset-detail")).to_contain_text("<img src=x onerror=", timeout=COLD_MS)
    expect(page.keyed("preset-detail")).to_contain_text("**b** ⟨U+202E⟩")
    assert page.page.locator("img[src=x], .st-key-preset-detail script").count() == 0
    assert page.page.title() != "owned"

    box = page.keyed("presets.text").locator("input")
    box.fill(plain.label.name)
    box.press("Enter")
    expect(page.page.get_by_text("1 preset", exact=True)).to_be_visible(timeout=COLD_MS)
    page.idle()
    table = page.page.locator("[data-testid=stDataFrame]").first.bounding_box()
    assert table is not None
    page.page.mouse.click(table["x"] + 16, table["y"] + ROW_PX * 1.6)
    expect(page.keyed("preset-detail")).to_contain_text(plain.label.name, timeout=COLD_MS)
    page.idle()
    press(page, "preset.run")
    page.run_button.wait_for(timeout=COLD_MS)
    page.panel.wait_until_ended()
    expect(page.panel.output()).not_to_be_empty()
    says(page, "No changes")
    eventually(lambda: "version 1" in line(page), what="the preset's version over the draft")
