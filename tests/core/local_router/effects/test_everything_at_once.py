"""One request with every leaf of the contract: each still does what it does alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from core.contract.routing import TWINS
from tests.contract_coverage import leaves
from tests.core.local_router.effects.conftest import ASKED, NOTES, Asker
from tests.core.local_router.effects.test_identity_fields import ADA

MAIL = "jane@example.com"
STORED = f"Dear {{{{who}}}} ({MAIL}), here is what the river is: "
READ = f"Dear Ada Zyx ({MAIL}), here is what the river is: "
BASE: dict[str, Any] = {
    "knowledge_id": "notes",
    "query": "river water",
    "top_k": 3,
    "threshold": 0,
    "search_type": "keyword_search",
    "filter_by": {"kind": {"eq": "mammal"}},
    "search_options": {"include_vectors": True, "include_metadata": True, "include_scores": True},
    "rerank_config": {"model": "local/overlap", "threshold": 0.1, "top_k": 1},
    "agentic_rag_config": {"model": "local/pydoc"},
}
PLUGIN: dict[str, Any] = {
    "id": "pii_redaction",
    "language": "en",
    "regions": ["nl"],
    "entities": ["EMAIL_ADDRESS"],
    "threshold": 1,
    "entity_thresholds": {"EMAIL_ADDRESS": 0.3},
    "on_failure": "block",
}


def routing(balanced: str, fallbacks: list[str], call_timeout: int) -> dict[str, Any]:
    """The blocks that stand at the top level or in ``orq``: the model drawn is tried twice, and what it says goes on to a fallback."""
    return {
        "name": f"by {balanced}",
        "retry": {"count": 1, "on_codes": [429]},
        "fallbacks": [{"model": model} for model in fallbacks],
        "fallback_on_codes": [429, 500, 504],
        "cache": {"type": "exact_match", "ttl": 60},
        "load_balancer": {"type": "weight_based", "models": [{"model": balanced, "weight": 1}]},
        "timeout": {"call_timeout": call_timeout},
    }


@pytest.fixture
def everything(ask: Asker, notes: dict[str, str]) -> dict[str, Any]:
    with httpx.Client(base_url=ask.router.base_url, headers={"Authorization": f"Bearer {ask.key}"}) as http:
        body = {"display_name": "Letter", "prompt": {"messages": [{"role": "user", "content": STORED}]}}
        stored = http.post("/v2/prompts", json=body).raise_for_status().json()["_id"]
    return {
        "model": "rehearsal/503",
        "prompt": "Not this",
        "echo": True,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.1,
        "max_tokens": 1_100,
        "seed": 5,
        "stop": ["never said"],
        "temperature": 0.8,
        "top_p": 0.95,
        "n": 2,
        "user": "u-17",
        "thinking": {"type": "enabled", "budget_tokens": 1_024, "thinking_level": "minimal"},
        "plugins": [PLUGIN],
        "stream": ask.streams,
        **routing("rehearsal/429", ["rehearsal/500", "rehearsal/ok"], 60_000),
        "orq": {
            "prompt": {"id": stored, "version": "latest"},
            "inputs": [{"key": "who", "value": "Ada Zyx", "is_pii": True}],
            "identity": ADA,
            "contact": ADA | {"id": "not she"},
            "thread": {"id": "t-1", "tags": ["blue"]},
            "knowledge_bases": [BASE],
            **routing("rehearsal/500", ["rehearsal/slow-60000ms", "local/pydoc-3"], 1_500),
        },
    }


def paths(value: Any, at: str = "") -> Iterator[str]:
    """The leaves of a body by the names of parameters.json."""
    if at in ("orq.inputs", "orq.knowledge_bases[].filter_by") or at.endswith("metadata[]"):
        yield at
    elif at.endswith("entity_thresholds"):
        yield f"{at}{{}}"
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, f"{at}.{name}".removeprefix("."))
    elif isinstance(value, list) and at != "stop":
        for inner in value:
            yield from paths(inner, f"{at}[]")
    else:
        yield at


def test_request_has_every_leaf(everything: dict[str, Any]):
    assert set(paths(everything)) == set(leaves())


def test_every_leaf_does_its_part_beside_all_others(ask: Asker, everything: dict[str, Any], notes: dict[str, str]):
    first = ask(**everything)
    assert first.targets() == [("rehearsal/429", 429), ("rehearsal/429", 429), ("rehearsal/500", 500), ("rehearsal/ok", 200)]
    assert (first.event("draw")["drawn"], first.headers["x-router-cache"]) == ("rehearsal/429", "miss")
    labels = {name: first.trace[name] for name in ("name", "user", "identity", "thread")}
    assert labels == {"name": "by rehearsal/429", "user": "u-17", "identity": ADA, "thread": {"id": "t-1", "tags": ["blue"]}}

    assert (first.event("prompt")["id"], first.event("inputs")["filled"]) == (everything["orq"]["prompt"]["id"], ["who"])
    (chunk,) = first.event("retrieval")["chunks"]
    assert set(chunk) == {"id", "score", "scores", "metadata", "vector"}
    note, _ = NOTES[f"{notes[chunk['id']]}.txt"]
    assert first.event("retrieval")["rerank"]["top_k"] == 1
    assert first.event("retrieval")["agentic"]["model"] == "local/pydoc"
    assert first.event("pii")["entities"] == {"EMAIL_ADDRESS": 1, "INPUT": 1}
    assert not any(secret in str(first.trace) for secret in (MAIL, "Zyx"))

    prompt = f"Knowledge:\n\n[1] notes\n{note}\n\nPrompt:\n\n{READ}"
    assert [first.texts[index].startswith(prompt) for index in (0, 1)] == [True, True]
    assert first.texts[0] != first.texts[1]
    assert first.usage["completion_tokens_details"]["reasoning_tokens"] == 2 * 128
    assert 2 * 128 < first.usage["completion_tokens"] <= 2 * 1_100
    assert (first.frames > 1) is ask.streams

    again = ask(**everything)
    assert (again.headers["x-router-cache"], again.texts, again.targets()) == ("hit", first.texts, [])
    said = first.text.removeprefix(prompt)
    word = next(word for word in said.split()[5:] if word.isalpha())
    cut = ask(**everything | {"stop": [word]})
    assert (cut.headers["x-router-cache"], cut.text, cut.reasons[0]) == ("miss", prompt + said.partition(word)[0], "stop")
    assert {identity["external_id"]: identity["usage"]["requests"] for identity in ask.get("/v2/identities")["data"]} == {"ada": 3}


def test_twins_in_orq_do_theirs_where_the_top_level_says_nothing(ask: Asker, everything: dict[str, Any]):
    inner = {name: value for name, value in everything.items() if name not in (*TWINS, "thinking")} | {"n": 1, "max_tokens": 8}
    seen = ask(**inner)
    assert seen.targets() == [("rehearsal/500", 500), ("rehearsal/slow-60000ms", 504), ("local/pydoc-3", 200)]
    assert (seen.trace["name"], seen.event("draw")["drawn"]) == ("by rehearsal/500", "rehearsal/500")
    assert (seen.headers["x-router-cache"], ask(**inner).headers["x-router-cache"]) == ("miss", "hit")
    assert ASKED["prompt"] not in seen.text
