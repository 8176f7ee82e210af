"""Chips say exactly what two requests send differently."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.comparison.settings import differences

BASE: dict[str, Any] = {"model": "a", "prompt": "p", "temperature": 0.2, "retry": {"count": 2, "on_codes": [429]}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=1), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(st.text("abc", min_size=1, max_size=1), JSON, max_size=3)


@pytest.mark.parametrize(
    ("change", "chips"),
    [
        ({}, []),
        ({"temperature": 0.9}, ["temperature 0.2 → 0.9"]),
        ({"model": "b"}, ["model a → b"]),
        ({"temperature": None}, ["temperature 0.2 → null"]),
        ({"seed": 7}, ["seed not sent → 7"]),
        ({"retry": {"count": 2.0, "on_codes": [429.0]}}, []),
        ({"retry": {"count": 3, "on_codes": [429, 503]}}, ["retry.count 2 → 3", "retry.on_codes [429] → [429, 503]"]),
        ({"stream": True, "echo": 1}, ["stream not sent → true", "echo not sent → 1"]),
        ({"orq": {"thread": {"id": "t"}}}, ["orq.thread.id not sent → t"]),
        ({"retry": {}}, ["retry.count sent → not sent", "retry.on_codes sent → not sent"]),
        ({"cache": {}}, ["cache not sent → {}"]),
        ({"prompt": "line\none " + "x" * 90}, ["prompt p → line one " + "x" * 30 + "…"]),
    ],
)
def test_each_difference_is_a_chip(change, chips):
    assert [difference.text for difference in differences(BASE, BASE | change)] == chips


def test_field_that_is_left_out_is_said_to_be_not_sent():
    left = {name: value for name, value in BASE.items() if name not in ("temperature", "retry")}
    assert [d.text for d in differences(BASE, left)] == [
        "temperature sent → not sent",
        "retry.count sent → not sent",
        "retry.on_codes sent → not sent",
    ]


def test_true_is_not_one():
    assert differences({"echo": True}, {"echo": 1})


@given(BODIES)
def test_request_does_not_differ_from_itself(body):
    assert differences(body, body) == ()


@given(BODIES, BODIES)
def test_both_ways_name_the_same_fields(one, other):
    assert {d.path for d in differences(one, other)} == {d.path for d in differences(other, one)}
