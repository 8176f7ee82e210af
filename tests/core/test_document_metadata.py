from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.document_metadata import read_metadata_csv, typed_metadata, value_of


def test_typed_lines_are_numbers_booleans_and_texts():
    text = 'year: 2024\n\nopen: true\ntitle: A: b\nversion: "3"\nshare: 0.5\nnote:\n'
    assert typed_metadata(text) == {"year": 2024, "open": True, "title": "A: b", "version": "3", "share": 0.5, "note": ""}


@pytest.mark.parametrize("text", ["year 2024", ": 2024", "a: 1\nnothing"])
def test_line_without_name_and_value_is_told_by_its_number(text):
    with pytest.raises(ValueError, match=r"^Line \d has no name and value"):
        typed_metadata(text)


@pytest.mark.parametrize("text", ["[1]", "{}", "null", "NaN", "Infinity", "1e999", "01"])
def test_what_is_no_scalar_of_json_stays_text(text):
    assert value_of(text) == text


@pytest.mark.parametrize("column", ["file", "File Name", "FILENAME", "name", "document"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_rows_are_found_by_the_files_name(column, delimiter):
    content = delimiter.join(["year", column, "open"]) + "\n" + delimiter.join(["2020", "docs/Guide.md", "true"]) + "\n"
    table = read_metadata_csv(b"\xef\xbb\xbf" + content.encode())
    assert table.of("guide.md") == {"year": 2020, "open": True}
    assert table.of("other.md") == {}
    assert table.column == column


def test_empty_cells_and_short_rows_are_left_out():
    table = read_metadata_csv(b"file,year,team\na.md,,x\nb.md\n,2020,y\n\n")
    assert table.rows == {"a.md": {"team": "x"}, "b.md": {}}


@pytest.mark.parametrize("content", [b"", b"year,team\n1,2\n", b"\xff\xfe", b"file\0,year\n"])
def test_what_is_no_table_of_files_is_refused_with_a_sentence(content):
    with pytest.raises(ValueError, match=r"CSV.*\.$"):
        read_metadata_csv(content)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content):
    with suppress(ValueError):
        assert read_metadata_csv(content).of("") == {}
