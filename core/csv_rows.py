"""Tables that people save from a spreadsheet, whatever that takes a CSV to be."""

from __future__ import annotations

import csv
import io
from typing import Final

LONGEST_CELL: Final = 131_072
"""Characters of a cell at most: a longer one begins with a quote that nothing ends. The limit of ``csv`` itself is the process's."""


def csv_rows(content: bytes) -> tuple[list[str], list[list[str]]]:
    """The names in the first line, and the rows below it, of a CSV (UTF-8; commas, semicolons or tabs); blank rows are left out.

    Rows may be shorter or longer than the names. ValueError, with what would be right, for what is no CSV.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("The CSV is not UTF-8; save it as “CSV UTF-8”.") from None
    if "\0" in text:
        raise ValueError("The CSV holds zero bytes; save it as text.")
    header = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=header.count))
    try:
        names, *rows = [row for row in reader if any(cell.strip() for cell in row)] or [[]]
    except csv.Error as error:
        raise ValueError(f"The CSV cannot be read: {error}.") from None
    if any(len(cell) > LONGEST_CELL for row in (names, *rows) for cell in row):
        raise ValueError(f"The CSV cannot be read: a cell has more than {LONGEST_CELL:,} characters; a quote may not be closed.")
    return names, rows
