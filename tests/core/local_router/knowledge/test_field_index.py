"""Filters answered by SQL against `matches`, which says what they mean."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.contract.filters import Comparison, Filter, matches, parse_filter
from core.local_router.knowledge import field_index
from core.local_router.knowledge.database import Database
from core.local_router.knowledge.roster import Roster
from tests.core.contract.bodies import JSON_VALUE, SCALAR

BASE = 7
NUMBERS = [3, 8, 9, 20, 21, 22]
NAMES = st.sampled_from(["a", "b.c", 'd"e', "", "é'", "and", "$", "a\0"])
SMALL = [0, -0.0, 1, 1.0, True, False, "1", "", "a", "A", "a\0", "é", "e\u0301", 0.1, 1e300, -1e300, 5e-324]
LARGE = [2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**40, -(10**40)]
CLOSE = st.sampled_from([*SMALL, *LARGE, *map(float, LARGE)])
"""Values that are easily taken for one another."""
VALUE = CLOSE | SCALAR
NUMBER = VALUE.filter(lambda value: isinstance(value, int | float) and not isinstance(value, bool))
COMPARISON = st.one_of(
    st.builds(Comparison, NAMES, st.sampled_from(["eq", "ne"]), VALUE),
    st.builds(Comparison, NAMES, st.sampled_from(["gt", "gte", "lt", "lte"]), NUMBER),
    st.builds(Comparison, NAMES, st.sampled_from(["in", "nin"]), st.lists(VALUE, max_size=4).map(tuple)),
    st.builds(Comparison, NAMES, st.just("exists"), st.booleans()),
)
FILTER = st.builds(Filter, st.sampled_from(["fields", "and", "or"]), st.lists(COMPARISON, max_size=3).map(tuple))
METADATA = st.dictionaries(NAMES, VALUE | JSON_VALUE, max_size=4)


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    database = Database(None)
    with database.reading() as connection:
        yield connection


def stored(connection: sqlite3.Connection, metadata: list[dict[str, Any]]) -> Roster:
    """Puts chunks with this metadata into the base, in place of what was there."""
    for table in ("chunks", "fields", "field_values"):
        connection.execute(f"DELETE FROM {table}")
    for number, one in zip(NUMBERS, metadata, strict=False):
        row = (number, f"chunk_{number}", BASE, json.dumps(one))
        connection.execute("INSERT INTO chunks (number, id, base, document, position, text, metadata) VALUES (?, ?, ?, 1, 0, '', ?)", row)
    field_index.add(connection, BASE, zip(NUMBERS, metadata, strict=False))
    return Roster.read(connection, BASE, 1)


def selected(connection: sqlite3.Connection, condition: Filter, roster: Roster) -> list[bool]:
    return list(map(bool, field_index.select(connection, BASE, condition, roster)))


@settings(max_examples=400, deadline=None)
@given(metadata=st.lists(METADATA, max_size=len(NUMBERS)), condition=FILTER)
def test_sql_selects_what_matches_says(connection: sqlite3.Connection, metadata: list[dict[str, Any]], condition: Filter) -> None:
    roster = stored(connection, metadata)
    expected = [matches(condition, json.loads(json.dumps(one))) for one in metadata]
    assert selected(connection, condition, roster) == expected
    known: dict[str, Any] = {}
    field_index.select(connection, BASE, condition, roster, known)
    assert list(map(bool, field_index.select(connection, BASE, condition, roster, known))) == expected


@settings(max_examples=50, deadline=None)
@given(metadata=st.lists(METADATA, min_size=1, max_size=len(NUMBERS)))
def test_what_was_taken_out_leaves_nothing_behind(connection: sqlite3.Connection, metadata: list[dict[str, Any]]) -> None:
    stored(connection, metadata)
    field_index.remove(connection, BASE, zip(NUMBERS, metadata, strict=False))
    assert connection.execute("SELECT count(*) FROM field_values").fetchone() == (0,)


def test_remembered_comparisons_tell_true_from_one(connection: sqlite3.Connection) -> None:
    roster = stored(connection, [{"a": True}, {"a": 1}])
    known: dict[str, Any] = {}
    found = [
        list(map(bool, field_index.select(connection, BASE, parse_filter({"a": {"eq": value}}), roster, known))) for value in (1, True)
    ]
    assert found == [[False, True], [True, False]]


def test_a_comparison_reads_a_range_of_the_index_and_no_table(connection: sqlite3.Connection) -> None:
    stored(connection, [{"a": 1}])
    for comparison in (Comparison("a", "gte", 1), Comparison("a", "eq", "x"), Comparison("a", "exists", True)):
        for query, parameters in field_index._queries(comparison, 1):
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", parameters)]
            assert len(plan) == 1
            assert plan[0].startswith("SEARCH field_values USING PRIMARY KEY (field=?")


def test_only_what_sqlite_cannot_say_is_compared_in_python(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    roster = stored(connection, [{"a": 10**30}, {"a": 2}])
    asked: list[Comparison] = []
    evaluated = field_index._evaluated
    monkeypatch.setattr(field_index, "_evaluated", lambda *given: asked.append(given[2]) or evaluated(*given))
    assert selected(connection, parse_filter({"a": {"gt": 5}}), roster) == [True, False]
    assert asked == []
    assert selected(connection, parse_filter({"a": {"eq": 10**30}}), roster) == [True, False]
    assert len(asked) == 1
