"""Each leaf of the contract's table in its three states, and whole bodies, through parse and serialise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.contract.request import CompletionRequest, check_request, parse_request
from core.errors import InvalidRequest
from tests.core.contract.bodies import FILLED, LEAVES, MINIMAL, TEXT, at, body_with, legal

each_leaf = pytest.mark.parametrize("leaf", LEAVES, ids=[leaf["path"] for leaf in LEAVES])


@each_leaf
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_value_goes_out_as_it_came_in(leaf: dict[str, Any], data: st.DataObject) -> None:
    body, _ = body_with(leaf["path"], data.draw(legal(leaf)))
    wire = parse_request(body).to_wire()
    assert wire == body
    assert json.loads(json.dumps(wire)) == wire
    assert parse_request(wire) == parse_request(body)


@each_leaf
def test_null_is_kept_where_legal_and_refused_elsewhere(leaf: dict[str, Any]) -> None:
    if leaf["path"] == "thinking.type":
        body, place = {**MINIMAL, "thinking": None}, "thinking"  # the table's note: null for thinking as a whole
    else:
        body, place = body_with(leaf["path"], None)
    if leaf["nullable"]:
        assert at(parse_request(body).to_wire(), place) is None
    else:
        (problem,) = check_request(body)
        assert problem.path == place
        assert "cannot be null" in problem.message


@each_leaf
def test_a_leaf_that_is_not_set_is_not_sent(leaf: dict[str, Any]) -> None:
    if leaf["path"] not in MINIMAL:
        assert leaf["path"].partition(".")[0].removesuffix("[]") not in parse_request(MINIMAL).to_wire()
    else:
        rest = {name: value for name, value in MINIMAL.items() if name != leaf["path"]}
        assert [problem.path for problem in check_request(rest)] == [leaf["path"]]


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if "minimum" in leaf], ids=lambda leaf: leaf["path"])
def test_bounds_belong_to_the_range_and_what_lies_beyond_is_refused(leaf: dict[str, Any]) -> None:
    step = 1 if leaf["type"] == "integer" else 0.0001
    for bound, beyond in ((leaf["minimum"], -step), (leaf.get("maximum"), step)):
        if bound is None:
            continue
        body, place = body_with(leaf["path"], bound)
        assert check_request(body) == ()
        body, place = body_with(leaf["path"], bound + beyond)
        (problem,) = check_request(body)
        assert problem.path == place
        assert str(bound) in problem.message


_WRONG: dict[str, list[Any]] = {
    "string": [3, True, ["x"], {"x": "y"}],
    "boolean": [0, 1, "true", [True]],
    "integer": [True, "16", 16.5, [16], float("nan"), float("inf")],
    "number": [True, "0.5", [1], {}, float("nan"), float("-inf")],
    "object": ["x", 3, ["x"]],
    "filter": ["x", 3, [], {"field": "bare"}],
    "string|list[string]": [3, True, {"stop": "x"}, [3], ["a", None]],
    "object|list[{key,value,is_pii}]": ["x", 3, [3], [{"value": "no key"}], [{"key": "k", "is_pii": "yes"}]],
}


@each_leaf
def test_values_of_another_kind_are_refused_at_their_place(leaf: dict[str, Any]) -> None:
    for value in _WRONG[leaf["type"]]:
        body, place = body_with(leaf["path"], value) if leaf["path"] != "thinking.type" else _typed(value)
        problems = check_request(body)
        assert problems, value
        assert all(problem.path.startswith(place) for problem in problems), problems


def _typed(value: Any) -> tuple[dict[str, Any], str]:
    return {**MINIMAL, "thinking": {"type": value}}, "thinking.type"


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if leaf["type"] == "integer"], ids=lambda leaf: leaf["path"])
def test_a_whole_number_written_as_a_float_is_sent_as_an_integer(leaf: dict[str, Any]) -> None:
    value = float(leaf.get("minimum", 7))
    body, place = body_with(leaf["path"], value)
    sent = at(parse_request(body).to_wire(), place)
    assert (sent, type(sent)) == (int(value), int)


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if leaf["type"] == "number"], ids=lambda leaf: leaf["path"])
def test_a_number_keeps_the_form_it_was_written_in(leaf: dict[str, Any]) -> None:
    value = leaf.get("maximum", 2000)
    for written in (int(value), float(value)):
        body, place = body_with(leaf["path"], written)
        assert type(at(parse_request(body).to_wire(), place)) is type(written)


def whole_bodies() -> st.SearchStrategy[dict[str, Any]]:
    by_path = {leaf["path"]: legal(leaf) for leaf in LEAVES}

    def block(prefix: str, required: tuple[str, ...] = (), **special: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        fields = dict(special)
        for path, strategy in by_path.items():
            name = path.removeprefix(prefix)
            if path.startswith(prefix) and "." not in name and "[]." not in name:
                plain = name.removesuffix("[]")
                unique = name.startswith("fallback_on_codes")
                fields.setdefault(plain, st.lists(strategy, min_size=1, max_size=3, unique=unique) if name.endswith("[]") else strategy)
        return st.fixed_dictionaries(
            {name: fields[name] for name in required}, optional={name: value for name, value in fields.items() if name not in required}
        )

    routed = {
        "fallbacks": st.lists(block("fallbacks[].", ("model",)), max_size=5),
        "retry": block("retry."),
        "cache": block("cache.", ("type",)),
        "load_balancer": block(
            "load_balancer.", ("type", "models"), models=st.lists(block("load_balancer.models[].", ("model",)), min_size=1, max_size=3)
        ),
        "timeout": block("timeout.", ("call_timeout",)),
    }
    knowledge = "orq.knowledge_bases[]."
    bases = block(
        knowledge,
        ("knowledge_id",),
        search_options=block(f"{knowledge}search_options."),
        rerank_config=block(f"{knowledge}rerank_config.", ("model",)),
        agentic_rag_config=block(f"{knowledge}agentic_rag_config.", ("model",)),
        top_k=st.none() | by_path[f"{knowledge}top_k"],
    )
    orq = block(
        "orq.",
        **routed,
        prompt=block("orq.prompt.", ("id", "version")),
        identity=block("orq.identity.", ("id",)),
        contact=block("orq.contact.", ("id",)),
        thread=block("orq.thread.", ("id",)),
        knowledge_bases=st.lists(bases, max_size=2),
    )
    nulls = {leaf["path"]: st.none() | by_path[leaf["path"]] for leaf in LEAVES if leaf["nullable"] and "." not in leaf["path"]}
    thinking = st.none() | st.sampled_from([{"type": "adaptive"}, {"type": "disabled"}])
    return block("", ("model", "prompt"), **{**nulls, **routed}, model=FILLED, prompt=TEXT, orq=orq, thinking=thinking, plugins=st.just([]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(whole_bodies())
def test_parsing_what_was_serialised_gives_the_same_request(body: dict[str, Any]) -> None:
    request = parse_request(body)
    wire = request.to_wire()
    assert wire == body
    assert parse_request(wire) == request
    assert parse_request(json.dumps(body)).to_wire() == wire
    assert parse_request(wire).to_wire() == wire


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*CompletionRequest.model_fields, "unknown"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["type", "models", "id", "count", "on_codes", "knowledge_bases", "filter_by", "inputs", "and", "eq"])
                    | st.text(max_size=3),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=12,
        ),
    )
)
def test_any_half_edited_body_is_either_taken_or_explained(body: dict[str, Any]) -> None:
    problems = check_request(body)
    if problems:
        assert all(problem.message and "\n" not in problem.message for problem in problems)
        with pytest.raises(InvalidRequest):
            parse_request(body)
    else:
        assert parse_request(body).to_wire() == body


def test_an_unknown_name_with_a_line_break_stays_on_one_line() -> None:
    assert [problem.message for problem in check_request({"model": "m", "prompt": "p", "retry": {"\n": None}})] == [
        '"\\n" is not a field of retry; its fields are count, on_codes'
    ]
