"""Paths into a half-edited body."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.draft import MISSING, drop_path, get_path, set_path

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
PATHS = st.lists(st.sampled_from(["a", "b", "orq", "0", "1", "x"]), min_size=1, max_size=4).map(".".join)


def test_absent_null_and_value_are_told_apart() -> None:
    body = {"n": None, "seed": 0}
    assert get_path(body, "n") is None
    assert get_path(body, "seed") == 0
    assert get_path(body, "stop") is MISSING
    assert not MISSING


@given(body=st.dictionaries(st.sampled_from(["a", "b", "orq"]), JSON), path=PATHS)
def test_reading_never_raises(body: dict[str, Any], path: str) -> None:
    get_path(body, path)


@given(
    body=st.dictionaries(st.sampled_from(["a", "b", "orq"]), JSON),
    names=st.lists(st.sampled_from(["a", "b", "orq"]), min_size=1, max_size=3),
    value=JSON,
)
def test_what_is_set_is_read_back(body: dict[str, Any], names: list[str], value: Any) -> None:
    path = ".".join(names)
    try:
        set_path(body, path, value)
    except IndexError:
        return  # a list stood in the way, and a name is no index
    assert get_path(body, path) == value


def test_setting_makes_the_objects_on_the_way() -> None:
    body: dict[str, Any] = {}
    set_path(body, "orq.retry.count", 2)
    assert body == {"orq": {"retry": {"count": 2}}}


def test_setting_replaces_what_cannot_hold_the_path() -> None:
    body: dict[str, Any] = {"retry": "often"}
    set_path(body, "retry.count", 2)
    assert body == {"retry": {"count": 2}}


def test_an_index_one_past_the_end_appends() -> None:
    body: dict[str, Any] = {"items": [1]}
    set_path(body, "items.1", 2)
    assert body == {"items": [1, 2]}
    with pytest.raises(IndexError):
        set_path(body, "items.5", 2)


def test_dropping_the_last_field_keeps_the_block_that_is_switched_on() -> None:
    body: dict[str, Any] = {"retry": {"count": 1}}
    drop_path(body, "retry.count")
    assert body == {"retry": {}}


def test_dropping_the_last_field_of_orq_drops_orq() -> None:
    body: dict[str, Any] = {"orq": {"name": "x"}}
    drop_path(body, "orq.name")
    assert body == {}


def test_dropping_inside_orq_keeps_its_other_fields() -> None:
    body: dict[str, Any] = {"orq": {"retry": {"count": 1}}}
    drop_path(body, "orq.retry.count")
    assert body == {"orq": {"retry": {}}}


def test_dropping_an_item_moves_the_others_up() -> None:
    body: dict[str, Any] = {"orq": {"knowledge_bases": [{"knowledge_id": "a"}, {"knowledge_id": "b"}]}}
    drop_path(body, "orq.knowledge_bases.0")
    assert body == {"orq": {"knowledge_bases": [{"knowledge_id": "b"}]}}


@given(body=st.dictionaries(st.sampled_from(["a", "b", "orq"]), JSON), path=PATHS)
def test_dropping_what_is_not_there_raises_nothing(body: dict[str, Any], path: str) -> None:
    drop_path(body, path)
