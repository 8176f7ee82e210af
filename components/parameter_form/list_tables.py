"""Lists of the contract as tables: what an item's row shows, and how an edited row becomes an item again.

Cells of values are text: JSON where it is JSON, else plain text. A cell that was not touched leaves the item's exact value alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.form.codecs import Unshowable
from components.form.text_forms import is_one_line, literal, parse_literal
from components.table_editor import Row, edited_rows
from core.draft import MISSING

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """``items`` gives the list's items (raises `Unshowable`), ``cells`` the text or number of an item's field, ``parse`` the way back."""

    items: Callable[[Any], list[Item]]
    cells: Mapping[str, Callable[[Any], Any]]
    parse: Mapping[str, Callable[[Any], Any]]
    value: Callable[[list[Item]], Any]

    def rows(self, items: Sequence[Item]) -> list[Row]:
        """The rows that show ``items``; a field an item does not have is an empty cell."""
        return [{name: cell(item[name]) if name in item else None for name, cell in self.cells.items()} for item in items]

    def edited(self, items: Sequence[Item], state: Mapping[str, Any]) -> list[Item]:
        """``items`` after the edits in ``state`` (a data editor's), relative to their rows."""
        rows = self.rows(items)
        result: list[Item] = []
        for index, row in edited_rows(rows, state):
            item = {} if index is None else dict(items[index])
            before = {} if index is None else rows[index]
            for name, parse in self.parse.items():
                if row.get(name) != before.get(name):
                    item.pop(name, None)
                    if name in row:
                        item[name] = parse(row[name])
            result.append(item)
        return result


def _plain_number(cell: Any) -> Any:
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _text_cell(value: Any) -> str:
    if not isinstance(value, str) or not value or not is_one_line(value):
        raise Unshowable
    return value


def _name_cell(value: Any) -> str | None:
    """A name in an object; the empty one, which a row has until it is named, is an empty cell."""
    return None if value == "" else _text_cell(value)


def _number_cell(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise Unshowable


def _objects(fields: frozenset[str], value: Any) -> list[Item]:
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) and item and set(item) <= fields for item in value):
        raise Unshowable
    return [dict(item) for item in value]


def _weight_items(value: Any) -> list[Item]:
    return [] if value is MISSING else _objects(frozenset({"model", "weight"}), value)


def _input_items(value: Any) -> list[Item]:
    if value is MISSING or value in ({}, []):
        return []
    if isinstance(value, dict):
        return [{"key": key, "value": inner} for key, inner in value.items()]
    return _objects(frozenset({"key", "value", "is_pii"}), value)


def _threshold_items(value: Any) -> list[Item]:
    if value is MISSING:
        return []
    if not isinstance(value, dict) or not value:
        raise Unshowable
    return [{"entity": entity, "threshold": number} for entity, number in value.items()]


def _metadata_items(value: Any) -> list[Item]:
    if value is MISSING:
        return []
    if not isinstance(value, list) or not value or not all(isinstance(entry, dict) and entry for entry in value):
        raise Unshowable
    return [{"object": number, "key": key, "value": inner} for number, entry in enumerate(value, 1) for key, inner in entry.items()]


def _metadata(items: list[Item]) -> Any:
    """Rows with one number make one object; a row without a number, or with a name its object has, starts an object of its own."""
    numbered: dict[int, dict[str, Any]] = {}
    for item in items:
        name, number = item.get("key", ""), item.get("object")
        if number is None or name in numbered.get(number, {}):
            number = max(numbered, default=0) + 1
        numbered.setdefault(number, {})[name] = item.get("value", "")
    return [numbered[number] for number in sorted(numbered)] or MISSING


def _input_object(items: list[Item]) -> Any:
    """An object; a list when a name stands twice, which no object can hold."""
    names = [item.get("key", "") for item in items]
    if len(set(names)) != len(names):
        return items
    return {item.get("key", ""): item.get("value", "") for item in items}


TABLES: dict[str, Table] = {
    "weights": Table(
        _weight_items,
        {"model": _text_cell, "weight": _number_cell},
        {"model": str, "weight": _plain_number},
        lambda items: items or MISSING,
    ),
    "metadata": Table(
        _metadata_items,
        {"object": int, "key": _name_cell, "value": literal},
        {"object": int, "key": str, "value": parse_literal},
        _metadata,
    ),
    "inputs": Table(_input_items, {"key": _name_cell, "value": literal}, {"key": str, "value": parse_literal}, _input_object),
    "inputs list": Table(
        _input_items,
        {"key": _name_cell, "value": literal, "is_pii": bool},
        {"key": str, "value": parse_literal, "is_pii": bool},
        list,
    ),
    "thresholds": Table(
        _threshold_items,
        {"entity": _name_cell, "threshold": _number_cell},
        {"entity": str, "threshold": _plain_number},
        lambda items: {item.get("entity", ""): item.get("threshold") for item in items} or MISSING,
    ),
}
