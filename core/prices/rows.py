"""Prices as people edit them: rows of texts that may be wrong, checked all at once, and as CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from core.csv_rows import csv_rows
from core.prices.pricing import Price

Cells = Mapping[str, str]
COLUMNS: Final = ("model", "input", "output", "cached", "reasoning", "source", "as_of")
MOST_ROWS: Final = 5_000


def cells_of(price: Price) -> dict[str, str]:
    """The row of a price; what it does not have is left out."""
    return {name: str(value) for name, value in price.to_dict().items() if value not in (None, "")}


def check_rows(rows: Sequence[Cells]) -> tuple[list[Price], dict[int, str]]:
    """The prices of the rows that are right, and for each other row (counted from 0) a sentence that says what is wrong."""
    prices: list[Price] = []
    problems: dict[int, str] = {}
    first: dict[str, int] = {}
    for place, row in enumerate(rows):
        try:
            price = Price.from_dict(row)
        except ValueError as problem:
            problems[place] = f"{str(problem)[:1].upper()}{str(problem)[1:]}."
            continue
        if price.model in first:
            problems[place] = f"Row {first[price.model] + 1} has a price of this model already; keep one."
            continue
        first[price.model] = place
        prices.append(price)
    return prices, problems


def merged(rows: Sequence[Cells], added: Iterable[Cells]) -> list[dict[str, str]]:
    """``rows`` with ``added`` ones: one of a model that is there takes its place, the others come last."""
    result = [dict(row) for row in rows]
    places = {row.get("model", ""): place for place, row in enumerate(result)}
    for row in added:
        place = places.setdefault(row.get("model", ""), len(result))
        result[place:] = [dict(row), *result[place + 1 :]]
    return result


def write_csv(rows: Iterable[Cells]) -> str:
    """The rows as CSV, with a line of names; empty cells for what a row does not have."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def read_csv(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV (UTF-8; commas, semicolons or tabs) that has the columns model, input and output; cells are not checked.

    ValueError, with what would be right, for anything else.
    """
    names, rows = csv_rows(content)
    names = [name.strip().casefold() for name in names]
    missing = [name for name in ("model", "input", "output") if name not in names]
    if missing:
        raise ValueError(f"The CSV has no column “{missing[0]}”; its first line must name {', '.join(COLUMNS)}.")
    if len(rows) > MOST_ROWS:
        raise ValueError(f"The CSV has {len(rows):,} rows; at most {MOST_ROWS:,} are taken.")
    return [{name: cell.strip() for name, cell in zip(names, row, strict=False) if name in COLUMNS and cell.strip()} for row in rows]
