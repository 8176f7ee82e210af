"""JSON values as editable text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.form.text_forms import escape, json_text, literal, literal_list, parse_json, parse_literal, parse_literal_list, unescape

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6)
ANY_TEXT = st.text(st.characters(codec=None))  # lone surrogates too


@settings(deadline=None, max_examples=60)
@given(VALUES)
def test_a_literal_reads_back_as_the_same_value_of_the_same_type(value: Any) -> None:
    read = parse_literal(literal(value))
    assert read == value
    assert type(read) is type(value)


@settings(deadline=None, max_examples=60)
@given(st.lists(VALUES, max_size=4))
def test_a_list_on_one_line_reads_back(values: list[Any]) -> None:
    assert parse_literal_list(literal_list(values)) == values


@settings(deadline=None, max_examples=60)
@given(ANY_TEXT)
def test_an_escaped_stop_reads_back_and_shows_all_of_itself(text: str) -> None:
    shown = escape(text)
    assert unescape(shown) == text
    assert shown == shown.strip()
    assert "\n" not in shown


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3))
def test_json_text_can_always_leave_and_reads_back(value: dict[str, str]) -> None:
    text = json_text(value)
    text.encode()
    assert parse_json(text) == value


@pytest.mark.parametrize(
    ("typed", "value"),
    [("5", 5), ("5.0", 5.0), ("true", True), ('"5"', "5"), ("null", None), (" de ", "de"), ("", ""), ("a, b", "a, b"), ("1e999", "1e999")],
)
def test_what_is_json_is_a_value_and_the_rest_is_text(typed: str, value: Any) -> None:
    assert parse_literal(typed) == value


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("de, en", ["de", "en"]),
        ("1, true, x", [1, True, "x"]),
        ('["a", 1]', ["a", 1]),
        ('"a, b", c', ["a, b", "c"]),
        ("", []),
        ("[]", []),
        ("a,", ["a", ""]),
        ("[oops, 2", ["[oops", 2]),
    ],
)
def test_a_list_is_json_or_items_between_commas(typed: str, values: list[Any]) -> None:
    assert parse_literal_list(typed) == values


@pytest.mark.parametrize(
    ("stop", "shown"), [("\n\n", "\\n\\n"), (" END", "␣END"), ("a  b", "a ␣b"), ("\\n", "\\\\n"), ("\u200b", "\\u200b")]
)
def test_what_cannot_be_seen_is_spelt_out(stop: str, shown: str) -> None:
    assert escape(stop) == shown


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": }', "This is not JSON at line 1, column 7"),
        ('{"a": NaN}', "NaN is not a JSON value"),
        ('{"a": 1, "a": 2}', 'The name "a" stands twice'),
        ("1e999", "too large for a number"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        parse_json(text)
