"""``/v2/knowledge`` as the official client and a browser page see it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from orq_ai_sdk import Orq

from core.local_router.server import LocalRouter
from tests.core.local_router.conftest import KEY


@pytest.fixture(scope="module")
def orq(router: LocalRouter) -> Iterator[Orq]:
    with Orq(api_key=KEY, server_url=router.base_url) as client:
        yield client


@pytest.fixture
def key(client: httpx.Client) -> Iterator[str]:
    """A base of its own for each test."""
    key = f"base-{secrets.token_hex(4)}"
    client.post("/v2/knowledge", json={"key": key, "description": "notes"}).raise_for_status()
    yield key
    client.delete(f"/v2/knowledge/{key}")


def upload(client: httpx.Client, key: str, name: str, text: str, **metadata: Any) -> dict[str, Any]:
    sent = {"name": name, "content_base64": base64.b64encode(text.encode()).decode(), "metadata": metadata}
    document: dict[str, Any] = client.post(f"/v2/knowledge/{key}/documents", json=sent).raise_for_status().json()
    return document


def refused(answer: httpx.Response, status: int) -> str | None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert {"code", "message", "param", "type"} <= error.keys()
    param: str | None = error["param"]
    return param


def test_official_client_lists_bases_and_searches_them(orq: Orq):
    listed = orq.knowledge.list(search="PYTHON-ref")
    (base,) = listed.data
    assert (base.key, base.type, listed.has_more) == ("python-reference", "internal", False)
    assert base.retrieval_settings.retrieval_type == "hybrid_search"
    found = orq.knowledge.search(
        knowledge_id=base.id,
        query="for statement",
        top_k=3,
        search_type="keyword_search",
        filter_by={"topic": {"eq": "for"}},
        search_options={"include_scores": True, "include_metadata": True},
        rerank_config={"model": "local/overlap"},
    )
    assert 1 <= len(found.matches) <= 3
    assert all("for" in match.text for match in found.matches)
    assert 0 < found.matches[0].scores.rerank_score <= 1
    assert 0 < found.matches[0].scores.search_score <= 1


def test_official_client_manages_a_base(orq: Orq, client: httpx.Client):
    key = f"sdk-{secrets.token_hex(4)}"
    settings = {"retrieval_type": "keyword_search", "top_k": 7, "rerank_config": {"rerank_model": "local/overlap", "rerank_threshold": 0.5}}
    made = orq.knowledge.create(
        request={"type": "internal", "key": key, "embedding_model": "local/tfidf-svd", "path": "Default", "retrieval_settings": settings}
    )
    assert (made.key, made.retrieval_settings.top_k) == (key, 7)
    assert made.retrieval_settings.rerank_config.rerank_threshold == 0.5
    orq.knowledge.update(knowledge_id=made.id, knowledge_bases_service_update_request={"type": "internal", "description": "changed"})
    assert orq.knowledge.retrieve(knowledge_id=key).description == "changed"
    source = upload(client, key, "a.txt", "One otter.", year=2020)
    (listed,) = orq.knowledge.list_datasources(knowledge_id=key).data
    assert (listed.id, listed.display_name, listed.chunks_count) == (source["_id"], "a.txt", 1)
    (chunk,) = orq.knowledge.list_chunks(knowledge_id=key, datasource_id=source["_id"]).data
    assert (chunk.text, chunk.enabled) == ("One otter.", True)
    switched = orq.knowledge.toggle_chunk(knowledge_id=key, datasource_id=source["_id"], chunk_id=chunk.id, enabled=False)
    assert switched.enabled is False
    orq.knowledge.delete_datasource(knowledge_id=key, datasource_id=source["_id"])
    orq.knowledge.delete(knowledge_id=key)
    assert not orq.knowledge.list(search=key).data


def test_list_goes_on_after_the_last_one_seen(client: httpx.Client, key: str):
    for name in ("a.txt", "b.txt", "c.txt"):
        upload(client, key, name, name)
    path = f"/v2/knowledge/{key}/datasources"
    first = client.get(path, params={"limit": 2}).json()
    assert ([row["display_name"] for row in first["data"]], first["has_more"]) == (["a.txt", "b.txt"], True)
    rest = client.get(path, params={"limit": 2, "starting_after": first["data"][-1]["_id"]}).json()
    assert ([row["display_name"] for row in rest["data"]], rest["has_more"]) == (["c.txt"], False)


def test_chunks_are_paged(client: httpx.Client, key: str):
    source = upload(client, key, "long.txt", "\n\n".join(f"Paragraph {number}. " + "word " * 150 for number in range(12)))
    path = f"/v2/knowledge/{key}/datasources/{source['_id']}/chunks"
    first = client.get(path, params={"limit": 2}).json()
    assert first["has_more"] is True
    rest = client.get(path, params={"limit": 300, "starting_after": first["data"][-1]["_id"]}).json()
    assert [row["position"] for row in first["data"] + rest["data"]] == list(range(source["chunks_count"]))


def test_search_brings_scores_metadata_and_vectors_only_when_asked(client: httpx.Client, key: str):
    upload(client, key, "a.txt", "One otter.", year=2020)
    path = f"/v2/knowledge/{key}/search"
    (plain,) = client.post(path, json={"query": "otter"}).json()["matches"]
    assert plain.keys() == {"id", "text", "datasource_id"}
    options = {"include_scores": True, "include_metadata": True, "include_vectors": True}
    (full,) = client.post(path, json={"query": "otter", "search_options": options}).json()["matches"]
    assert full["metadata"]["year"] == 2020
    assert all(isinstance(number, float) for number in full["vector"])
    assert full["scores"]["search_score"] > 0


def test_chunk_that_is_switched_off_is_not_found_until_it_is_on_again(client: httpx.Client, key: str):
    source = upload(client, key, "a.txt", "One otter.")
    upload(client, key, "b.txt", "Two herons.")
    upload(client, key, "c.txt", "Three newts.")
    path = f"/v2/knowledge/{key}/datasources/{source['_id']}/chunks"
    (chunk,) = client.get(path).json()["data"]

    def found() -> int:
        return len(client.post(f"/v2/knowledge/{key}/search", json={"query": "otter", "search_type": "keyword_search"}).json()["matches"])

    assert found() == 1
    assert client.patch(f"{path}/{chunk['_id']}/enabled", json={"enabled": False}).json()["enabled"] is False
    assert found() == 0
    client.patch(f"{path}/{chunk['_id']}/enabled", json={"enabled": True}).raise_for_status()
    assert found() == 1


def test_bases_own_settings_are_used_and_can_be_switched_off(client: httpx.Client, key: str):
    upload(client, key, "a.txt", "One otter.")
    settings = {"rerank_config": {"rerank_model": "local/overlap"}, "agentic_rag_config": {"model": "local/gone"}}
    client.patch(f"/v2/knowledge/{key}", json={"retrieval_settings": settings}).raise_for_status()
    path = f"/v2/knowledge/{key}/search"
    assert refused(client.post(path, json={"query": "otter"}), 404) == "agentic_rag_config.model"
    asked = {"query": "otter", "agentic_rag_config": None, "search_options": {"include_scores": True}}
    (match,) = client.post(path, json=asked).raise_for_status().json()["matches"]
    assert "rerank_score" in match["scores"]
    client.patch(f"/v2/knowledge/{key}", json={"retrieval_settings": {"agentic_rag_config": None}}).raise_for_status()
    assert "agentic_rag_config" not in client.get(f"/v2/knowledge/{key}").json()["retrieval_settings"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "query"),
        ({"query": " "}, "query"),
        ({"query": "q", "top_k": 0}, "top_k"),
        ({"query": "q", "threshold": 2}, "threshold"),
        ({"query": "q", "search_type": "guess"}, "search_type"),
        ({"query": "q", "filter_by": {"a": 1}}, "filter_by.a"),
        ({"query": "q", "rerank_config": {"model": "nowhere"}}, "rerank_config.model"),
        ({"query": "q", "retrieval_config": {}}, "retrieval_config"),
    ],
    ids=str,
)
def test_bad_search_names_the_field(client: httpx.Client, body, param):
    answer = client.post("/v2/knowledge/python-reference/search", json=body)
    assert refused(answer, 404 if param == "rerank_config.model" else 400) == param


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "param"),
    [
        ("GET", "/v2/knowledge?limit=0", None, 400, "limit"),
        ("GET", "/v2/knowledge?limit=١", None, 400, "limit"),
        ("GET", "/v2/knowledge?starting_after=nobody", None, 400, "starting_after"),
        ("GET", "/v2/knowledge/nowhere", None, 404, "knowledge_id"),
        ("GET", "/v2/knowledge/no%00where", None, 404, "knowledge_id"),
        ("POST", "/v2/knowledge/nowhere/search", {"query": "q"}, 404, "knowledge_id"),
        ("POST", "/v2/knowledge", {"key": "not a key"}, 400, "key"),
        ("POST", "/v2/knowledge", {"key": "python-reference"}, 400, "key"),
        ("POST", "/v2/knowledge", {"key": "k", "retrieval_settings": {"top_k": 900}}, 400, "retrieval_settings.top_k"),
        ("POST", "/v2/knowledge", {"key": "k", "type": "external"}, 400, "type"),
        ("POST", "/v2/knowledge", [], 400, None),
        ("PATCH", "/v2/knowledge/python-reference", {"description": "mine"}, 409, "knowledge_id"),
        ("DELETE", "/v2/knowledge/python-reference", None, 409, "knowledge_id"),
        ("POST", "/v2/knowledge/python-reference/documents", {"name": "a.txt", "content_base64": "YQ=="}, 409, "knowledge_id"),
        ("DELETE", "/v2/knowledge/python-reference/datasources/doc_python-for", None, 409, "knowledge_id"),
        ("GET", "/v2/knowledge/python-reference/datasources/none", None, 404, "datasource_id"),
        ("GET", "/v2/knowledge/python-reference/datasources/doc_python-for/chunks?starting_after=no", None, 400, "starting_after"),
        ("PUT", "/v2/knowledge", None, 405, None),
    ],
    ids=str,
)
def test_bad_request_is_refused_in_the_contracts_form(client: httpx.Client, method, path, body, status, param):
    assert refused(client.request(method, path, json=body), status) == param


@pytest.mark.parametrize(
    ("sent", "param"),
    [
        ({"name": "a.txt", "content_base64": "not base64!"}, "content_base64"),
        ({"name": "a.exe", "content_base64": "YQ=="}, None),
        ({"name": "a.pdf", "content_base64": "YQ=="}, None),
        ({"name": "a.txt", "content_base64": ""}, None),
        ({"name": "a.txt", "content_base64": "YQ==", "metadata": {"position": 1}}, None),
        ({"name": "a.txt", "content_base64": "YQ==", "metadata": []}, "metadata"),
        ({"content_base64": "YQ=="}, "name"),
    ],
    ids=str,
)
def test_document_that_cannot_be_read_is_refused(client: httpx.Client, key: str, sent, param):
    answer = client.post(f"/v2/knowledge/{key}/documents", json=sent)
    assert refused(answer, 400) == param
    assert client.get(f"/v2/knowledge/{key}/datasources").json()["data"] == []


def test_unknown_chunk_cannot_be_switched(client: httpx.Client, key: str):
    source = upload(client, key, "a.txt", "One otter.")
    path = f"/v2/knowledge/{key}/datasources/{source['_id']}/chunks"
    assert refused(client.patch(f"{path}/none/enabled", json={"enabled": False}), 404) == "chunk_id"
    (chunk,) = client.get(path).json()["data"]
    assert refused(client.patch(f"{path}/{chunk['_id']}/enabled", json={"enabled": "no"}), 400) == "enabled"


def test_body_that_is_no_json_is_a_400(client: httpx.Client):
    for content in (b"{", b"\xff", b"[" * 100_000, b'{"key": NaN}'):
        assert refused(client.post("/v2/knowledge", content=content), 400) is None
