"""What spreadsheets save as CSV is read; what is none is refused with a sentence."""

from __future__ import annotations

import csv

import pytest

from core.csv_rows import csv_rows


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_first_line_tells_the_delimiter_and_blank_rows_are_left_out(delimiter: str) -> None:
    text = f'a{delimiter}b\n\n"1{delimiter}2"{delimiter}3\n {delimiter} \nshort\n'
    assert csv_rows(b"\xef\xbb\xbf" + text.encode()) == (["a", "b"], [[f"1{delimiter}2", "3"], ["short"]])


def test_nothing_has_no_names_and_no_rows() -> None:
    assert csv_rows(b"") == ([], [])


@pytest.mark.parametrize(
    ("content", "said"),
    [("a,ü".encode("latin-1"), "not UTF-8"), (b"a,\0", "zero bytes"), (b"a\n" + b"x" * 200_000, "cannot be read")],
    ids=["latin-1", "zero", "a cell that is too long"],
)
def test_what_is_no_csv_is_refused_with_a_sentence(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        csv_rows(content)


def test_a_cell_that_is_too_long_is_refused_whatever_limit_the_process_has() -> None:
    before = csv.field_size_limit(1_000_000)
    try:
        with pytest.raises(ValueError, match="a quote may not be closed"):
            csv_rows(b'a\n"' + b"x" * 200_000)
    finally:
        csv.field_size_limit(before)
