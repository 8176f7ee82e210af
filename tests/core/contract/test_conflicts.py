"""Conflicts and remarks: present where they are true, absent where they are not, silent on half-edited bodies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract.conflicts import conflicts, notes
from core.contract.request import CompletionRequest, check_request, parse_request
from core.contract.routing import TWINS
from tests.core.contract.bodies import JSON_VALUE, MINIMAL

VALUES: dict[str, Any] = {
    "name": "trace",
    "fallbacks": [{"model": "m"}],
    "fallback_on_codes": [429],
    "retry": {"count": 2},
    "cache": {"type": "exact_match"},
    "load_balancer": {"type": "weight_based", "models": [{"model": "m"}]},
    "timeout": {"call_timeout": 1000},
}


class TestConflicts:
    @pytest.mark.parametrize("name", TWINS)
    def test_the_top_level_field_wins_over_its_twin(self, name: str) -> None:
        body = {**MINIMAL, name: VALUES[name], "orq": {name: VALUES[name]}}
        assert check_request(body) == ()
        (found,) = conflicts(body)
        assert (found.path, found.twin, found.wins) == (name, f"orq.{name}", name)
        assert found.message == f"{name} and orq.{name} are both set; {name} wins and orq.{name} is ignored"

    @pytest.mark.parametrize("name", TWINS)
    def test_one_place_alone_is_no_conflict(self, name: str) -> None:
        assert conflicts({**MINIMAL, name: VALUES[name]}) == ()
        assert conflicts({**MINIMAL, "orq": {name: VALUES[name]}}) == ()

    def test_identity_wins_over_contact(self) -> None:
        (found,) = conflicts({**MINIMAL, "orq": {"identity": {"id": "i"}, "contact": {"id": "c"}}})
        assert (found.path, found.twin, found.wins) == ("orq.identity", "orq.contact", "orq.identity")

    def test_an_empty_block_counts_as_set(self) -> None:
        assert [found.path for found in conflicts({**MINIMAL, "retry": {}, "orq": {"retry": {"count": 2}}})] == ["retry"]

    def test_fields_that_share_only_a_name_are_no_twins(self) -> None:
        assert conflicts({**MINIMAL, "orq": {"prompt": {"id": "p", "version": "latest"}}}) == ()

    def test_a_parsed_request_has_the_conflicts_of_its_body(self) -> None:
        body = {**MINIMAL, **VALUES, "orq": {**VALUES, "identity": {"id": "i"}, "contact": {"id": "c"}}}
        assert conflicts(parse_request(body)) == conflicts(body)
        assert [found.path for found in conflicts(body)] == [*TWINS, "orq.identity"]


def remarks(path: str, **fields: Any) -> list[str]:
    """What is said about ``path`` of a minimal body with these fields."""
    return [note.message for note in notes({**MINIMAL, "max_tokens": 64, **fields}) if note.path == path]


BALANCER = {"type": "weight_based", "models": [{"model": "a", "weight": 0.4}, {"model": "b", "weight": 0.8}]}
EVEN = {"type": "weight_based", "models": [{"model": "a"}, {"model": "b", "weight": 0.5}]}
STORED = {"id": "p", "version": "latest"}


def base(**fields: Any) -> dict[str, Any]:
    return {"knowledge_bases": [{"knowledge_id": "k", **fields}]}


# The path a remark belongs to, fields that earn it, words of it, and fields near by that do not.
REMARKS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("max_tokens", {"max_tokens": None}, "null: the server's default is 16 tokens", {"max_tokens": 16}),
    ("model", {"load_balancer": BALANCER}, "load_balancer draws it", {"fallbacks": [{"model": "a"}]}),
    ("model", {"orq": {"load_balancer": BALANCER}}, "orq.load_balancer draws it", {"orq": {}}),
    ("load_balancer.models", {"load_balancer": BALANCER}, "1.2; the models are drawn by their shares: 33 %, 67 %", {"load_balancer": EVEN}),
    ("prompt", {"prompt": "Once "}, "ends with a space", {"prompt": "Once\n"}),
    ("prompt", {"orq": {"prompt": STORED}}, "the stored prompt of orq.prompt replaces it", {"orq": {"prompt": {}}}),
    (
        "prompt",
        {"prompt": "Hi {{name}}"},
        "{{name}} has no value in orq.inputs",
        {"prompt": "Hi {{name}}", "orq": {"inputs": {"name": "Ada"}}},
    ),
    ("prompt", {"prompt": "{{a}}", "orq": {"inputs": {"a": None}}}, "{{a}} has no value", {"prompt": "{{a}}", "orq": {"inputs": {"a": 0}}}),
    (
        "prompt",
        {"prompt": "{{a}}", "orq": {"inputs": [{"key": "a"}]}},
        "{{a}} has no value",
        {"prompt": "{{a}}", "orq": {"inputs": [{"key": "a", "value": ""}]}},
    ),
    ("prompt", {"prompt": "{{a}}", "orq": {"inputs": {"A": 1}}}, "{{a}} has no value", {"prompt": "{{ a }} {a}"}),
    ("orq.inputs", {"orq": {"inputs": {"a": 1}}}, "the prompt has no {{a}}", {"prompt": "{{a}}", "orq": {"inputs": {"a": 1}}}),
    ("orq.inputs", {"orq": {"inputs": [{"key": "a"}]}}, "the prompt has no {{a}}", {"orq": {"inputs": {"a": 1}, "prompt": STORED}}),
    ("stop", {"stop": ["", "x"]}, "empty stop sequence", {"stop": [" "]}),
    ("top_p", {"temperature": 1, "top_p": 1}, "both set", {"temperature": None, "top_p": 1}),
    ("n", {"n": 3, "temperature": 0}, "3 choices that are the same", {"n": 3, "temperature": 0.1}),
    ("fallback_on_codes", {"fallback_on_codes": [500]}, "without fallbacks", {"fallback_on_codes": [500], "fallbacks": [{"model": "m"}]}),
    (
        "fallback_on_codes",
        {"fallback_on_codes": [500], "fallbacks": []},
        "without fallbacks",
        {"fallback_on_codes": [500], "orq": {"fallbacks": [{"model": "m"}]}},
    ),
    ("cache", {"cache": {"type": "exact_match"}}, "repeats the answer for 3600 seconds", {}),
    ("cache", {"cache": {"type": "exact_match", "ttl": 60}, "n": 2}, "repeats all 2 choices for 60 seconds", {"n": 2}),
    (
        "thinking.thinking_level",
        {"max_tokens": 2048, "thinking": {"type": "enabled", "budget_tokens": 1024, "thinking_level": "low"}},
        "of providers only Gemini 3",
        {"max_tokens": 2048, "thinking": {"type": "enabled", "budget_tokens": 1024}},
    ),
    (
        "plugins.0.regions",
        {"plugins": [{"id": "pii_redaction", "regions": ["all", "nl"]}]},
        "all stands for every region",
        {"plugins": [{"id": "pii_redaction", "regions": ["all"]}]},
    ),
    ("orq.knowledge_bases.0.filter_by", {"orq": base(filter_by={"or": []})}, "matches nothing", {"orq": base(filter_by={"a": {"eq": 1}})}),
    ("orq.knowledge_bases.0.filter_by", {"orq": base(filter_by={})}, "matches every chunk", {"orq": base()}),
    (
        "orq.knowledge_bases.0.rerank_config.top_k",
        {"orq": base(top_k=5, rerank_config={"model": "m", "top_k": 10})},
        "cannot keep 10 chunks when the search gives 5",
        {"orq": base(top_k=10, rerank_config={"model": "m", "top_k": 5})},
    ),
]


@pytest.mark.parametrize(("path", "fields", "words", "others"), REMARKS, ids=[f"{row[0]}: {row[2][:30]}" for row in REMARKS])
def test_a_remark_is_made_where_it_is_true_and_only_there(path: str, fields: dict[str, Any], words: str, others: dict[str, Any]) -> None:
    for body in (fields, others):
        problems = check_request({**MINIMAL, "max_tokens": 64, **body})
        assert all("is required" in problem.message for problem in problems), problems  # a half-edited block at most
    assert any(words in message for message in remarks(path, **fields))
    assert remarks(path, **others) == []


def test_max_tokens_that_is_not_set_is_remarked_on() -> None:
    (note,) = notes(MINIMAL)
    assert (note.path, "not set" in note.message) == ("max_tokens", True)


def test_a_plain_request_earns_no_remark() -> None:
    assert notes({**MINIMAL, "max_tokens": 64, "temperature": 0.7, "n": 2, "stop": "END", "stream": True}) == ()


def test_a_parsed_request_has_the_remarks_of_its_body() -> None:
    body = {**MINIMAL, "prompt": "{{a}} ", "n": 2, "temperature": 0, "orq": {"inputs": {"b": 1}}}
    assert notes(parse_request(body)) == notes(body)
    assert len(notes(body)) == 5


_GARBAGE = st.dictionaries(
    st.sampled_from([*CompletionRequest.model_fields, "unknown"]),
    st.recursive(
        JSON_VALUE,
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["models", "regions", "knowledge_bases", "inputs", "prompt", "id", "filter_by", "ttl"]), inner, max_size=3
            )
        ),
        max_leaves=8,
    ),
)


@given(_GARBAGE)
def test_half_edited_bodies_are_looked_at_without_failing(body: dict[str, Any]) -> None:
    assert all(found.message for found in (*conflicts(body), *notes(body)))
