"""The rules of a request and the sentences that explain them."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import types
from typing import Any

import pytest
from pydantic import ValidationError

from core.contract.request import CompletionRequest, check_request, parse_request
from core.contract.routing import TWINS
from core.errors import InvalidRequest, Problem
from tests.core.contract.bodies import MINIMAL


def problem(**fields: Any) -> Problem:
    """The one problem of a minimal body with these fields."""
    (found,) = check_request({**MINIMAL, **fields})
    return found


SENTENCES: list[tuple[dict[str, Any], str, str]] = [
    ({"temperature": 3}, "temperature", "temperature must be between 0 and 2, got 3"),
    (
        {"top_p": "0.5"},
        "top_p",
        'top_p must be a number between 0 and 1, got the text "0.5"; write it without quotation marks',
    ),
    ({"n": True}, "n", "n must be a whole number of at least 1, got true"),
    ({"max_tokens": 16.5}, "max_tokens", "max_tokens must be a whole number of at least 1, got 16.5"),
    ({"max_tokens": 0}, "max_tokens", "max_tokens must be at least 1, got 0"),
    ({"user": None}, "user", "user cannot be null; leave it out or give text"),
    ({"model": " "}, "model", "model must be a model's name such as openai/gpt-3.5-turbo-instruct, got empty text"),
    ({"prompt": ["a", "b"]}, "prompt", "prompt must be text, got a list"),
    ({"stop": list("abcde")}, "stop", "stop must hold at most 4 stop sequences, got 5"),
    ({"stop": ["a", 3]}, "stop.1", "stop item 2 must be text, got 3"),
    (
        {"fallbacks": {"model": "x"}},
        "fallbacks",
        'fallbacks must be a list of models such as {"model": "openai/gpt-4o"}, got an object; put it into a list',
    ),
    ({"fallback_on_codes": [429, 500, 429.0]}, "fallback_on_codes", "fallback_on_codes must not repeat a value, got 429 twice"),
    ({"fallback_on_codes": [429, 700]}, "fallback_on_codes.1", "fallback_on_codes item 2 must be between 400 and 599, got 700"),
    (
        {"retry": {"on_codes": []}},
        "retry.on_codes",
        "on_codes must be a list of HTTP status codes, at least 1 of them, got an empty list",
    ),
    ({"retry": None}, "retry", "retry cannot be null; leave it out"),
    ({"cache": {"ttl": 5}}, "cache.type", "type is required: exact_match"),
    ({"cache": {"type": "fuzzy"}}, "cache.type", 'type must be exact_match, got "fuzzy"'),
    ({"timeout": {}}, "timeout.call_timeout", "call_timeout is required: a number of at least 1 ms"),
    ({"thinking": {}}, "thinking.type", "type is required: one of disabled, enabled, adaptive"),
    ({"thinking": {"type": "on"}}, "thinking.type", 'type must be one of disabled, enabled, adaptive, got "on"'),
    ({"thinking": {"type": None}}, "thinking.type", "type cannot be null; thinking as a whole can"),
    (
        {"thinking": {"type": "adaptive", "budget_tokens": 2048}},
        "thinking.budget_tokens",
        "budget_tokens does not go with type adaptive; remove it or choose another type",
    ),
    (
        {"thinking": {"type": "disabled", "thinking_level": "low"}},
        "thinking.thinking_level",
        "thinking_level does not go with type disabled; remove it or choose another type",
    ),
    ({"orq": {"identity": {"id": "i", "email": "ada"}}}, "orq.identity.email", None),
    (
        {"orq": {"knowledge_bases": [{"knowledge_id": "k"}, {"knowledge_id": "k", "top_k": 0}]}},
        "orq.knowledge_bases.1.top_k",
        "top_k must be between 1 and 100, got 0",
    ),
    (
        {"orq": {"inputs": [{"key": "a"}, {"value": 1}]}},
        "orq.inputs.1.key",
        "key is required: the name of a placeholder",
    ),
    ({"tempreture": 1}, "tempreture", "tempreture is not a field of the request; did you mean temperature?"),
    ({"logit_bias": {}}, "logit_bias", "logit_bias is not a field of the request; remove it"),
    ({"retry": {"delay": 1}}, "retry.delay", "delay is not a field of retry; its fields are count, on_codes"),
    ({"prompt": "\ud800"}, "prompt", None),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "path", "message"), SENTENCES, ids=[sentence[1] for sentence in SENTENCES])
def test_a_problem_names_its_place_and_what_would_be_right(fields: dict[str, Any], path: str, message: str | None) -> None:
    found = problem(**fields)
    assert found.path == path
    assert message in (None, found.message)
    assert "Input should" not in found.message


def test_every_problem_is_reported_at_once_in_contract_order() -> None:
    body = {"stream": "yes", "n": 0, "cache": {}, "plugins": [{"id": "pii_redaction"}, {}], "who": 1}
    assert [found.path for found in check_request(body)] == ["model", "prompt", "n", "cache.type", "plugins.1.id", "stream", "who"]


def test_the_error_carries_the_problems_and_nothing_of_pydantic() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request({**MINIMAL, "temperature": 3, "top_p": 2})
    assert [found.path for found in caught.value.problems] == ["temperature", "top_p"]
    assert caught.value.__cause__ is None
    assert "(and 1 more)" in caught.value.cause


class TestThinkingBudget:
    def test_must_be_below_max_tokens(self) -> None:
        thinking = {"type": "enabled", "budget_tokens": 2048}
        assert check_request({**MINIMAL, "max_tokens": 2049, "thinking": thinking}) == ()
        found = problem(max_tokens=2048, thinking=thinking)
        assert found.path == "thinking.budget_tokens"
        assert found.message == "budget_tokens must be below max_tokens, which is 2048; raise max_tokens to at least 2049"

    @pytest.mark.parametrize("fields", [{}, {"max_tokens": None}])
    def test_without_max_tokens_the_servers_default_of_16_is_too_low(self, fields: dict[str, Any]) -> None:
        found = problem(thinking={"type": "enabled", "budget_tokens": 1024}, **fields)
        assert found.path == "thinking.budget_tokens"
        assert "is 16 on the server" in found.message
        assert "raise max_tokens to at least 1025" in found.message

    def test_is_not_blamed_when_max_tokens_itself_is_wrong(self) -> None:
        assert problem(max_tokens="many", thinking={"type": "enabled", "budget_tokens": 1024}).path == "max_tokens"

    def test_is_checked_although_the_model_is_still_missing(self) -> None:
        body = {"prompt": "p", "thinking": {"type": "enabled", "budget_tokens": 1024}}
        assert [found.path for found in check_request(body)] == ["model", "thinking.budget_tokens"]

    def test_is_required_when_enabled(self) -> None:
        assert problem(thinking={"type": "enabled"}).path == "thinking.budget_tokens"


class TestEntityThresholds:
    @pytest.mark.parametrize("entities", [{}, {"entities": []}, {"entities": ["PERSON"]}])
    def test_of_an_entity_that_is_not_named_are_refused(self, entities: dict[str, Any]) -> None:
        plugin = {"id": "pii_redaction", **entities, "entity_thresholds": {"EMAIL_ADDRESS": 0.5}}
        found = problem(plugins=[plugin])
        assert found.path == "plugins.0.entity_thresholds.EMAIL_ADDRESS"
        assert "named in entities" in found.message

    def test_without_an_entitys_name_are_refused_at_the_table(self) -> None:
        plugin = {"id": "pii_redaction", "entities": ["A"], "entity_thresholds": {" ": 0.5, "A": 0.5}}
        found = problem(plugins=[plugin])
        assert (found.path, found.message) == (
            "plugins.0.entity_thresholds",
            "entity_thresholds must name an entity for each threshold, got empty text",
        )

    def test_of_named_entities_are_taken(self) -> None:
        plugin = {"id": "pii_redaction", "entities": ["A", "B"], "entity_thresholds": {"B": 0}}
        assert check_request({**MINIMAL, "plugins": [plugin]}) == ()


@pytest.mark.parametrize("email", ["ada@example.com", "a.b+c@sub.example.org", "ü@exämple.de"])
def test_an_email_address_is_taken(email: str) -> None:
    assert check_request({**MINIMAL, "orq": {"identity": {"id": "i", "email": email}}}) == ()


@pytest.mark.parametrize("email", ["", "ada", "ada@", "@example.com", "a b@example.com", "a@b@c.de", "ada@example", "ada@.com", "ada@x..y"])
def test_what_is_no_email_address_is_refused(email: str) -> None:
    assert "ada@example.com" in problem(orq={"identity": {"id": "i", "email": email}}).message


@pytest.mark.parametrize("name", ["", "retry", "orq", "orq.identity", "orq.thread", "orq.cache", "timeout"])
def test_unknown_fields_are_refused_in_every_block(name: str) -> None:
    block: dict[str, Any] = {"surprise": 1}
    for parent in reversed(name.split(".") if name else []):
        block = {parent: block}
    assert f"{name}.surprise".removeprefix(".") in [found.path for found in check_request({**MINIMAL, **block})]


@pytest.mark.parametrize("twin", TWINS)
def test_a_twin_is_one_definition_used_twice(twin: str) -> None:
    top, nested = CompletionRequest.model_fields[twin], CompletionRequest.model_fields["orq"].annotation
    inner = next(part for part in nested.__args__ if part is not types.NoneType).model_fields[twin]
    assert (top.annotation, top.metadata, top.description) == (inner.annotation, inner.metadata, inner.description)


class TestLimits:
    def test_five_fallbacks_are_taken_and_six_refused(self) -> None:
        models = [{"model": f"m{index}"} for index in range(6)]
        assert check_request({**MINIMAL, "fallbacks": models[:5]}) == ()
        assert "at most 5" in problem(fallbacks=models).message

    def test_twenty_fallback_codes_are_taken_and_twenty_one_refused(self) -> None:
        assert check_request({**MINIMAL, "fallback_on_codes": list(range(400, 420))}) == ()
        assert "at most 20" in problem(fallback_on_codes=list(range(400, 421))).message

    def test_no_fallback_code_at_all_is_legal(self) -> None:
        assert parse_request({**MINIMAL, "fallback_on_codes": []}).to_wire()["fallback_on_codes"] == []

    def test_a_load_balancer_needs_a_model(self) -> None:
        assert problem(load_balancer={"type": "weight_based", "models": []}).path == "load_balancer.models"

    def test_more_than_16_choices_are_within_the_contract(self) -> None:
        assert check_request({**MINIMAL, "n": 64}) == ()

    def test_free_form_values_are_taken_100_levels_deep(self) -> None:
        def nested(levels: int) -> Any:
            value: Any = 1
            for _ in range(levels):
                value = [value]
            return value

        assert check_request({**MINIMAL, "orq": {"inputs": {"a": nested(97)}}}) == ()
        assert "100 levels" in problem(orq={"inputs": {"a": nested(500)}}).message


class TestSecrets:
    SECRET = "sk-" + "S3cr3t" * 200

    def test_a_message_repeats_40_characters_of_a_value_at_most(self) -> None:
        body = {**MINIMAL, "temperature": self.SECRET, "echo": [self.SECRET], "orq": {"inputs": self.SECRET}}
        found = check_request(body)
        assert len(found) == 3
        assert all(self.SECRET[:41] not in problem.message for problem in found)

    def test_an_unknown_name_is_cut_in_path_and_message(self) -> None:
        found = problem(**{self.SECRET: 1})
        assert len(found.path) == 60
        assert len(found.message) < 120

    def test_pydantics_own_text_shows_no_value(self) -> None:
        with pytest.raises(ValidationError) as caught:
            CompletionRequest.model_validate({**MINIMAL, "orq": {"name": 3, "key": "hunter2"}})
        assert "hunter2" not in str(caught.value)


class TestBodiesAsText:
    def test_json_text_and_bytes_are_read(self) -> None:
        text = json.dumps({**MINIMAL, "prompt": "é 🦜"}, ensure_ascii=False)
        assert parse_request(text) == parse_request(text.encode()) == parse_request(json.loads(text))

    @pytest.mark.parametrize(
        ("body", "hint"),
        [
            ("{", "line 1, column 2"),
            (b"\xff{}", "UTF-8"),
            ('{"model": "m", "prompt": "p", "seed": NaN}', "NaN is not a JSON value"),
            ("[" * 100_000, "nested too deeply"),
            ("[]", "must be a JSON object, got a list"),
            ("null", "got null"),
            (f'{{"seed": {"9" * 5000}}}', "must be JSON"),
        ],
        ids=["cut", "not utf-8", "nan", "deep", "list", "null", "digits"],
    )
    def test_what_is_no_json_object_is_explained(self, body: str | bytes, hint: str) -> None:
        with pytest.raises(InvalidRequest) as caught:
            parse_request(body)
        (found,) = caught.value.problems
        assert found.path == ""
        assert hint in found.message

    def test_a_number_too_large_for_a_float_is_refused(self) -> None:
        with pytest.raises(InvalidRequest, match="JSON cannot carry"):
            parse_request('{"model": "m", "prompt": "p", "orq": {"inputs": {"a": 1e999}}}')


@pytest.mark.parametrize("inputs", [{"a": [float("nan")]}, [{"key": "a", "value": {"b": float("inf")}}], {"a": {"b": {1, 2}}}])
def test_an_input_that_json_cannot_carry_is_refused_in_either_form(inputs: Any) -> None:
    found = problem(orq={"inputs": inputs})
    assert found.path.startswith("orq.inputs.")
    assert "JSON" in found.message


class TestImmutability:
    def test_later_edits_of_the_body_do_not_reach_the_request(self) -> None:
        body = {**MINIMAL, "stop": ["a"], "orq": {"inputs": {"a": [1]}, "identity": {"id": "i", "metadata": [{"k": [1]}]}}}
        before = copy.deepcopy(body)
        request = parse_request(body)
        body["stop"].append("b")
        body["orq"]["inputs"]["a"].append(2)
        body["orq"]["identity"]["metadata"][0]["k"].append(2)
        assert request.to_wire() == before

    def test_edits_of_the_wire_form_do_not_reach_the_request(self) -> None:
        request = parse_request({**MINIMAL, "orq": {"inputs": {"a": [1]}}})
        request.to_wire()["orq"]["inputs"]["a"].append(2)
        assert request.to_wire()["orq"]["inputs"]["a"] == [1]

    def test_a_request_cannot_be_assigned_to(self) -> None:
        with pytest.raises(ValidationError):
            parse_request(MINIMAL).temperature = 1  # type: ignore[misc]

    def test_parse_edit_serialise_keeps_the_three_states(self) -> None:
        wire = parse_request({**MINIMAL, "temperature": None, "top_p": 0.5}).to_wire()
        wire["top_p"] = None
        wire["n"] = 2.0
        del wire["temperature"]
        assert parse_request(wire).to_wire() == {**MINIMAL, "top_p": None, "n": 2}


def test_empty_blocks_are_sent_as_they_are() -> None:
    body = {**MINIMAL, "retry": {}, "plugins": [], "orq": {"knowledge_bases": [], "inputs": {}}}
    assert parse_request(body).to_wire() == body


def test_fields_leave_in_contract_order_whatever_order_they_came_in() -> None:
    wire = parse_request({"stream": True, "orq": {"thread": {"tags": [], "id": "t"}, "name": "n"}, "prompt": "p", "model": "m"}).to_wire()
    assert list(wire) == ["model", "prompt", "orq", "stream"]
    assert list(wire["orq"]) == ["name", "thread"]
    assert list(wire["orq"]["thread"]) == ["id", "tags"]


def test_a_mapping_that_is_no_dict_is_read_too() -> None:
    body = types.MappingProxyType({**MINIMAL, "retry": types.MappingProxyType({"count": 2})})
    assert parse_request(body).to_wire() == {**MINIMAL, "retry": {"count": 2}}


def test_the_contract_can_be_imported_without_streamlit() -> None:
    code = "import sys, core.contract.parameters, core.contract.conflicts; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
