"""Placeholders in prompts and the inputs that fill them."""

from __future__ import annotations

from typing import Any

import pytest

from core.contract.placeholders import input_names, input_values, is_inputs, placeholders, unfilled, with_input, without_input


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("Hi {{name}}, {{Name}} and {{name}}", ("name", "Name")),
        ("{{a_1}}{{größe}}", ("a_1", "größe")),
        ("{{ a }} {a} {{a b}} {{}} {{a-b}} {{a}", ()),
        ("{{{a}}}", ("a",)),
    ],
)
def test_names_are_letters_digits_and_underscores_in_double_braces(prompt: str, names: tuple[str, ...]) -> None:
    assert placeholders(prompt) == names


@pytest.mark.parametrize(
    ("inputs", "values", "names"),
    [
        ({"a": 1, "b": None, "c": ""}, {"a": 1, "c": ""}, ("a", "b", "c")),
        ([{"key": "a", "value": 1}, {"key": "b"}, {"key": "a", "value": 2, "is_pii": True}], {"a": 2}, ("a", "b")),
        (None, {}, ()),
        ("text", {}, ()),
        ([3, {"key": 4, "value": 1}, {}], {}, ()),
    ],
)
def test_both_forms_of_inputs_give_names_and_values(inputs: Any, values: dict[str, Any], names: tuple[str, ...]) -> None:
    assert input_values(inputs) == values
    assert input_names(inputs) == names


@pytest.mark.parametrize(
    ("inputs", "value", "after"),
    [
        (None, "x", {"a": "x"}),
        ({"b": 1}, "x", {"b": 1, "a": "x"}),
        ({"a": 1, "b": 2}, "x", {"a": "x", "b": 2}),
        ([{"key": "a", "value": 1, "is_pii": True}], "x", [{"key": "a", "value": "x", "is_pii": True}]),
        ([{"key": "a"}, {"key": "a", "value": 1}], "x", [{"key": "a"}, {"key": "a", "value": "x"}]),
        ([{"key": "b"}], "x", [{"key": "b"}, {"key": "a", "value": "x"}]),
    ],
)
def test_one_value_is_set_and_the_form_stays(inputs, value, after):
    assert with_input(inputs, "a", value) == after


def test_new_personal_value_makes_a_list():
    assert with_input(None, "a", "x", personal=True) == [{"key": "a", "value": "x", "is_pii": True}]


@pytest.mark.parametrize(
    ("inputs", "after"),
    [({"a": 1}, None), ({"a": 1, "b": 2}, {"b": 2}), ([{"key": "a"}, {"key": "a"}], None), ([{"key": "a"}, {"key": "b"}], [{"key": "b"}])],
)
def test_one_value_is_taken_away(inputs, after):
    assert without_input(inputs, "a") == after


def test_names_without_a_value_are_told_in_their_order():
    assert unfilled("{{b}} {{a}} {{c}} {{b}}", {"a": "", "b": None}) == ("b", "c")


@pytest.mark.parametrize(("inputs", "editable"), [({}, True), ([], True), ([{}], True), ([1], False), ("x", False), (None, False)])
def test_half_edited_inputs_are_told_from_the_two_forms(inputs, editable):
    assert is_inputs(inputs) is editable
