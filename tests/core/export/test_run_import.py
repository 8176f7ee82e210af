"""Runs of a file into the history, by the page's way and from the terminal."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import core.__main__ as command
from core.errors import StorageUnavailable
from core.export import import_command
from core.export.run_files import write_runs
from core.export.run_import import ImportReport, import_runs
from core.storage import run_repository
from core.storage.database import FILE_NAME, Database
from core.storage.run_record import StoredRun
from core.storage.run_repository import RunRepository
from tests.core.storage.samples import everything, run
from tests.support.app_process import ROOT, clean_environment


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunRepository]:
    """The history that the environment names."""
    folder = tmp_path / "data"
    monkeypatch.setenv("PLAYGROUND_DATA_DIR", str(folder))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    folder.mkdir()
    database = Database.of(folder, None)
    yield RunRepository(database)
    database.close()


def some(count: int) -> list[StoredRun]:
    return [
        StoredRun(everything() if number % 3 == 0 else run(), ended_at=run().created_at, note=f"note {number}", tags=("a", "b"))
        for number in range(count)
    ]


def written(tmp_path: Path, runs: Sequence[StoredRun]) -> Path:
    path = tmp_path / "runs.jsonl"
    write_runs(runs, "jsonl", path)
    return path


def test_same_rows_come_back_and_those_that_are_here_are_counted(
    here: RunRepository, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    made = some(7)
    here.insert(made[:2])
    assert command.main(["import", str(written(tmp_path, made))]) == 0
    assert {one.snapshot.id: one for one in here.stream()} == {one.snapshot.id: one for one in made}
    said = capsysbinary.readouterr().err.decode()
    assert said.startswith("5 runs imported. 2 were here already.")
    assert FILE_NAME in said


def test_pipe_is_read_to_its_end(here: RunRepository, tmp_path: Path) -> None:
    made = some(3)
    with written(tmp_path, made).open("rb") as source:
        environment = clean_environment() | {"PLAYGROUND_DATA_DIR": str(tmp_path / "data")}
        asked = [sys.executable, "-m", "core", "import", "-"]
        done = subprocess.run(asked, stdin=source, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "")
    assert "3 runs imported." in done.stderr
    assert here.count() == 3


def test_line_that_is_no_run_ends_it_with_all_before_it_in(
    here: RunRepository, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = written(tmp_path, some(3))
    with path.open("ab") as file:
        file.write(b"{}\n")
    assert command.main(["import", str(path)]) == 2
    assert here.count() == 3
    assert "3 runs imported before that. Line 4" in capsysbinary.readouterr().err.decode()


def test_file_that_is_not_there_is_said(here: RunRepository, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert command.main(["import", str(tmp_path / "nowhere.jsonl")]) == 2
    assert "cannot be read: No such file" in capsysbinary.readouterr().err.decode()


def test_progress_is_said_while_it_goes_on(
    here: RunRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(import_command, "EVERY_S", 0.0)
    monkeypatch.setattr(run_repository, "BATCH", 2)
    made = some(4)
    here.insert(made[:1])
    assert command.main(["import", str(written(tmp_path, made))]) == 0
    said = capsysbinary.readouterr().err.decode().splitlines()
    assert [line.partition(", ")[2] for line in said[:2]] == ["2 runs read, 1 of them new", "4 runs read, 3 of them new"]


def test_storage_that_fails_in_the_middle_is_told_with_what_is_in(
    here: RunRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_repository, "BATCH", 2)
    insert = RunRepository._insert

    def locked(self: RunRepository, connection: object, batch: Sequence[StoredRun]) -> int:
        if batch[0].note == "note 2":
            raise StorageUnavailable("The database is locked.", "Try again.")
        return insert(self, connection, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(RunRepository, "_insert", locked)
    report = import_runs(io.BytesIO(written(tmp_path, some(4)).read_bytes()), here)
    assert report == ImportReport(4, 2, "storage", "The database is locked. Try again.")
    assert here.count() == 2


def test_memory_stays_flat_however_large_the_file(here: RunRepository, tmp_path: Path) -> None:
    """200 MB in lines of half a megabyte, read by a process that may have less than that.

    Its own peak counts: ``ru_maxrss`` begins with that of the process that started it, which is these tests.
    """
    path = tmp_path / "large.jsonl"
    line = StoredRun(run(text="word " * 20), ended_at=None).to_json() | {"raw": "x" * 500_000}
    with path.open("w", encoding="utf-8") as file:
        for number in range(420):
            file.write(json.dumps(line | {"id": f"large-{number}"}) + "\n")
    assert path.stat().st_size > 200 * 1024**2
    program = (
        "import re, sys; from pathlib import Path; from core.__main__ import main; status = main(['import', sys.argv[1]]);"
        "print(int(re.search(r'VmHWM:\\s*(\\d+)', Path('/proc/self/status').read_text())[1]) // 1024, status)"
    )
    environment = clean_environment() | {"PLAYGROUND_DATA_DIR": str(tmp_path / "data")}
    asked = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(asked, env=environment, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    peak_mb, status = (int(part) for part in done.stdout.split())
    assert (status, here.count()) == (0, 420)
    assert peak_mb < 400, done.stderr
