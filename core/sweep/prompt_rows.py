"""Rows of a CSV or JSONL file as prompts: each ``{{name}}`` of a template is filled from the row's column of that name."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.contract.placeholders import PLACEHOLDER, input_values, placeholders

PROMPT_COLUMN: Final = "prompt"
MOST_ROWS: Final = 1_000
MOST_BYTES: Final = 5_000_000


class RowsRefused(ValueError):
    """A file that cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class PromptRows:
    """``columns`` in the file's order; ``rows`` have a text for each of them, in that order; ``name`` is the file's."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """The rows as JSON can hold them."""
        return {"name": self.name, "columns": list(self.columns), "rows": [list(row) for row in self.rows]}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> PromptRows:
        """What ``to_dict`` gave."""
        return cls(kept["name"], tuple(kept["columns"]), tuple(tuple(row) for row in kept["rows"]))

    def prompt(self, number: int, template: str) -> str:
        """The prompt of row ``number`` (from 0): its ``prompt`` column, or ``template`` where it has none, with the others filled in."""
        values = dict(zip(self.columns, self.rows[number], strict=True))
        text = values.get(PROMPT_COLUMN, template)
        return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)

    def label(self, number: int) -> str:
        """What tells row ``number`` from the others in a grid: its number and the beginning of its first text."""
        return f"{number + 1} · {' '.join(self.rows[number][0].split())[:40]}"

    def problem(self, template: Any) -> str | None:
        """Why these rows would all send the same, or something that is not meant; None when all is well."""
        if PROMPT_COLUMN in self.columns:
            return None
        used = [name for name in placeholders(template if isinstance(template, str) else "") if name in self.columns]
        if used:
            return None
        named = ", ".join(f"{{{{{name}}}}}" for name in self.columns[:3])
        return f"The prompt names none of the columns ({named}). Put one into it, or give the file a column called prompt."

    def unfilled(self, template: Any, inputs: Any) -> tuple[str, ...]:
        """Names in the prompts that neither a column nor ``orq.inputs`` has a value for."""
        column = self.columns.index(PROMPT_COLUMN) if PROMPT_COLUMN in self.columns else None
        texts = [template if isinstance(template, str) else ""] if column is None else [row[column] for row in self.rows]
        known = {*self.columns, *input_values(inputs)}
        return tuple(dict.fromkeys(name for text in texts for name in placeholders(text) if name not in known))


def read_rows(name: str, data: bytes) -> PromptRows:
    """The rows of a file: JSONL where its name or its first character says so, else CSV with names in the first line.

    RowsRefused, with the line, for what is neither, for no rows, for more than 1,000, and for more than 5 MB.
    """
    if len(data) > MOST_BYTES:
        raise RowsRefused(f"The file has more than {MOST_BYTES // 1_000_000} MB.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise RowsRefused(f"The file is not UTF-8: byte {fault.start + 1} is not. Save it as UTF-8.") from None
    found = _json_lines(text) if name.lower().endswith((".jsonl", ".ndjson")) or text.lstrip().startswith("{") else _csv(text)
    columns = tuple(dict.fromkeys(column for row in found for column in row))
    if not found or not columns:
        raise RowsRefused("There is no row in it. CSV needs a line of names and a line for each prompt; JSONL an object in each line.")
    if len(found) > MOST_ROWS:
        raise RowsRefused(f"There are {len(found):,} rows; {MOST_ROWS:,} can be used. Cut the file.")
    return PromptRows(name[:80], columns, tuple(tuple(row.get(column, "") for column in columns) for row in found))


def _csv(text: str) -> list[dict[str, str]]:
    csv.field_size_limit(max(csv.field_size_limit(), MOST_BYTES))  # the process's; 128 KiB at first, and a prompt may be a document
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=_delimiter(text))
    rows: list[dict[str, str]] = []
    names: list[str] | None = None
    try:
        for line in reader:
            if not any(line):
                continue
            if names is None:
                names = _names(line)
                continue
            if len(line) != len(names):
                raise RowsRefused(f"Line {reader.line_num} has {len(line)} fields, the line of names has {len(names)}.")
            rows.append(dict(zip(names, line, strict=True)))
    except csv.Error as fault:
        raise RowsRefused(f"Line {reader.line_num} is not CSV: {fault}.") from None
    return rows


def _delimiter(text: str) -> str:
    """The one of the usual separators that stands most often in the line of names."""
    head = text.lstrip().split("\n", 1)[0]
    return max(",;\t", key=head.count)


def _names(line: list[str]) -> list[str]:
    names = [name.strip() for name in line]
    if not all(names) or len(set(names)) < len(names):
        raise RowsRefused("The first line has to name every column, each with another name.")
    return names


def _json_lines(text: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise RowsRefused(f'Line {number} is not JSON. Each line is an object, like {{"city": "Kraków"}}.') from None
        if not isinstance(row, dict):
            raise RowsRefused(f'Line {number} is no object. Each line is one, like {{"city": "Kraków"}}.')
        rows.append({str(name): value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for name, value in row.items()})
    return rows
