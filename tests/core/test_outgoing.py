import json

import pytest

from core.outgoing import draft_of, most_tokens, outgoing, parse_extra
from tests.core.contract.test_recorded_bodies import BODIES


def draft(extra="", **body):
    return {"body": {"model": "local/pydoc", "prompt": "x", **body}, "extra": extra}


def test_extra_fields_are_added_and_named():
    leaving = outgoing(draft('{"logit_bias": {"5": 1}, "orq": {"future": [1]}}', orq={"name": "n"}))
    assert leaving.body["logit_bias"] == {"5": 1}
    assert leaving.body["orq"] == {"name": "n", "future": [1]}
    assert leaving.extra_paths == ("logit_bias", "orq.future")
    assert leaving.problems == ()


def test_extra_field_with_a_dot_in_its_name_stays_one_field():
    assert outgoing(draft('{"a.b": 1}')).body["a.b"] == 1


@pytest.mark.parametrize(
    "text", ['{"temperature": 1}', '{"retry": {"count": 2}}', '{"orq": {"thread": {"id": "t"}}}', '{"orq": {"inputs": {}}}']
)
def test_a_field_the_form_knows_is_refused_in_the_extra_box(text):
    leaving = outgoing(draft(text))
    assert [problem.path for problem in leaving.problems] == ["extra"]
    assert "field of its own" in leaving.problems[0].message
    assert leaving.body == {"model": "local/pydoc", "prompt": "x"}


@pytest.mark.parametrize("text", ["{", "[1]", "3", '{"a": NaN}', "[" * 100_000])
def test_unusable_extra_text_is_a_problem_at_its_box(text):
    assert parse_extra(text)[1].path == "extra"


def test_the_draft_is_left_as_it_was():
    current = draft('{"orq": {"future": 1}}', orq={})
    outgoing(current)
    assert current["body"]["orq"] == {}


def test_most_tokens_counts_choices_and_the_servers_default():
    assert most_tokens({}) == 16
    assert most_tokens({"max_tokens": None, "n": 3}) == 48
    assert most_tokens({"max_tokens": 100, "n": 2}) == 200
    assert most_tokens({"max_tokens": "many"}) is None


def test_fields_leave_in_the_contracts_order_whatever_was_edited_last():
    edited = {"stream": True, "zzz": 1, "max_tokens": 5, "prompt": "x", "model": "m"}
    assert list(outgoing({"body": {name: edited[name] for name in edited if name != "zzz"}, "extra": '{"zzz": 1}'}).body) == [
        "model",
        "prompt",
        "max_tokens",
        "stream",
        "zzz",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"model": "m", "prompt": "p"},
        {"model": "m", "prompt": "p", "seed": None, "stop": [], "retry": {}, "orq": {"thread": {"id": "t"}}},
        {"model": "m", "prompt": "p", "logit_bias": {"1": 2}, "best_of": None},
        {"model": "m", "prompt": "p", "retry": {"count": 2, "jitter": True}, "orq": {"beta": {"on": 1}}},
        {"model": "m", "prompt": "p", "cache": {"zone": "eu"}, "thinking": None, "load_balancer": {"type": "weight_based", "models": []}},
    ],
)
def test_draft_of_a_body_sends_it_again(body):
    draft = draft_of(body)
    assert outgoing(draft).body == body
    assert not any("not a field" in problem.message for problem in outgoing(draft).problems)


def test_draft_of_a_body_has_every_field_of_the_contract_in_its_place():
    routed = {"fallbacks": [{"model": "a"}], "load_balancer": {"type": "weight_based", "models": [{"model": "b", "weight": 1}]}}
    body = {"model": "m", "prompt": "p", **routed, "orq": {**routed, "thread": {"id": "t", "new": 1}}}
    draft = draft_of(body)
    assert json.loads(draft["extra"]) == {"orq": {"thread": {"new": 1}}}
    assert draft["body"]["load_balancer"] == draft["body"]["orq"]["load_balancer"] == routed["load_balancer"]


def test_list_of_the_contract_is_no_extra_field():
    (problem,) = outgoing({"body": {"model": "m", "prompt": "p"}, "extra": '{"fallbacks": []}'}).problems
    assert problem.message == "fallbacks has a field of its own: set it there."


def test_draft_of_a_body_is_a_copy():
    body = {"model": "m", "prompt": "p", "stop": ["a"], "odd": {"b": []}}
    draft_of(body)["body"]["stop"].append("c")
    assert body["stop"] == ["a"]


@pytest.mark.parametrize("case", BODIES)
def test_draft_of_every_recorded_body_sends_it_again(case):
    assert outgoing(draft_of(BODIES[case])).body == BODIES[case]


def test_an_extra_field_named_like_a_path_is_not_the_field_at_that_path():
    body = {"model": "m", "prompt": "p", "orq": {"identity": {"id": "i"}}, "orq.identity": None, "retry.count": 9}
    draft = draft_of(body)
    assert draft["body"] == {"model": "m", "prompt": "p", "orq": {"identity": {"id": "i"}}}
    assert (outgoing(draft).body, outgoing(draft).problems) == (body, ())
