"""Knowledge bases with models of other servers."""

from __future__ import annotations

import base64
import time
from typing import Any

import httpx
import pytest

from core.local_router.server import LocalRouter
from tests.core.local_router.conftest import KEY, UPSTREAM_KEY, Ask
from tests.core.local_router.upstreams.chat_server import ChatServer


@pytest.fixture
def http(up: LocalRouter, chat: ChatServer):
    with httpx.Client(base_url=up.base_url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as http:
        yield http


def add(http: httpx.Client, key: str, *texts: str, **settings: Any) -> None:
    http.post("/v2/knowledge", json={"key": key, **settings}).raise_for_status()
    for number, text in enumerate(texts):
        sent = {"name": f"{number}.txt", "content_base64": base64.b64encode(text.encode()).decode()}
        http.post(f"/v2/knowledge/{key}/documents", json=sent).raise_for_status()


def search(http: httpx.Client, key: str, **fields: Any) -> list[dict[str, Any]]:
    asked = {"search_options": {"include_scores": True}, **fields}
    matches: list[dict[str, Any]] = http.post(f"/v2/knowledge/{key}/search", json=asked).raise_for_status().json()["matches"]
    return matches


def test_upstream_reranks(http: httpx.Client, chat: ChatServer):
    add(http, "kb", "first river", "second river", "third meadow", "fourth", "fifth")
    chat.scores = [0.2, 0.9]
    matches = search(http, "kb", query="river", search_type="keyword_search", rerank_config={"model": "chat/judge"})
    assert [match["scores"]["rerank_score"] for match in matches] == [0.9, 0.2]
    (asked,) = chat.bodies("/v1/rerank")
    assert (asked["model"], asked["query"], asked["documents"][1]) == ("judge", "river", matches[0]["text"])


def test_upstream_that_fails_to_rerank_fails_the_search(http: httpx.Client, chat: ChatServer):
    add(http, "kb", "first river", "second river", "third meadow")
    asked = {"query": "meadow", "search_type": "keyword_search", "rerank_config": {"model": "chat/judge"}}
    chat.scores = []
    answer = http.post("/v2/knowledge/kb/search", json=asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "provider_error")
    assert UPSTREAM_KEY not in answer.text


def test_base_with_an_upstreams_embeddings_is_searched_by_them(http: httpx.Client, chat: ChatServer):
    add(http, "kb", "short", "a much longer text than that", embedding_model="chat/embedder")
    matches = search(http, "kb", query="short", search_type="vector_search", search_options={"include_vectors": True})
    assert matches[0]["text"] == "short"
    assert len(matches[0]["vector"]) == 3
    assert [body["model"] for body in chat.bodies("/v1/embeddings")] == ["embedder"] * 3


def test_embedding_model_of_no_upstream_is_refused_when_the_base_is_made(http: httpx.Client):
    answer = http.post("/v2/knowledge", json={"key": "kb", "embedding_model": "nowhere/model"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "embedding_model")


def test_upstream_rewrites_the_query(http: httpx.Client, chat: ChatServer):
    add(http, "kb", "the river", "second", "third")
    http.post("/v2/knowledge/kb/search", json={"query": "river", "agentic_rag_config": {"model": "chat/thinker"}}).raise_for_status()
    (asked,) = chat.bodies("/v1/chat/completions")
    assert "river" in asked["messages"][0]["content"]


def test_search_that_fails_is_told_by_the_trace_and_the_others_are_given_up(http: httpx.Client, chat: ChatServer, ask: Ask):
    add(http, "kb", "first river", "second river", "third meadow")
    bases = [
        {"knowledge_id": "kb", "query": "meadow", "search_type": "keyword_search", "rerank_config": {"model": "chat/judge"}},
        {"knowledge_id": "kb", "agentic_rag_config": {"model": "rehearsal/slow-60000ms"}},
    ]
    began = time.monotonic()
    answer = ask(model="local/pydoc", orq={"knowledge_bases": bases})
    assert answer.status_code == 502
    assert time.monotonic() - began < 15  # the other one would have taken twenty seconds
    trace = http.get(f"/v2/router/traces/{answer.headers['x-router-request-id']}").json()
    told, end = trace["events"]
    assert (told["type"], told["key"], told["failed"], end["status"]) == ("retrieval", "kb", 502, 502)
    assert told["duration_ms"] > 0
