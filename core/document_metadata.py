"""What people say about the files they upload: typed as lines, or a CSV with a row a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.csv_rows import csv_rows

NAME_COLUMNS = ("file", "filename", "file_name", "name", "document", "path")
"""Columns that tell which file a row is about, the first of them that is there; case, spaces and dashes do not count."""


@dataclass(frozen=True, slots=True)
class MetadataTable:
    """A CSV that was read: metadata by the file's name (without folders, case aside), and the column that names files."""

    column: str
    rows: Mapping[str, Mapping[str, Any]]

    def of(self, file_name: str) -> Mapping[str, Any]:
        """The row of a file; empty where there is none."""
        return self.rows.get(_bare(file_name), {})


def typed_metadata(text: str) -> dict[str, Any]:
    """Metadata from lines like ``year: 2024``; ValueError, with the line's number, for a line that has no name and value."""
    found: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise ValueError(f"Line {number} has no name and value; write it like “year: 2024”.")
        found[name.strip()] = value_of(value)
    return found


def read_metadata_csv(content: bytes) -> MetadataTable:
    """The table in a CSV (UTF-8; commas, semicolons or tabs); ValueError, with what would be right, where it is none.

    Empty cells are left out; `value_of` says what the others are.
    """
    names, rows = csv_rows(content)
    at = next((names.index(name) for wanted in NAME_COLUMNS for name in names if _plain(name) == _plain(wanted)), None)
    if at is None:
        raise ValueError("The CSV has no column “file” that names the files; give it one.")
    found = {}
    for row in rows:
        cells = {name.strip(): value_of(cell) for i, (name, cell) in enumerate(zip(names, row, strict=False)) if i != at and cell.strip()}
        if at < len(row) and row[at].strip():
            found[_bare(row[at])] = {name: value for name, value in cells.items() if name}
    return MetadataTable(names[at].strip(), found)


def value_of(text: str) -> Any:
    """A number, ``true`` or ``false`` where the text is one as JSON has it, the text within quotation marks, or the text itself."""
    text = text.strip()
    try:
        value = json.loads(text, parse_constant=lambda _name: text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, bool | int | float | str) and _kept(value) else text


def _kept(value: Any) -> bool:
    return not isinstance(value, float) or abs(value) != float("inf")


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def _bare(file_name: str) -> str:
    return file_name.strip().replace("\\", "/").rpartition("/")[2].casefold()
