"""Lists as tables, and what editing a table does to them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.form.codecs import Unshowable
from components.list_tables import TABLES
from components.load_balancer_editor import shares

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
NAMES = st.sampled_from(["model", "weight", "key", "value", "is_pii"])
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["model", "weight", "key", "value", "is_pii"]), inner, max_size=3)
    ),
    max_leaves=8,
)
NO_EDITS: dict[str, Any] = {"edited_rows": {}, "added_rows": [], "deleted_rows": []}


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
    if name == "inputs list" and isinstance(value, dict):
        return
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


def test_deleted_rows_go_and_added_ones_come_last() -> None:
    table = TABLES["weights"]
    items = [{"model": "a"}, {"model": "b"}, {"model": "c"}]
    edits = {"edited_rows": {2: {"weight": 1.0}}, "added_rows": [{"model": "d"}, {}], "deleted_rows": [0]}
    assert table.edited(items, edits) == [{"model": "b"}, {"model": "c", "weight": 1}, {"model": "d"}]


def test_a_half_filled_row_stays_for_the_contract_to_mark() -> None:
    table = TABLES["weights"]
    assert table.value(table.edited([], {"added_rows": [{"weight": 0.3}]})) == [{"weight": 0.3}]


def test_a_value_cell_is_typed_by_its_spelling() -> None:
    table = TABLES["inputs"]
    cells = ["5", '"5"', "true", "text", '{"a": [1]}']
    edits = {"added_rows": [{"key": str(index), "value": cell} for index, cell in enumerate(cells)]}
    assert table.value(table.edited([], edits)) == {"0": 5, "1": "5", "2": True, "3": "text", "4": {"a": [1]}}


def test_one_name_twice_needs_the_list_form_of_inputs() -> None:
    table = TABLES["inputs"]
    edits = {"added_rows": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}
    assert table.value(table.edited([], edits)) == [{"key": "a", "value": 1}, {"key": "a", "value": 2}]


def test_metadata_rows_with_one_number_make_one_object_and_no_row_is_lost() -> None:
    table = TABLES["metadata"]
    items = table.items([{"plan": "pro", "seats": 3}, {"plan": "free"}])
    edits = {
        "added_rows": [
            {"object": 2, "key": "seats", "value": "1"},
            {"object": 1, "key": "plan", "value": "x"},
            {"key": "new", "value": "y"},
        ]
    }
    assert table.value(table.edited(items, edits)) == [
        {"plan": "pro", "seats": 3},
        {"plan": "free", "seats": 1},
        {"plan": "x"},
        {"new": "y"},
    ]


def test_shares_are_the_normalised_weights() -> None:
    assert shares([0.4, 0.8]) == [pytest.approx(100 / 3), pytest.approx(200 / 3)]
    assert shares([0.7, 0.2])[0] == pytest.approx(77.8, abs=0.1)


def test_a_weight_that_is_not_sent_counts_as_its_default() -> None:
    assert shares([None, 0.5]) == [50, 50]


@pytest.mark.parametrize("weight", [0, -1, float("nan"), float("inf"), "heavy", True])
def test_a_weight_that_is_no_positive_number_has_no_share(weight: Any) -> None:
    assert shares([weight, 1]) == [None, 100]
