"""The folder under git: what changes is read again, what is broken is told by name, and the rest is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.preset import folder
from core.preset.document import write_presets
from core.preset.folder import PresetFolder
from tests.core.preset.contents import comparison, draft, new


def put(path: Path, *presets: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(write_presets(presets, "yaml"))  # type: ignore[arg-type]


def names(listed: PresetFolder) -> list[str]:
    return [one.preset.label.name for one in listed.listing().presets]


def test_presets_stand_in_the_order_of_their_paths_and_in_their_files_folder(tmp_path: Path) -> None:
    put(tmp_path / "b.yaml", new("two"), new("three", comparison(0, 1), folder="own"))
    put(tmp_path / "team" / "a.yml", new("four"))
    put(tmp_path / "a.yaml", new("one"))
    put(tmp_path / ".git" / "x.yaml", new("hidden"))
    (tmp_path / "notes.txt").write_text("no preset")
    listed = PresetFolder(tmp_path, fresh_s=0)
    assert names(listed) == ["one", "two", "three", "four"]
    assert [one.preset.label.folder for one in listed.listing().presets] == ["", "", "own", "team"]
    assert [one.id for one in listed.listing().presets] == ["a.yaml#0", "b.yaml#0", "b.yaml#1", "team/a.yml#0"]
    found = listed.find("b.yaml#1")
    assert found is not None
    assert found.preset.content == comparison(0, 1)


def test_changes_are_read_and_only_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = folder.read_presets
    monkeypatch.setattr(folder, "read_presets", lambda data, name: read.append(name) or real(data, name))
    put(tmp_path / "a.yaml", new("one"))
    put(tmp_path / "b.yaml", new("two"))
    listed = PresetFolder(tmp_path, fresh_s=0)
    assert names(listed) == ["one", "two"]
    put(tmp_path / "b.yaml", new("two, changed", draft(n=2)))
    put(tmp_path / "c.yaml", new("three"))
    (tmp_path / "a.yaml").unlink()
    assert names(listed) == ["two, changed", "three"]
    assert read == ["a.yaml", "b.yaml", "b.yaml", "c.yaml"]


def test_folder_is_looked_at_once_in_a_while(tmp_path: Path) -> None:
    now = [0.0]
    put(tmp_path / "a.yaml", new("one"))
    listed = PresetFolder(tmp_path, fresh_s=1, clock=lambda: now[0])
    assert names(listed) == ["one"]
    put(tmp_path / "b.yaml", new("two"))
    assert names(listed) == ["one"]
    now[0] = 1.0
    assert names(listed) == ["one", "two"]


def test_each_broken_file_is_one_sentence_and_the_others_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "good.yaml", new("good"))
    (tmp_path / "newer.yaml").write_text("format: preset\nformat_version: 9\nname: n\n")
    (tmp_path / "torn.json").write_text('{"format": "preset", ')
    (tmp_path / "outside.yaml").symlink_to(tmp_path.parent / "elsewhere.yaml")
    (tmp_path.parent / "elsewhere.yaml").write_text("format: preset\n")
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nothing.yaml")
    (tmp_path / "large.json").write_text(" " * 2_000)
    monkeypatch.setattr(folder, "LARGEST_BYTES", 1_000)
    listing = PresetFolder(tmp_path).listing()
    assert [one.preset.label.name for one in listing.presets] == ["good"]
    causes = {fault.path: fault.cause for fault in listing.faults}
    assert sorted(causes) == ["gone.yaml", "large.json", "newer.yaml", "outside.yaml", "torn.json"]
    assert "newer playground" in causes["newer.yaml"]
    assert "line 1" in causes["torn.json"]
    assert "outside of the folder" in causes["outside.yaml"]
    assert "cannot be read" in causes["gone.yaml"]


def test_folder_that_is_not_there_is_a_fault_and_none_is_empty(tmp_path: Path) -> None:
    assert [fault.cause for fault in PresetFolder(tmp_path / "gone").listing().faults] == ["The folder is not there."]
    assert PresetFolder(None).listing() == folder.FolderListing()
