"""Reading a router's knowledge bases: the local router's, and what other servers make of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from core.client.client import RouterClient
from core.connection import DEFAULT_PATHS, Connection
from core.errors import RouterRejected
from core.local_router.server import LocalRouter
from core.router_resources import knowledge as reads
from core.router_resources import knowledge_changes as changes
from tests.core.client.byte_server import Answer, serving


def connection(base_url: str, key: SecretStr | None = None) -> Connection:
    return Connection("Router", "orq", base_url, DEFAULT_PATHS["orq"], key)


@pytest.fixture(scope="module")
def router() -> Iterator[LocalRouter]:
    with LocalRouter(pace=0).running() as running:
        yield running


@pytest.fixture
async def client(router: LocalRouter) -> AsyncIterator[RouterClient]:
    async with RouterClient(connection(router.base_url, router.api_key)) as client:
        yield client


async def test_base_is_made_filled_read_searched_and_deleted(client: RouterClient):
    base = await changes.create_base(client, "reads", "Notes")
    assert await changes.add_document(client, base, "a/b ü.txt", b"One otter.", {"year": 2020}) == 1
    for name in ("b.txt", "c.txt"):
        await changes.add_document(client, base, name, b"Two herons.", {})
    listed = await reads.knowledge_bases(client)
    assert listed is not None
    (mine,) = [one for one in listed if one.id == base]
    assert (mine.key, mine.description, mine.documents, mine.chunks, mine.manageable) == ("reads", "Notes", 3, 3, True)
    first = (await reads.documents(client, base))[0]
    assert (first.name, first.chunks, first.metadata) == ("a/b ü.txt", 1, {"year": 2020})
    (chunk,), more = await reads.chunks(client, base, first.id)
    assert (chunk.text, chunk.enabled, chunk.position, more) == ("One otter.", True, 0, False)
    item = {"knowledge_id": "reads", "query": "otter", "search_type": "keyword_search", "top_k": None}
    (match,) = await reads.search_knowledge(client, item)
    assert (match.id, match.document_id, match.metadata["year"]) == (chunk.id, first.id, 2020)
    assert 0 < (match.score or 0) <= 1
    await changes.switch_chunk(client, base, first.id, chunk.id, enabled=False)
    assert await reads.search_knowledge(client, item) == ()
    await changes.delete_document(client, base, first.id)
    assert len(await reads.documents(client, base)) == 2
    await changes.delete_base(client, base)
    assert base not in [one.id for one in await reads.knowledge_bases(client) or ()]


async def test_all_pages_of_documents_are_read(client: RouterClient):
    assert len(await reads.documents(client, "python-reference")) > 50
    assert len({one.id for one in await reads.documents(client, "python-reference")}) == len(
        await reads.documents(client, "python-reference")
    )


async def test_reranked_match_is_scored_by_its_rerank_score(client: RouterClient):
    item = {
        "knowledge_id": "python-reference",
        "query": "for statement",
        "search_type": "keyword_search",
        "rerank_config": {"model": "local/overlap"},
    }
    best = (await reads.search_knowledge(client, item))[0]
    assert best.score == best.scores["rerank_score"] != best.scores["search_score"]


async def test_error_of_a_search_is_raised_with_its_sentence(client: RouterClient):
    with pytest.raises(RouterRejected) as raised:
        await reads.search_knowledge(client, {"knowledge_id": "nowhere/../x", "query": "q"})
    assert raised.value.status == 404


def answering(body: Any, status: int = 200) -> Answer:
    return Answer([json.dumps(body).encode()], status, "application/json")


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_router_without_the_address_lists_none(status):
    async with (
        serving(answering({"error": {"message": "no", "code": "x"}}, status)) as server,
        RouterClient(connection(server.base_url)) as http,
    ):
        assert await reads.knowledge_bases(http) is None


@pytest.mark.parametrize("status", [401, 500])
async def test_other_refusals_are_errors(status):
    async with (
        serving(answering({"error": {"message": "no", "code": "x"}}, status)) as server,
        RouterClient(connection(server.base_url)) as http,
    ):
        with pytest.raises(RouterRejected):
            await reads.knowledge_bases(http)


@pytest.mark.parametrize("body", [[], "text", {}, {"data": None}, {"data": [1, {}, {"_id": 5}]}])
async def test_odd_answer_is_an_empty_list(body):
    async with serving(answering(body)) as server, RouterClient(connection(server.base_url)) as http:
        assert await reads.knowledge_bases(http) == ()


async def test_base_with_nothing_but_an_id_is_read():
    async with (
        serving(answering({"data": [{"_id": "kb_1"}], "has_more": True})) as server,
        RouterClient(connection(server.base_url)) as http,
    ):
        bases = await reads.knowledge_bases(http)
    assert bases is not None
    assert (bases[0].key, bases[0].chunks, bases[0].manageable, dict(bases[0].settings)) == ("kb_1", None, False, {})


def test_odd_match_is_read_as_far_as_it_goes():
    match = reads.match_from({"id": "c", "text": None, "scores": {"search_score": "0.5", "rerank_score": 1, "x": True}, "metadata": []})
    assert (match.text, dict(match.scores), dict(match.metadata), match.score) == ("", {"rerank_score": 1.0}, {}, 1.0)
