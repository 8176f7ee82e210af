"""Filters: what is one, what is not and why, and which metadata pass."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract.filters import OPERATORS, Comparison, Filter, matches, parse_filter
from core.contract.request import check_request
from core.errors import InvalidRequest, Problem
from tests.core.contract.bodies import FILTER, JSON_VALUE, SCALAR, TEXT


def problems(value: Any) -> tuple[Problem, ...]:
    with pytest.raises(InvalidRequest) as caught:
        parse_filter(value)
    return caught.value.problems


class TestShapes:
    def test_fields_are_read_in_order(self) -> None:
        parsed = parse_filter({"b": {"gte": 1}, "a": {"in": ["x", 1, True]}})
        assert parsed == Filter("fields", (Comparison("b", "gte", 1), Comparison("a", "in", ("x", 1, True))))

    @pytest.mark.parametrize("shape", ["and", "or"])
    def test_a_list_of_comparisons_is_read(self, shape: str) -> None:
        parsed = parse_filter({shape: [{"a": {"gte": 1}}, {"a": {"lt": 5}}]})
        assert parsed.shape == shape
        assert parsed.comparisons == (Comparison("a", "gte", 1), Comparison("a", "lt", 5))

    @pytest.mark.parametrize("name", ["and", "or"])
    def test_a_field_may_be_named_and_or_or(self, name: str) -> None:
        parsed = parse_filter({name: {"eq": 1}, "other": {"eq": 2}})
        assert parsed.shape == "fields"
        assert parsed.comparisons[0] == Comparison(name, "eq", 1)
        assert matches({name: {"eq": 1}}, {name: 1})
        assert parse_filter({"and": [{name: {"eq": 1}}]}).comparisons == (Comparison(name, "eq", 1),)

    @given(FILTER)
    def test_every_filter_leaves_as_it_came_in(self, value: dict[str, Any]) -> None:
        assert parse_filter(value).to_wire() == value

    def test_the_eight_operators_are_those_of_the_contract(self) -> None:
        assert [spec.name for spec in OPERATORS] == ["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]


SENTENCES: list[tuple[Any, str, str]] = [
    (
        {"a": {"gte": 1, "lt": 5}},
        "a",
        'a takes one operator, got 2; write {"and": [{"a": {"gte": 1}}, {"a": {"lt": 5}}]}',
    ),
    ({"a": "x"}, "a", 'a must be compared by an operator, such as {"a": {"eq": "x"}}'),
    ({"a": {}}, "a", 'a must be compared by an operator, such as {"a": {"eq": "value"}}, got an empty object'),
    ({"a": {"$gte": 1}}, "a", "a takes operators without a $; write gte"),
    ({"a": {"like": "x"}}, "a", 'a must be compared by one of eq, ne, gt, gte, lt, lte, in, nin, got "like"'),
    ({"a": {"gt": "2020"}}, "a.gt", 'gt must be a number, got the text "2020"; write it without quotation marks'),
    ({"a": {"lt": True}}, "a.lt", "lt must be a number, got true"),
    ({"a": {"eq": None}}, "a.eq", "eq cannot be null; leave it out or give text, a number, true or false"),
    ({"a": {"eq": [1]}}, "a.eq", "eq must be text, a number, true or false, got a list"),
    ({"a": {"in": "x"}}, "a.in", 'in must be a list of texts, numbers, true or false, got "x"; put it into a list'),
    ({"a": {"nin": ["x", None]}}, "a.nin.1", "nin item 2 cannot be null; leave it out or give text, a number, true or false"),
    ({"and": [{"a": {"eq": 1}}, {}]}, "and.1", 'and item 2 must name one field, such as {"year": {"gte": 2020}}, got an empty object'),
    (
        {"or": [{"a": {"eq": 1}, "b": {"eq": 2}}]},
        "or.0",
        'or item 1 must name one field, got 2; give each its own item in the "or" list',
    ),
    ({"and": [{"or": [{"a": {"eq": 1}}]}]}, "and.0.or", "or cannot be nested: a filter holds one list of comparisons; flatten it"),
    ({"and": ["a"]}, "and.0", 'and item 1 must be an object such as {"year": {"gte": 2020}}, got "a"'),
    ({"and": [], "b": {"eq": 1}}, "", 'the filter must hold nothing beside its "and" list, got "b" too; put each test into the list'),
    ({"and": [], "or": []}, "", 'the filter must hold nothing beside its "and" list, got "or" too; put each test into the list'),
    ([], "", 'the filter must be an object such as {"year": {"gte": 2020}}, got a list'),
    (None, "", 'the filter must be an object such as {"year": {"gte": 2020}}, got null'),
]


@pytest.mark.parametrize(("value", "path", "message"), SENTENCES, ids=[str(sentence[0])[:40] for sentence in SENTENCES])
def test_what_is_no_filter_is_explained(value: Any, path: str, message: str) -> None:
    assert problems(value) == (Problem(path, message),)


def test_every_fault_of_a_filter_is_reported() -> None:
    value = {"and": [{"a": "x"}, {"b": {"eq": 1}}, {"c": {"gt": "x"}}, 3]}
    assert [problem.path for problem in problems(value)] == ["and.0.a", "and.2.c.gt", "and.3"]


def test_the_and_form_that_a_message_shows_is_itself_a_filter() -> None:
    message = problems({"year": {"gte": 2020, "lt": 2024}})[0].message
    shown = parse_filter(json.loads(message.partition("write ")[2]))
    assert matches(shown, {"year": 2022})
    assert not matches(shown, {"year": 2024})


def test_inside_a_request_the_path_leads_through_the_knowledge_base() -> None:
    base = {"knowledge_id": "k", "filter_by": {"or": [{"a": {"gt": "x"}}]}}
    (problem,) = check_request({"model": "m", "prompt": "p", "orq": {"knowledge_bases": [base]}})
    assert problem.path == "orq.knowledge_bases.0.filter_by.or.0.a.gt"


def test_long_values_are_cut_in_the_form_that_is_shown() -> None:
    (problem,) = problems({"a": {"eq": "x" * 10_000, "ne": "y"}})
    assert len(problem.message) < 250


class TestExists:
    def test_is_refused_by_the_contract(self) -> None:
        assert "dropped in 2026-08" in problems({"a": {"exists": True}})[0].message

    def test_is_taken_when_asked_for(self) -> None:
        parsed = parse_filter({"a": {"exists": True}}, lenient=True)
        assert parsed.to_wire() == {"a": {"exists": True}}
        with pytest.raises(InvalidRequest):
            parse_filter({"a": {"exists": 1}}, lenient=True)

    def test_holds_for_what_is_there_and_not_null(self) -> None:
        assert matches({"a": {"exists": True}}, {"a": 0})
        assert matches({"a": {"exists": False}}, {"b": 0})
        assert matches({"a": {"exists": False}}, {"a": None})
        assert not matches({"a": {"exists": True}}, {"a": None})


# operator, value in the filter, value in the metadata, whether it passes
COMPARISONS = [
    ("eq", 3, 3.0, True),
    ("eq", 3.0, 3, True),
    ("eq", 1, True, False),
    ("eq", True, 1, False),
    ("eq", False, 0, False),
    ("eq", True, True, True),
    ("eq", "1", 1, False),
    ("eq", "a", "A", False),
    ("eq", "a", "a", True),
    ("eq", "a", ["a"], False),
    ("eq", "a", {"a": 1}, False),
    ("ne", 3, 3.0, False),
    ("ne", 1, True, True),
    ("ne", "a", ["a"], True),
    ("ne", "a", None, True),
    ("gt", 1, 1, False),
    ("gt", 1, 1.5, True),
    ("gte", 1, 1.0, True),
    ("gte", 1, True, False),
    ("lt", 1, 0, True),
    ("lt", 1, 1, False),
    ("lt", 1, "0", False),
    ("lt", 1, None, False),
    ("lte", 1, 1, True),
    ("lte", 1, float("nan"), False),
    ("in", ["a", 1], "a", True),
    ("in", ["a", 1], 1.0, True),
    ("in", ["a", 1], True, False),
    ("in", [], "a", False),
    ("in", ["a"], ["a"], False),
    ("nin", ["a", 1], True, True),
    ("nin", ["a", 1], 1, False),
    ("nin", [], "a", True),
    ("nin", ["a"], None, True),
]


@pytest.mark.parametrize(("operator", "value", "found", "passes"), COMPARISONS)
def test_a_comparison_holds_by_type_and_value(operator: str, value: Any, found: Any, passes: bool) -> None:
    assert matches({"a": {operator: value}}, {"a": found}) is passes


@pytest.mark.parametrize(
    ("operator", "value", "passes"),
    [
        ("eq", 1, False),
        ("ne", 1, True),
        ("gt", 1, False),
        ("gte", 1, False),
        ("lt", 1, False),
        ("lte", 1, False),
        ("in", [1], False),
        ("nin", [1], True),
    ],
)
def test_a_missing_field_fails_all_but_the_negations(operator: str, value: Any, passes: bool) -> None:
    assert matches({"a": {operator: value}}, {}) is passes
    assert matches({"a": {operator: value}}, {"a": None}) is passes


@given(value=SCALAR, metadata=st.dictionaries(st.just("a"), JSON_VALUE))
def test_a_negation_is_the_exact_opposite(value: Any, metadata: dict[str, Any]) -> None:
    assert matches({"a": {"eq": value}}, metadata) is not matches({"a": {"ne": value}}, metadata)
    assert matches({"a": {"in": [value]}}, metadata) is not matches({"a": {"nin": [value]}}, metadata)
    assert matches({"a": {"eq": value}}, metadata) is matches({"a": {"in": [value]}}, metadata)


@given(FILTER, st.dictionaries(TEXT, JSON_VALUE))
def test_any_filter_gives_a_verdict_on_any_metadata(value: dict[str, Any], metadata: dict[str, Any]) -> None:
    assert matches(value, metadata) is matches(parse_filter(value), metadata)


class TestJoining:
    def test_fields_and_and_want_all(self) -> None:
        for value in ({"a": {"eq": 1}, "b": {"eq": 2}}, {"and": [{"a": {"eq": 1}}, {"b": {"eq": 2}}]}):
            assert matches(value, {"a": 1, "b": 2})
            assert not matches(value, {"a": 1, "b": 3})

    def test_or_wants_one(self) -> None:
        value = {"or": [{"a": {"eq": 1}}, {"b": {"eq": 2}}]}
        assert matches(value, {"b": 2})
        assert not matches(value, {"a": 2, "b": 1})

    def test_nothing_to_test_matches_everything_save_for_or(self) -> None:
        assert matches({}, {"a": 1})
        assert matches({"and": []}, {})
        assert not matches({"or": []}, {"a": 1})

    def test_a_dot_is_part_of_a_fields_name(self) -> None:
        assert matches({"a.b": {"eq": 1}}, {"a.b": 1})
        assert not matches({"a.b": {"eq": 1}}, {"a": {"b": 1}})
