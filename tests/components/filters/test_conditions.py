"""Filters as rows of conditions, and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.filters.conditions import (
    OPERATOR_LABELS,
    OPERATOR_NAMES,
    SHAPES,
    Condition,
    conditions,
    in_view,
    spell,
    value_text,
    view_of,
    with_operator,
    with_value_text,
)
from core.contract.filters import OPERATORS, parse_filter
from core.draft import MISSING
from core.errors import InvalidRequest

SCALARS = st.text() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=5)
VALUES = {
    "scalar": SCALARS,
    "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    "list": st.lists(SCALARS, max_size=3),
}


@st.composite
def rows(draw: st.DrawFn) -> Condition:
    operator = draw(st.sampled_from(OPERATORS))
    return Condition(draw(NAMES), operator.name, draw(VALUES[operator.takes]))


FILTERS = st.tuples(st.sampled_from(SHAPES), st.lists(rows(), max_size=4)).map(lambda pair: spell(*pair))
JSON = st.recursive(
    st.none() | SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["and", "or", "a", "eq", "in", "gte"]), inner, max_size=2),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60)
@given(FILTERS)
def test_every_filter_of_the_contract_shows_as_rows_and_reads_back(value: dict[str, Any]) -> None:
    found = conditions(value)
    assert found is not None
    assert spell(*found) == value


@settings(deadline=None, max_examples=60)
@given(JSON)
def test_rows_never_alter_what_they_can_show(value: Any) -> None:
    found = conditions(value)
    assert found is None or spell(*found) == value


@settings(deadline=None, max_examples=60)
@given(JSON)
def test_what_the_contract_takes_can_be_shown_as_rows(value: Any) -> None:
    try:
        parse_filter(value)
    except InvalidRequest:
        return
    assert conditions(value) is not None


@settings(deadline=None, max_examples=60)
@given(rows())
def test_a_typed_value_keeps_its_type(row: Condition) -> None:
    again = with_value_text(row, value_text(row))
    assert again == row
    assert type(again.value) is type(row.value)


@settings(deadline=None, max_examples=60)
@given(st.lists(rows(), max_size=4), st.sampled_from(SHAPES), st.sampled_from(SHAPES))
def test_changing_the_shape_keeps_every_condition(found: list[Condition], before: str, after: str) -> None:
    shown = conditions(in_view(in_view(spell(before, found), after), before))  # type: ignore[arg-type]
    assert shown is not None
    assert shown[1] == tuple(found)


def test_the_same_field_twice_becomes_the_and_shape_that_can_hold_it() -> None:
    assert spell("fields", [Condition("a", "gte", 1), Condition("a", "lt", 5)]) == {"and": [{"a": {"gte": 1}}, {"a": {"lt": 5}}]}


def test_a_field_may_be_named_and() -> None:
    assert conditions({"and": {"eq": 1}}) == ("fields", (Condition("and", "eq", 1),))


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"gte": 1, "lt": 5}},
        {"a": {"exists": True}},
        {"a": 5},
        {"and": [{"or": []}]},
        {"and": [{"a": {"eq": 1}, "b": {"eq": 2}}]},
        '{"a": ',
        [],
        None,
    ],
)
def test_what_rows_cannot_show_stays_json_whatever_view_is_chosen(value: Any) -> None:
    assert view_of(value, json_view=False) == "JSON"
    assert in_view(value, "and") == value


def test_not_sent_and_back_brings_the_filter_back() -> None:
    value = {"a": {"eq": 1}}
    assert in_view(value, "–") is MISSING
    assert in_view(MISSING, "or", value) == {"or": [{"a": {"eq": 1}}]}
    assert in_view(MISSING, "JSON", value) == value


def test_choosing_a_shape_first_offers_one_empty_row() -> None:
    assert in_view(MISSING, "and") == {"and": [{"": {"eq": ""}}]}


def test_an_operator_that_takes_a_list_makes_one_of_a_value_and_back() -> None:
    one = with_operator(Condition("a", "eq", 5), "in")
    assert one.value == [5]
    assert with_operator(one, "gt").value == 5
    assert with_operator(Condition("a", "in", [1, 2]), "eq").value == [1, 2]


def test_every_operator_of_the_contract_has_a_sign() -> None:
    assert set(OPERATOR_LABELS) == set(OPERATOR_NAMES) == {operator.name for operator in OPERATORS}
