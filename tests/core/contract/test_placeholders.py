"""Placeholders in prompts and the inputs that fill them."""

from __future__ import annotations

from typing import Any

import pytest

from core.contract.placeholders import input_names, input_values, placeholders


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
