"""Presets through Streamlit's AppTest: saved, told apart from what was saved, found again, and run."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.presets.files import add_new
from core.errors import StorageUnavailable
from core.preset.content import Content, DraftContent
from core.preset.document import read_presets, write_presets
from core.preset.folder import PresetFolder
from core.preset.preset import NewPreset, Preset, label
from core.preset.starters import starters
from core.storage.preset_query import PresetFilter
from core.storage.preset_repository import PresetRepository
from core.workspace import opened_workspace
from tests.core.preset.contents import comparison, draft
from tests.support.conditions import eventually
from tests.support.replay import Replay, Script
from tests.support.script_page import ScriptPage, talking_to

HOSTILE = "<img src=x onerror=alert(1)> **bold** [x](javascript:1) \u202eevil :red[red] $x$"


class Page(ScriptPage):
    def __init__(self, name: str = "presets", *, query: dict[str, str] | None = None, replay: Replay | None = None) -> None:
        super().__init__(f"{name}.py", session=talking_to(replay.url) if replay else None, query=query, timeout_s=60)
        self.run()

    def link(self, *names: str) -> dict[str, str]:
        """Query parameters as the address has them."""
        return {name: self.query(name) for name in names}

    @property
    def words(self) -> str:
        return "\n".join([super().words, *(button.label for button in self.at.button)]).replace("\\", "")

    @property
    def names(self) -> list[str]:
        return [name for frame in self.at.dataframe for name in frame.value["name"]]


@pytest.fixture
def library() -> Iterator[PresetRepository]:
    """The library, empty, and emptied afterwards."""
    presets = opened_workspace().presets
    _empty(presets)
    yield presets
    _empty(presets)


def _empty(presets: PresetRepository) -> None:
    for archived in (False, True):
        ids = [one.id for one in presets.page(PresetFilter(archived=archived), limit=1_000).presets]
        if ids:
            presets.delete(ids)


def kept(library: PresetRepository, name: str = "Kept", content: Content | None = None, **fields: Any) -> Preset:
    return library.add([NewPreset(label(name, **fields), content or draft(temperature=0.2))])[0]


def shown(preset: Preset) -> Page:
    return Page(query={"preset": preset.id})


# The Playground's line


def save_as(page: Page, name: str) -> Page:
    page.open("presets.a.save").at.get_by_key("presets.a.new.name").set_value(name)
    return page.click("presets.a.new.save")


def test_draft_is_saved_and_each_change_is_named(library: PresetRepository) -> None:
    page = save_as(Page("playground").set("a.prompt", "Say it"), "Mine")
    assert "Mine** · version 1" in page.words
    assert "No changes" in page.words
    page.set("a.temperature", 0.9)
    assert not page.has("a.prompt"), "the line and the field's group are drawn, and nothing else"
    assert "Differs from version 1 in 1 field" in page.words
    page.run().set("a.max_tokens", 50)
    assert "Differs from version 1 in 2 fields" in page.words
    assert "temperature not sent → 0.9" in page.words
    assert "max_tokens 200 → 50" in page.words
    page.click("presets.a.save_version")
    assert "version 2" in page.words
    assert "No changes" in page.words
    [preset] = library.page().presets
    assert (preset.label.name, preset.version) == ("Mine", 2)
    saved = library.version(preset.id, 2)
    assert saved is not None
    assert saved.content == DraftContent({"model": "local/pydoc", "max_tokens": 50, "stream": True, "prompt": "Say it", "temperature": 0.9})


def test_version_is_saved_with_a_note(library: PresetRepository) -> None:
    page = save_as(Page("playground"), "Mine").set("a.temperature", 0.5).open("presets.a.more")
    page.at.get_by_key("presets.a.note").set_value("warmer,  for tests")
    page.click("presets.a.save_noted")
    assert "version 2" in page.words
    [preset] = library.page().presets
    assert [head.note for head in library.versions(preset.id)] == ["warmer, for tests", ""]


def test_revert_brings_the_version_back_and_can_be_undone(library: PresetRepository) -> None:
    page = save_as(Page("playground").set("a.temperature", 0.5), "Mine").set("a.temperature", 1.5)
    page.click("presets.a.revert")
    assert page.at.get_by_key("a.temperature").value == 0.5
    assert "No changes" in page.words
    page.click("presets.a.undo")
    assert page.at.get_by_key("a.temperature").value == 1.5
    assert "Differs from version 1 in 1 field" in page.words


def test_reload_keeps_the_preset_and_what_differs_from_it(library: PresetRepository) -> None:
    page = save_as(Page("playground"), "Mine").set("a.temperature", 0.7)
    again = Page("playground", query=page.link("draft"))
    assert "Differs from version 1 in 1 field" in again.words


def test_preset_is_found_and_opened_over_the_prompt(library: PresetRepository) -> None:
    preset = kept(library, "Cold", draft(temperature=0))
    kept(library, "Both", comparison(0, 1))
    page = Page("playground").open("presets.a.open")
    assert not page.has(f"presets.a.open.{library.page(PresetFilter(kind='comparison')).presets[0].id}")
    page.click(f"presets.a.open.{preset.id}")
    assert page.at.get_by_key("a.temperature").value == 0
    assert "Cold** · version 1" in page.words
    page.open("presets.a.more").click("presets.a.let_go")
    assert "Cold" not in page.words
    assert page.at.get_by_key("a.temperature").value == 0


def test_preset_without_a_name_is_refused_where_it_was_typed(library: PresetRepository) -> None:
    page = save_as(Page("playground"), "  ")
    assert "needs a name" in page.words
    assert library.count() == 0


def test_preset_that_was_deleted_leaves_the_draft_alone(library: PresetRepository) -> None:
    page = save_as(Page("playground"), "Mine").set("a.temperature", 0.7)
    library.delete([library.page().presets[0].id])
    page.run()
    assert "Its preset was deleted" in page.words
    assert page.at.get_by_key("a.temperature").value == 0.7


def test_library_that_cannot_be_read_costs_only_its_line(library: PresetRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    page = save_as(Page("playground"), "Mine")

    def gone(*_: object) -> None:
        raise StorageUnavailable("The disk is full.")

    monkeypatch.setattr(library, "find", gone)
    page.run()
    assert "The disk is full." in page.words
    assert page.has("run")
    monkeypatch.setattr(library, "page", gone)
    monkeypatch.setattr(library, "empty", gone)
    assert "The library cannot be read. The disk is full." in Page().words


def test_comparison_is_saved_changed_and_reverted(library: PresetRepository) -> None:
    page = Page("compare").set("compare.prompt", "Say it")
    page.open("presets.compare.save").at.get_by_key("presets.compare.new.name").set_value("Both")
    page.click("presets.compare.new.save")
    assert "Both** · version 1" in page.words
    page.set("compare.repeats", 3)
    assert "Differs from version 1 in 1 field" in page.words
    assert "repeats 1 → 3" in page.words
    assert "Differs from version 1 in 1 field" in Page("compare", query=page.link("compare", "preset")).words
    page.click("presets.compare.save_version").click("compare.add")
    assert "C slot added" in page.words
    page.click("presets.compare.revert")
    assert "No changes" in page.words
    assert library.page().presets[0].sets == 2


def test_another_comparison_has_no_preset(library: PresetRepository) -> None:
    page = Page("compare").open("presets.compare.save")
    page.at.get_by_key("presets.compare.new.name").set_value("Both")
    page.click("presets.compare.new.save")
    assert "Both** · version 1" in page.words
    page.open("compare.new").click("compare.from_playground")
    assert "Both" not in page.words
    assert "preset" not in page.at.query_params


# The library


def test_empty_library_offers_starters_and_forces_none(library: PresetRepository) -> None:
    page = Page()
    assert "Nothing is kept here yet" in page.words
    assert page.at.get_by_key("starters.chosen").value == starters()[0].id
    page.click("starters.take")
    assert page.names == [starters()[0].preset.label.name]
    page.set("presets.shelf", "Starters").click("starters.take")
    assert library.count() == 1
    library.delete([library.page().presets[0].id])
    Page().click("presets.take_all")
    assert library.count() == len(starters())


def test_library_is_searched_narrowed_and_sorted(library: PresetRepository) -> None:
    word = f"okapi{secrets.token_hex(4)}"
    kept(library, "b", draft(prompt=word), tags=["x"], folder="f")
    kept(library, "a", draft(), tags=["y"], folder="g")
    kept(library, "c", comparison(0, 1))
    page = Page()
    assert page.names == ["c", "a", "b"]
    assert page.set("presets.sort", "Name").names == ["a", "b", "c"]
    assert page.set("presets.text", word).names == ["b"]
    assert page.set("presets.text", "").set("presets.tags", ["y"]).names == ["a"]
    assert page.set("presets.tags", []).set("presets.folder", "f").names == ["b"]
    assert page.set("presets.folder", None).set("presets.kind", "Comparisons").names == ["c"]
    assert "No preset fits" in page.set("presets.text", "nowhere").words


def test_pages_of_the_library_go_on(library: PresetRepository) -> None:
    library.add([NewPreset(label(f"p{number:03}"), draft(seed=number)) for number in range(60)])
    page = Page().set("presets.sort", "Name")
    assert "1–50 of 60 presets" in page.words
    assert page.click("presets.more").names == [f"p{number:03}" for number in range(50, 60)]
    assert page.click("presets.back").names[0] == "p000"


def test_preset_is_starred_duplicated_archived_and_deleted_with_undo(library: PresetRepository) -> None:
    preset = kept(library, "One", draft(temperature=0.2), description="What it is for.")
    page = shown(preset)
    assert "temperature 0.2" in page.words
    assert page.click("preset.star").names == ["One"]
    assert "★ One" in page.words
    page.click("preset.duplicate")
    assert sorted(page.names) == ["One", "One (copy)"]
    assert "forked from “One”, version 1" in page.words
    page.click("preset.delete")
    assert page.names == ["One"]
    assert "1 preset deleted." in page.words
    assert sorted(page.click("presets.undo").names) == ["One", "One (copy)"]
    page = shown(preset).click("preset.archive")
    assert page.names == ["One (copy)"]
    assert page.set("presets.archived", True).names == ["One"]


def test_versions_are_compared_restored_and_forked(library: PresetRepository) -> None:
    preset = kept(library, "One", draft(prompt="a red house", temperature=0))
    library.save(preset.id, draft(prompt="a green house", temperature=0.9))
    page = shown(preset)
    page.at.session_state["preset-tabs"] = "Versions"
    page.run()
    assert "Differs from version 1 **in 2 fields**" in page.words
    assert "temperature 0 → 0.9" in page.words
    diffs = "".join(element.proto.body for element in page.at.get("html"))
    assert "<del>red</del>" in diffs
    assert "<ins>green</ins>" in diffs
    page.set(f"preset.version.{preset.id}", 1).click("preset.restore")
    assert [head.restored for head in library.versions(preset.id)] == [1, None, None]
    page = shown(preset)
    page.at.session_state["preset-tabs"] = "Versions"
    page.run().set(f"preset.version.{preset.id}", 2).click("preset.fork")
    assert "forked from “One”, version 2" in page.words
    fork = next(one for one in library.page().presets if one.label.name == "One (copy)")
    version = library.version(fork.id, 1)
    assert version is not None
    assert version.content == draft(prompt="a green house", temperature=0.9)


def test_label_is_edited_and_refused_in_words(library: PresetRepository) -> None:
    preset = kept(library, "One")
    page = shown(preset)
    page.at.session_state["preset-tabs"] = "Name and tags"
    page.run().at.get_by_key(f"preset.label.{preset.id}.tags").set_value(["new"])
    page.set(f"preset.label.{preset.id}.name", "Two").click("preset.describe")
    found = library.find(preset.id)
    assert found is not None
    assert found.label == label("Two", tags=["new"])
    page.set(f"preset.label.{preset.id}.name", " ").click("preset.describe")
    assert "needs a name" in page.words


def test_run_from_the_list_starts_the_run(library: PresetRepository, replay: Replay) -> None:
    model = replay.add(Script.of("one two"))
    preset = kept(library, "One", DraftContent({"model": model, "prompt": "p", "seed": None, "stream": True}))
    page = Page(query={"preset": preset.id}, replay=replay)
    page.at.get_by_key("preset.run").click()
    page.at.run()
    run = page.at.session_state["session.run.a"]
    eventually(lambda: opened_workspace().hub.snapshot(run).ended, what="the run's end")
    assert [call.body for call in replay.calls(model)] == [{"model": model, "prompt": "p", "seed": None, "stream": True}]
    assert page.at.session_state["session.draft.a"]["preset"] == {"id": preset.id, "version": 1}


def test_comparison_run_from_the_list_runs_every_slot(library: PresetRepository, replay: Replay) -> None:
    model = replay.add(Script.of("one two"))
    content = comparison(0, 1)
    for slot in content.slots:
        slot.body["model"] = model
    page = Page(query={"preset": kept(library, "Both", content).id}, replay=replay)
    page.at.get_by_key("preset.run").click()
    page.at.run()
    eventually(lambda: len(replay.calls(model)) == 2, what="both calls")
    assert sorted(call.body["temperature"] for call in replay.calls(model)) == [0, 1]


def test_hostile_names_and_prompts_are_shown_as_text(library: PresetRepository) -> None:
    preset = kept(
        library,
        HOSTILE,
        draft(prompt=HOSTILE + "x" * 1_000_000, user=HOSTILE),
        description=HOSTILE * 20,
        tags=[HOSTILE[:60]],
        folder=HOSTILE.replace("/", ""),
    )
    library.save(preset.id, draft(prompt=HOSTILE, user=HOSTILE))
    for tab in ("What it sets", "Versions"):
        page = shown(preset)
        page.at.session_state["preset-tabs"] = tab
        page.run()
        marked = [element.value for element in (*page.at.markdown, *page.at.caption)] + [button.label for button in page.at.button]
        for text in marked:
            assert not re.search(r"(?<!\\)(<img|\*\*bold|:red\[|\[x\]\()|\u202e", text)
        for element in page.at.get("html"):
            assert "<img" not in element.proto.body
            assert "\u202e" not in element.proto.body


# Files


def test_import_adds_what_is_new_and_tells_the_rest(library: PresetRepository) -> None:
    preset = kept(library, "One", draft(n=2))
    written = write_presets([NewPreset(label("One"), draft(n=2)), NewPreset(label("Two"), comparison(0, 1))], "yaml")
    assert add_new(read_presets(written, "x.yaml")) == (1, 1)
    assert [(one.label.name, one.kind) for one in library.page().presets] == [("Two", "comparison"), ("One", "draft")]
    assert library.find(preset.id) is not None


def test_files_are_uploaded_and_broken_ones_told(library: PresetRepository) -> None:
    page = Page().open("presets.import")
    good = write_presets([NewPreset(label("Two"), draft())], "json")
    page.at.get_by_key("presets.import.files").upload("good.json", good, "application/json").upload(
        "newer.yaml", b"format: preset\nformat_version: 9\n", "application/yaml"
    )
    page.run()
    assert "1 preset added" in page.words
    assert "newer playground" in page.words
    assert library.count() == 1


def test_folder_is_shown_with_its_faults_and_saved_to_the_library(
    library: PresetRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "cold.yaml").write_bytes(write_presets([NewPreset(label("Cold"), draft(temperature=0))], "yaml"))
    (tmp_path / "torn.json").write_text("{")
    monkeypatch.setattr(opened_workspace(), "preset_folder", PresetFolder(tmp_path, fresh_s=0))
    page = Page().set("presets.shelf", "Folder")
    assert "torn.json is not JSON" in page.words
    assert "temperature 0" in page.words
    page.click("folder.take")
    [saved] = library.page().presets
    assert (saved.label.name, saved.label.folder) == ("Cold", "team")
    (tmp_path / "team" / "cold.yaml").write_bytes(write_presets([NewPreset(label("Colder"), draft(temperature=0))], "yaml"))
    assert "Colder" in page.run().words
