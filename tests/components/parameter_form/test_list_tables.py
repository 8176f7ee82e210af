"""Lists as tables, and what editing a table does to them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.form.codecs import Unshowable
from components.parameter_form.list_tables import TABLES
from components.routing.load_balancer_editor import shares

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
NAMES = st.sampled_from(["model", "weight", "key", "value", "is_pii"])
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["model", "weight", "key", "value", "is_pii"]), inner, max_size=3)
    ),
    max_leaves=8,
)
NO_EDITS: dict[str, Any] = {"edited_rows": {}}


@pytest.mark.parametrize("name", TABLES)
@settings(deadline=None, max_examples=60)
@given(value=JSON)
def test_a_table_shows_a_value_without_loss_or_not_at_all(name: str, value: Any) -> None:
    table = TABLES[name]
    try:
        items = table.items(copy.deepcopy(value))
        table.rows(items)
    except Unshowable:
        return
    if name.startswith("inputs") and isinstance(value, list) != (name == "inputs list"):
        return  # the form draws the other table for this value
    again = table.value(table.edited(items, NO_EDITS))
    assert again == value or not value


def test_only_the_cell_that_was_edited_changes() -> None:
    table = TABLES["inputs list"]
    items = table.items([{"key": "a", "value": 1.0, "is_pii": False}, {"key": "b", "value": {"deep": [1]}}])
    edited = table.edited(items, {"edited_rows": {0: {"key": "c"}}})
    assert edited == [{"key": "c", "value": 1.0, "is_pii": False}, {"key": "b", "value": {"deep": [1]}}]


def test_an_emptied_cell_takes_the_field_out() -> None:
    table = TABLES["weights"]
    assert table.edited([{"model": "m", "weight": 0.5}], {"edited_rows": {0: {"weight": None}}}) == [{"model": "m"}]


def row(cells: dict[str, Any], at: int = 0) -> dict[str, Any]:
    """The editor's state after typing ``cells`` into row ``at``."""
    return {"edited_rows": {at: cells}}


def test_a_ticked_row_goes_and_the_blank_one_adds() -> None:
    items = [{"model": "a"}, {"model": "b"}, {"model": "c"}]
    edits = {"edited_rows": {0: {"_remove": True}, 2: {"weight": 1.0}, 3: {"model": "d"}}}
    assert TABLES["weights"].edited(items, edits) == [{"model": "b"}, {"model": "c", "weight": 1}, {"model": "d"}]


def test_a_row_emptied_of_everything_goes() -> None:
    assert TABLES["weights"].edited([{"model": "a"}, {"model": "b"}], row({"model": None})) == [{"model": "b"}]


def test_applying_the_edits_again_changes_nothing() -> None:
    """The table keeps its edits while one types on, so they come with every script run."""
    table, edits = TABLES["inputs"], {"edited_rows": {0: {"value": "5"}, 1: {"key": "new"}}}
    once = table.edited([{"key": "a", "value": 1}], edits)
    assert table.edited(once, edits) == once


def test_a_half_filled_row_stays_for_the_contract_to_mark() -> None:
    table = TABLES["weights"]
    assert table.value(table.edited([], row({"weight": 0.3}))) == [{"weight": 0.3}]


@pytest.mark.parametrize(("typed", "value"), [("5", 5), ('"5"', "5"), ("true", True), ("text", "text"), ('{"a": [1]}', {"a": [1]})])
def test_a_value_cell_is_typed_by_its_spelling(typed: str, value: Any) -> None:
    table = TABLES["inputs"]
    assert table.value(table.edited([], row({"key": "k", "value": typed}))) == {"k": value}


def test_one_name_twice_needs_the_list_form_of_inputs() -> None:
    table = TABLES["inputs"]
    edited = table.edited([{"key": "a", "value": 1}], row({"key": "a", "value": "2"}, at=1))
    assert table.value(edited) == [{"key": "a", "value": 1}, {"key": "a", "value": 2}]


METADATA = [{"plan": "pro", "seats": 3}, {"plan": "free"}]


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        ({"object": 2, "key": "seats", "value": "1"}, [{"plan": "pro", "seats": 3}, {"plan": "free", "seats": 1}]),
        ({"object": 1, "key": "plan", "value": "x"}, [*METADATA, {"plan": "x"}]),
        ({"key": "new", "value": "y"}, [*METADATA, {"new": "y"}]),
    ],
)
def test_metadata_rows_with_one_number_make_one_object_and_no_row_is_lost(cells: dict[str, Any], value: Any) -> None:
    table = TABLES["metadata"]
    assert table.value(table.edited(table.items(METADATA), row(cells, at=3))) == value


def test_shares_are_the_normalised_weights() -> None:
    assert shares([0.4, 0.8]) == [pytest.approx(100 / 3), pytest.approx(200 / 3)]
    assert shares([0.7, 0.2])[0] == pytest.approx(77.8, abs=0.1)


def test_a_weight_that_is_not_sent_counts_as_its_default() -> None:
    assert shares([None, 0.5]) == [50, 50]


@pytest.mark.parametrize("weight", [0, -1, float("nan"), float("inf"), "heavy", True])
def test_a_weight_that_is_no_positive_number_has_no_share(weight: Any) -> None:
    assert shares([weight, 1]) == [None, 100]


@pytest.mark.parametrize(
    ("name", "cells", "name_cells", "named"),
    [
        ("thresholds", {"threshold": 0.5}, {"entity": "EMAIL"}, {"EMAIL": 0.5}),
        ("inputs", {"value": "Ann"}, {"key": "name"}, {"name": "Ann"}),
        ("inputs list", {"value": "Ann"}, {"key": "name"}, [{"key": "name", "value": "Ann"}]),
        ("metadata", {"value": "Ann"}, {"key": "name"}, [{"name": "Ann"}]),
    ],
)
def test_a_row_whose_value_is_typed_before_its_name_stays_in_the_table(
    name: str, cells: dict[str, Any], name_cells: dict[str, Any], named: Any
) -> None:
    table = TABLES[name]
    half = table.value(table.edited([], row(cells)))
    items = table.items(half)
    assert cells.items() <= table.rows(items)[0].items()
    assert table.value(table.edited(items, row(name_cells))) == named
