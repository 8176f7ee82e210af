"""What a stored prompt and inputs do to the prompt."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.core.local_router.effects.conftest import Asker

shows = pytest.mark.shows
STORED = {"id": "python-statement", "version": "latest"}


def echoed(ask: Asker, **fields: Any) -> tuple[str, Any]:
    """The prompt as the model got it, and what was seen."""
    seen = ask(echo=True, max_tokens=1, model="rehearsal/ok", **fields)
    return seen.text, seen


@shows("orq.inputs")
@pytest.mark.parametrize(
    "inputs", [{"who": "Ada", "n": 3}, [{"key": "who", "value": "Ada"}, {"key": "n", "value": 3}]], ids=["object", "list"]
)
def test_inputs_fill_the_prompts_placeholders(ask: Asker, inputs: Any):
    text, seen = echoed(ask, prompt="Dear {{who}}, {{n}} times {{Who}} ", orq={"inputs": inputs})
    assert text.startswith("Dear Ada, 3 times {{Who}} ")
    told = seen.event("inputs")
    assert (told["filled"], told["missing"], told["unused"]) == (["who", "n"], ["Who"], [])
    assert "Ada" not in str(seen.trace)


@shows("orq.inputs")
def test_personal_inputs_are_hidden_from_the_model_and_back_in_the_answer(ask: Asker):
    fields: dict[str, Any] = {"orq": {"inputs": [{"key": "who", "value": "Ada Zyx", "is_pii": True}]}}
    text, seen = echoed(ask, prompt="Dear {{who}}, ", plugins=[{"id": "pii_redaction"}], **fields)
    assert text.startswith("Dear Ada Zyx, ")
    assert seen.event("pii")
    assert "Ada Zyx" not in str(seen.trace)


@shows("orq.prompt.id", "orq.prompt.version")
def test_newest_version_of_a_stored_prompt_takes_the_prompts_place(ask: Asker):
    made = ask.get("/v2/prompts/python-statement")
    text, seen = echoed(ask, prompt="Not this", orq={"prompt": STORED, "inputs": {"statement": "for"}})
    assert text.startswith('The "for" statement')
    told = seen.event("prompt")
    assert (told["id"], told["version"]) == ("python-statement", made["version"])


@shows("orq.prompt.version")
def test_latest_is_the_version_saved_last(ask: Asker):
    with httpx.Client(base_url=ask.router.base_url, headers={"Authorization": f"Bearer {ask.key}"}) as http:
        body = {"display_name": "Mine", "prompt": {"messages": [{"role": "user", "content": "One "}]}}
        prompt_id = http.post("/v2/prompts", json=body).json()["_id"]
        http.patch(f"/v2/prompts/{prompt_id}", json={"prompt": {"messages": [{"role": "user", "content": "Two "}]}}).raise_for_status()
    text, seen = echoed(ask, orq={"prompt": {"id": prompt_id, "version": "latest"}})
    assert text.startswith("Two ")
    assert seen.event("prompt")["version"] == 2


@shows("orq.prompt.id")
def test_unknown_stored_prompt_is_not_found(ask: Asker):
    seen = ask(orq={"prompt": {"id": "nowhere", "version": "latest"}})
    assert (seen.status, seen.events("attempt")) == (404, [])


def test_inputs_are_part_of_what_the_cache_compares_and_labels_are_not(ask: Asker):
    fields: dict[str, Any] = {"prompt": "The {{statement}} statement", "cache": {"type": "exact_match"}}
    first = ask(**fields, orq={"inputs": {"statement": "for"}, "identity": {"id": "a"}})
    assert ask(**fields, orq={"inputs": {"statement": "while"}}).headers["x-router-cache"] == "miss"
    again = ask(**fields, orq={"inputs": {"statement": "for"}, "identity": {"id": "b"}})
    assert (again.headers["x-router-cache"], again.text) == ("hit", first.text)
