"""Runs as files: JSONL comes back equal, CSV and Parquet are tables whose unknowns are empty."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.export import run_files
from core.export.run_files import COLUMNS, ROW_GROUP, read_runs, table_row, write_runs
from core.storage.run_record import StoredRun
from tests.core.storage import samples


@pytest.fixture
def stored() -> list[StoredRun]:
    plain = replace(StoredRun.of(samples.run()), cost_usd=Decimal("0.000123456789"), tags=("a", "b"), starred=True, note="keep")
    return [plain, StoredRun.of(samples.everything()), StoredRun.of(samples.run(usage=None, model=None, choices={}))]


def test_jsonl_comes_back_equal(stored, tmp_path: Path):
    file = tmp_path / "runs.jsonl"
    assert write_runs(stored, "jsonl", file) == 3
    assert list(read_runs(file.read_bytes())) == stored
    with file.open("rb") as opened:
        assert list(read_runs(opened)) == stored


def test_lone_surrogate_survives_jsonl_and_harms_no_table(tmp_path: Path):
    broken = StoredRun.of(samples.run(text="half \ud83d of it"))
    for kind in ("csv", "parquet"):
        assert write_runs([broken], kind, tmp_path / kind) == 1
    write_runs([broken], "jsonl", tmp_path / "jsonl")
    assert next(read_runs((tmp_path / "jsonl").read_bytes())).snapshot.text == "half \ud83d of it"


def test_csv_has_a_line_for_each_run_and_nothing_for_what_is_unknown(stored, tmp_path: Path):
    write_runs(stored, "csv", tmp_path / "runs.csv")
    with (tmp_path / "runs.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    assert (rows[0]["cost_usd"], rows[0]["tags"], rows[0]["starred"]) == ("0.000123456789", "a, b", "true")
    assert (rows[2]["total_tokens"], rows[2]["cost_usd"], rows[2]["model_answered"]) == ("", "", "")
    assert rows[1]["prompt"] == "nul \0 and 🤖 and e\u0301\n"
    assert json.loads(rows[1]["request"]) == stored[1].snapshot.body


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_text_becomes_a_formula_in_a_spreadsheet(text, tmp_path: Path):
    write_runs([StoredRun.of(samples.run(text=text))], "csv", tmp_path / "runs.csv")
    with (tmp_path / "runs.csv").open(encoding="utf-8-sig", newline="") as file:
        assert next(csv.DictReader(file))["output"] == "'" + text


def test_parquet_keeps_types_and_exact_dollars(stored, tmp_path: Path):
    write_runs(stored, "parquet", tmp_path / "runs.parquet")
    rows = pq.read_table(tmp_path / "runs.parquet").to_pylist()
    assert (rows[0]["cost_usd"], rows[1]["cost_usd"]) == (Decimal("0.000123456789"), None)
    assert [row["created_at"] for row in rows] == [run.snapshot.created_at for run in stored]
    assert [row["output"] for row in rows] == [run.snapshot.text for run in stored]
    assert rows[2]["total_tokens"] is None


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_runs_are_taken_one_after_the_other_and_progress_is_told(kind, tmp_path: Path):
    taken = 0

    def many() -> Iterator[StoredRun]:
        nonlocal taken
        for _ in range(2 * ROW_GROUP + 5):
            taken += 1
            yield run

    run = StoredRun.of(samples.run())
    told: list[tuple[int, int]] = []
    write_runs(many(), kind, tmp_path / "file", lambda count: told.append((count, taken)))
    assert told[-1] == (2 * ROW_GROUP + 5,) * 2
    assert all(ahead - count <= ROW_GROUP for count, ahead in told)


def test_parquet_groups_are_smaller_where_texts_are_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run_files, "GROUP_CHARACTERS", 2_000)
    made = [StoredRun.of(samples.run(text="x" * 900)) for _ in range(7)]
    write_runs(made, "parquet", tmp_path / "runs.parquet")
    found = pq.ParquetFile(tmp_path / "runs.parquet")
    assert [found.metadata.row_group(number).num_rows for number in range(found.num_row_groups)] == [3, 3, 1]
    assert [row["id"] for row in found.read().to_pylist()] == [run.snapshot.id for run in made]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_no_runs_are_a_file_too(kind, tmp_path: Path):
    assert write_runs([], kind, tmp_path / "file") == 0
    assert (tmp_path / "file").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"nothing", "Line 1 is no JSON"),
        (b"\n\n[1]", "Line 3 is no exported run"),
        (b'{"a": 1}', "Line 1: This is no exported run"),
        (b'{"format": "playground.run/1", "id": 7}', "Line 1: This exported run cannot be read"),
        (b"[" * 100_000, "Line 1 is no JSON"),
        (b"\xff\xfe", "Line 1 is no JSON"),
    ],
)
def test_what_is_no_export_is_named_by_its_line(content, says):
    with pytest.raises(ValueError, match=says):
        list(read_runs(content))


def test_runs_before_a_bad_line_have_come_by_then(stored, tmp_path: Path):
    write_runs(stored, "jsonl", tmp_path / "f")
    reading = read_runs((tmp_path / "f").read_bytes() + b"oops")
    assert [next(reading) for _ in range(3)] == stored
    with pytest.raises(ValueError, match="Line 4"):
        next(reading)


def test_every_column_has_a_value_in_every_row(stored):
    assert all(list(table_row(run)) == list(COLUMNS) for run in stored)
