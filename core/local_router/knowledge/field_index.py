"""Metadata filters answered by SQL: which chunks of a base pass, with the answers of `core.contract.filters.matches`.

Every value of a chunk's metadata is a row of ``field_values``, ordered by field, kind and value, so each comparison is one range of an
index, however many chunks there are (reading JSON in 100,000 rows takes longer than a whole search may). The ranges are combined as bit
masks over the base's chunks. What SQLite cannot say exactly is compared in Python: numbers beyond 64 bits in a filter.

How values are kept: true and false, numbers and texts each under a kind of their own (``true`` is not ``1``), lists and objects as
being there and nothing more, null not at all. A whole number beyond 64 bits in the metadata is kept as ± infinity: it compares with
every number of 64 bits as it should, and nothing else in JSON is infinite.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from core.contract.filters import Comparison, Filter, Scalar, matches

if TYPE_CHECKING:
    from core.local_router.knowledge.roster import Mask, Roster  # brings numpy, which adding needs not

_BOOLEAN, _NUMBER, _TEXT, _OTHER = range(4)
_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_LIMIT = 2**63
"""Numbers below this in magnitude are compared by SQLite exactly as by Python, whole or not."""

MOST_KNOWN = 64

_RANGE = "SELECT chunk FROM field_values WHERE field = ? AND kind = ?"


def add(connection: sqlite3.Connection, base: int, chunks: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Index the metadata of chunks, given as (number, metadata)."""
    fields = _fields(connection, base)
    rows = [(_field(connection, base, name, fields), *kept, number) for number, metadata in chunks for name, kept in _kept(metadata)]
    # Sorted, for b-trees grow faster in order. Within one field and kind the values are of one type, so they compare.
    connection.executemany("INSERT INTO field_values (field, kind, value, chunk) VALUES (?, ?, ?, ?)", sorted(rows))


def remove(connection: sqlite3.Connection, base: int, chunks: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Take chunks out, given as (number, metadata); the metadata must be what was added."""
    fields = _fields(connection, base)
    rows = ((fields[name], *kept, number) for number, metadata in chunks for name, kept in _kept(metadata))
    connection.executemany("DELETE FROM field_values WHERE field = ? AND kind = ? AND value = ? AND chunk = ?", rows)


def select(connection: sqlite3.Connection, base: int, condition: Filter, roster: Roster, known: dict[str, Mask] | None = None) -> Mask:
    """The chunks of the base that pass, as a mask over ``roster`` (also those that are switched off).

    ``known`` remembers single comparisons, at most `MOST_KNOWN`: give the same one for the same roster.
    """
    known = {} if known is None else known
    fields = _fields(connection, base)
    passing = roster.all() if condition.shape != "or" else roster.none()
    for comparison in condition.comparisons:
        key = repr(comparison)  # tells 1, 1.0 and true apart, which are equal to Python
        one = known.get(key)
        if one is None:
            one = _holding(connection, base, comparison, fields.get(comparison.field), roster)
            if len(known) < MOST_KNOWN:
                known[key] = one
        passing = passing | one if condition.shape == "or" else passing & one
    return passing


def _holding(connection: sqlite3.Connection, base: int, comparison: Comparison, field: int | None, roster: Roster) -> Mask:
    if not _exact(comparison):
        return _evaluated(connection, base, comparison, roster)
    from core.local_router.knowledge.roster import numbers

    found = roster.none()
    if field is not None:
        for query, parameters in _queries(comparison, field):
            found |= roster.mask(numbers(connection, query, parameters))
    opposite = comparison.operator in ("ne", "nin") or (comparison.operator == "exists" and comparison.value is False)
    return roster.all() & ~found if opposite else found


def _queries(comparison: Comparison, field: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Index ranges that together hold what passes; for ``ne``, ``nin`` and ``exists: false``, what does not."""
    value: Any = comparison.value
    match comparison.operator:
        case "eq" | "ne":
            yield f"{_RANGE} AND value = ?", (field, *_stored(value))
        case "in" | "nin":
            for kind, one in dict.fromkeys(_stored(one) for one in value):
                yield f"{_RANGE} AND value = ?", (field, kind, one)
        case "exists":
            yield "SELECT chunk FROM field_values WHERE field = ?", (field,)
        case operator:
            yield f"{_RANGE} AND value {_SIGNS[operator]} ?", (field, _NUMBER, value)


def _evaluated(connection: sqlite3.Connection, base: int, comparison: Comparison, roster: Roster) -> Mask:
    alone = Filter("and", (comparison,))
    rows = connection.execute("SELECT number, metadata FROM chunks WHERE base = ?", (base,))
    return roster.mask([number for number, metadata in rows if matches(alone, json.loads(metadata))])


def _exact(comparison: Comparison) -> bool:
    values = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    return all(not isinstance(value, int | float) or -_LIMIT < value < _LIMIT for value in values) and all(
        not isinstance(value, str) or value.isascii() or _encodable(value) for value in values
    )


def _encodable(text: str) -> bool:
    return text.encode("utf-8", "replace").decode() == text


def _kept(metadata: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, Any]]]:
    return ((name, _stored(value)) for name, value in metadata.items() if value is not None)


def _stored(value: Scalar | Any) -> tuple[int, Any]:
    """Kind and value as they stand in the index."""
    match value:
        case bool():
            return _BOOLEAN, int(value)
        case int() if not -_LIMIT < value < _LIMIT:
            return _NUMBER, float("inf") if value > 0 else float("-inf")
        case int() | float():
            return _NUMBER, value
        case str():
            return _TEXT, value
        case _:
            return _OTHER, 0


def _fields(connection: sqlite3.Connection, base: int) -> dict[str, int]:
    return dict(connection.execute("SELECT name, number FROM fields WHERE base = ?", (base,)))


def _field(connection: sqlite3.Connection, base: int, name: str, known: dict[str, int]) -> int:
    if name not in known:
        known[name] = connection.execute("INSERT INTO fields (base, name) VALUES (?, ?)", (base, name)).lastrowid or 0
    return known[name]
