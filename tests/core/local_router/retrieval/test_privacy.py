"""What other servers see of a query when the request hides personal data."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from core.local_router.server import LocalRouter
from tests.core.local_router.conftest import KEY, Ask
from tests.core.local_router.upstreams.chat_server import ChatServer

ON = [{"id": "pii_redaction"}]
ASKED_ABOUT = "canary.bird@example.com"
WRITTEN_OF = "stored.finch@example.com"
PATHS = ("/v1/embeddings", "/v1/chat/completions", "/v1/rerank")


def add_base(up: LocalRouter, **settings: Any) -> None:
    """A base ``birds`` of two chunks, each with an address."""
    with httpx.Client(base_url=up.base_url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as http:
        http.post("/v2/knowledge", json={"key": "birds", **settings}).raise_for_status()
        for name in (ASKED_ABOUT, WRITTEN_OF):
            sent = {"name": "a.txt", "content_base64": base64.b64encode(f"Mail to {name} about birds.".encode()).decode()}
            http.post("/v2/knowledge/birds/documents", json=sent).raise_for_status()


def item(**fields: Any) -> dict[str, Any]:
    return {"knowledge_bases": [{"knowledge_id": "birds", **fields}]}


@pytest.mark.parametrize("own_query", [False, True], ids=["prompt", "query"])
def test_models_of_other_servers_get_a_query_without_what_the_plugin_hides(up: LocalRouter, chat: ChatServer, ask: Ask, own_query: bool):
    add_base(up, embedding_model="chat/embedder")
    chat.requests.clear()
    chat.scores = [0.9, 0.2]
    query = f"What do birds say to {ASKED_ABOUT}?"
    orq = item(
        search_type="hybrid_search",
        rerank_config={"model": "chat/judge"},
        agentic_rag_config={"model": "chat/thinker"},
        **({"query": query} if own_query else {}),
    )
    answer = ask(model="chat/thinker", prompt="Hello" if own_query else query, orq=orq, plugins=ON)
    assert answer.status_code == 200
    assert {path for path, _ in chat.requests} == set(PATHS)
    sent = json.dumps(chat.requests)
    assert "birds say to <EMAIL_ADDRESS_1>" in sent
    assert ASKED_ABOUT not in sent
    assert WRITTEN_OF not in sent
    assert ASKED_ABOUT in answer.text  # the one who asked gets it back


def test_same_value_has_one_placeholder_in_the_query_and_in_what_is_reranked(up: LocalRouter, chat: ChatServer, ask: Ask):
    add_base(up)
    chat.scores = [0.9]
    orq = item(search_type="keyword_search", rerank_config={"model": "chat/judge"})
    assert ask(model="local/pydoc", prompt=f"Birds of {ASKED_ABOUT}", orq=orq, plugins=ON).status_code == 200
    (asked,) = chat.bodies("/v1/rerank")
    assert asked["query"] == "Birds of <EMAIL_ADDRESS_1>"
    assert asked["documents"] == ["Mail to <EMAIL_ADDRESS_1> about birds."]


def test_without_a_plugin_they_get_the_query_as_it_is(up: LocalRouter, chat: ChatServer, ask: Ask):
    add_base(up, embedding_model="chat/embedder")
    chat.requests.clear()
    assert ask(model="local/pydoc", prompt=f"Birds of {ASKED_ABOUT}", orq=item(search_type="vector_search")).status_code == 200
    assert chat.bodies("/v1/embeddings")[-1]["input"] == [f"Birds of {ASKED_ABOUT}"]


def test_search_within_the_router_looks_for_the_value_itself(up: LocalRouter, chat: ChatServer, ask: Ask):
    add_base(up)
    answer = ask(model="chat/thinker", prompt="Hello", orq=item(search_type="keyword_search", query="canary.bird"), plugins=ON)
    assert "Mail to" in answer.text
    assert "stored.finch" not in answer.text
    assert "Mail to <EMAIL_ADDRESS_1> about birds." in chat.requests[-1][1]["messages"][0]["content"]


def test_nothing_leaves_where_nobody_can_say_what_is_personal(up: LocalRouter, chat: ChatServer, ask: Ask):
    add_base(up, embedding_model="chat/embedder")
    chat.requests.clear()
    orq = item(search_type="vector_search", rerank_config={"model": "chat/judge"}, agentic_rag_config={"model": "chat/thinker"})
    refused = ask(model="chat/thinker", orq=orq, plugins=[{**ON[0], "language": "tlh"}])
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "pii_redaction_failed")
    assert chat.requests == []
