"""Exported code is run, and what it sends is what the playground would send."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.connection import Connection
from core.snippets import LANGUAGES, Language, call_to, language, languages
from tests.core.contract.bodies import INPUTS, TEXT
from tests.core.snippets.running import KEY, RUNNABLE, call, expected, needed, run, run_python
from tests.support.replay import Replay, Script

FULL: dict[str, Any] = json.loads((Path(__file__).parents[2] / "wire" / "30_everything_set.json").read_text())["requests"][0]["body"]
HOSTILE = "'\"`$HOME $(id) \\ %PATH% !! ^& \0 \x1b[31m \u202e \u2028 zażółć 👩‍👩‍👧 {{x}} ${y} #{z} */ <!-- \r\n\ttab\n'''\"\"\"\nJSON\n'@\n"
BODIES: dict[str, dict[str, Any]] = {
    "little": {"prompt": "Hello"},
    "streamed": {"prompt": "Hello", "stream": True, "max_tokens": 5},
    "everything": FULL,
    "nulls": {"prompt": "p", **dict.fromkeys(("echo", "max_tokens", "seed", "stop", "temperature", "top_p", "n", "thinking"))},
    "hostile": {"prompt": HOSTILE, "stop": [HOSTILE], "orq": {"inputs": {HOSTILE: HOSTILE, "__proto__": {"a": None}, "constructor": 1}}},
    "blocks without what has defaults": {
        "prompt": "p",
        "retry": {"on_codes": [429]},
        "cache": {"type": "exact_match"},
        "load_balancer": {"type": "weight_based", "models": [{"model": "a"}, {"model": "b", "weight": 0.2}]},
        "orq": {
            "retry": {},
            "contact": {"id": "c"},
            "inputs": [{"key": "k", "value": "v", "is_pii": True}, {"key": "none"}],
            "knowledge_bases": [
                {
                    "knowledge_id": "k",
                    "top_k": None,
                    "rerank_config": {"model": "r"},
                    "filter_by": {"and": [{"a_b": {"in": ["x", 1, True]}}]},
                }
            ],
        },
    },
    "extra fields": {
        "prompt": "p",
        "logit_bias": {"50256": -100},
        "my-own.field": [1, {"a": None}],
        "orq": {"name": "n", "other_field": 1},
    },
}


def sent_by(one: Language, replay: Replay, body: dict[str, Any]) -> dict[str, Any]:
    """What arrived when the code was run, and that its answer was printed."""
    packages = needed(one)
    model = replay.add(Script.of("an answer"))
    asked = {"model": model, **{name: value for name, value in body.items() if name != "model"}}
    code = one.write(call(replay, asked, X_Api_Key="sk-header", X_Project='it\'s "a" $project'))
    assert KEY not in code
    assert "sk-header" not in code
    printed = run(one, code, packages)
    assert "an" in printed
    assert "answer" in printed
    came = replay.call(model)
    assert came.headers["authorization"] == f"Bearer {KEY}"
    assert (came.headers["x-api-key"], came.headers["x-project"]) == ("sk-header", 'it\'s "a" $project')
    assert came.body["model"] == model
    return {name: value for name, value in came.body.items() if name != "model"}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("one", RUNNABLE, ids=lambda one: one.id)
def test_code_sends_what_the_playground_sends(replay: Replay, one: Language, name: str) -> None:
    body = {key: value for key, value in copy.deepcopy(BODIES[name]).items() if key != "model"}
    came = sent_by(one, replay, body)
    assert came == expected(one, body)


def test_what_a_client_changes_is_said_in_the_code(replay: Replay) -> None:
    body = {"model": "m", "prompt": "p", "logit_bias": {"a": 1}, "fallback_on_codes": [500], "seed": 2**60 + 1}
    written = call(replay, body)
    assert "no field for it: logit_bias" in language("orq-python").write(written)
    node = language("orq-node").write(written)
    assert "no field for it: logit_bias, fallback_on_codes" in node
    assert "max_tokens 16" in node
    assert "rounded: 1152921504606846977" in language("fetch").write(written)


def test_deprecated_fields_are_marked(replay: Replay) -> None:
    body = {"model": "m", "prompt": "p", "orq": {"contact": {"id": "c"}, "inputs": {"a": 1}}}
    for one in languages(call(replay, body)):
        if one.id != "json":
            assert one.write(call(replay, body)).count("deprecated") >= 3, one.id


def test_nothing_is_written_that_was_not_set(replay: Replay) -> None:
    for one in languages(call(replay, {"model": "m", "prompt": "p"})):
        code = one.write(call(replay, {"model": "m", "prompt": "p"}))
        assert "fallbacks" not in code, one.id
        assert "retry" not in code, one.id


def test_clients_are_offered_where_they_can_reach(replay: Replay) -> None:
    def offered(kind: Any, path: str) -> set[str]:
        return {one.id for one in languages(call(replay, {}, kind=kind, path=path))}

    assert {"orq-python", "orq-node", "openai-python"} <= offered("orq", "/v2/router/completions")
    assert "orq-python" not in offered("orq", "/v3/router/completions")
    assert {"openai-python", "openai-node"} <= offered("openai", "/v1/completions")
    assert not {"orq-python", "openai-python"} & offered("openai", "/v1/complete")


def test_what_is_secret_in_an_address_or_header_is_not_in_the_code() -> None:
    secret = Connection(
        "x", "openai", "https://ann:sk-in-url@host/base?key=sk-in-query", "/v1/completions", headers={"Cookie": "sk-cookie"}
    )
    for one in LANGUAGES:
        assert "sk-" not in one.write(call_to({"model": "m"}, secret)), one.id


def test_a_body_too_long_for_an_argument_goes_through_standard_input(replay: Replay) -> None:
    body = {"prompt": "it's $HOME 'JSON'\nJSON\n" * 20_000}
    assert sent_by(language("curl"), replay, body) == body


KEYS = st.text(max_size=20)
PROMPTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=60) | st.text("'\"`$\\%!^&\n\r\0{}#*/@;<>| ", max_size=30)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=PROMPTS, inputs=INPUTS)
@pytest.mark.parametrize("name", ["curl", "httpx"])
def test_no_text_breaks_out_of_its_quotes(replay: Replay, name: str, prompt: str, inputs: Any) -> None:
    model = replay.add(Script())
    body = {"model": model, "prompt": prompt, "orq": {"inputs": inputs}}
    run(language(name), language(name).write(call(replay, body)))
    assert replay.call(model).body == body


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=PROMPTS, stop=st.lists(TEXT, max_size=4))
def test_no_text_breaks_the_official_clients_code(replay: Replay, prompt: str, stop: list[str]) -> None:
    model = replay.add(Script())
    body = {"model": model, "prompt": prompt, "stop": stop}
    run_python(language("orq-python").write(call(replay, body)))
    assert replay.call(model).body == body
