"""The request's JSON Schema agrees with the contract: what is taken is valid, and what a single leaf refuses is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from core.contract.json_schema import request_schema
from tests.core.contract.bodies import LEAVES, body_with, legal
from tests.core.contract.test_recorded_bodies import BODIES, REFUSED
from tests.core.contract.test_round_trips import whole_bodies

SCHEMA = Draft202012Validator(request_schema())
each_leaf = pytest.mark.parametrize("leaf", LEAVES, ids=[leaf["path"] for leaf in LEAVES])


def test_schema_is_a_schema():
    Draft202012Validator.check_schema(request_schema())


@each_leaf
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_each_leafs_values_are_valid(leaf: dict[str, Any], data: st.DataObject):
    SCHEMA.validate(body_with(leaf["path"], data.draw(legal(leaf)))[0])


@each_leaf
def test_null_is_valid_only_where_it_is_legal(leaf: dict[str, Any]):
    if leaf["path"] != "thinking.type":  # nullable as a block, says the table's note
        assert SCHEMA.is_valid(body_with(leaf["path"], None)[0]) is leaf["nullable"]


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if "minimum" in leaf], ids=lambda leaf: leaf["path"])
def test_what_is_out_of_bounds_is_not_valid(leaf: dict[str, Any]):
    step = 1 if leaf["type"] == "integer" else 0.0001
    assert not SCHEMA.is_valid(body_with(leaf["path"], leaf["minimum"] - step)[0])
    assert leaf.get("maximum") is None or not SCHEMA.is_valid(body_with(leaf["path"], leaf["maximum"] + step)[0])


@pytest.mark.parametrize("case", BODIES)
def test_recorded_body_is_valid_where_the_contract_takes_it(case: str):
    assert SCHEMA.is_valid(BODIES[case]) is (case not in REFUSED)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(whole_bodies())
def test_whatever_the_contract_takes_is_valid(body: dict[str, Any]):
    SCHEMA.validate(body)


@pytest.mark.parametrize("fields", [{"fallbacks": [{"model": "m"}] * 6}, {"fallbacks": None}, {"retry": None}, {"retry": []}, {"x": 1}])
def test_what_a_block_refuses_is_not_valid(fields: dict[str, Any]):
    assert not SCHEMA.is_valid({"model": "m", "prompt": "p", **fields})


def test_every_field_is_described():
    parts = [request_schema(), *request_schema()["$defs"].values()]
    assert [name for part in parts for name, field in part.get("properties", {}).items() if not field.get("description")] == []
