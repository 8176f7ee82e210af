from __future__ import annotations

import asyncio
import json
import math
import time
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from core.local_router.api_error import ApiError
from core.local_router.config import RouterConfig
from core.local_router.server import LocalRouter
from core.local_router.upstreams import UpstreamConfig, Upstreams
from core.local_router.upstreams.registry import EMBEDDED_AT_ONCE
from core.local_router.upstreams.upstream import LISTING_S
from tests.core.client.byte_server import Answer, serving
from tests.core.local_router.conftest import KEY, UPSTREAM_KEY, Ask
from tests.core.local_router.upstreams.chat_server import ChatServer, chat_server
from tests.support.conditions import eventually

HEADERS = {"Authorization": f"Bearer {KEY}"}


def listed(router: LocalRouter, path: str = "/v3/router/models") -> list[str]:
    return [row["id"] for row in httpx.get(router.base_url + path, headers=HEADERS).json()["data"]]


def contents(folder: Path) -> list[str]:
    """What is in the folder's files, byte for character."""
    return [path.read_text(encoding="latin-1") for path in folder.rglob("*") if path.is_file()]


def add(upstreams: Upstreams, name: str, base_url: str, **settings) -> None:
    upstreams.put(UpstreamConfig(name=name, base_url=base_url, **settings), SecretStr(UPSTREAM_KEY))


@pytest.mark.parametrize("path", ["/v3/router/models", "/v1/models"])
def test_models_of_upstreams_are_listed_with_the_routers_own(up: LocalRouter, chat: ChatServer, path):
    add(up.upstreams, "typed", "http://127.0.0.1:9", models=["one", "two"])
    models = listed(up, path)
    assert models[0] == "local/pydoc"
    assert {"chat/thinker", "chat/family/other", "inner/local/pydoc", "typed/one", "typed/two"} < set(models)


def test_slow_or_dead_upstream_delays_no_list_and_comes_later(up: LocalRouter, chat: ChatServer):
    chat.may_list.clear()
    add(up.upstreams, "dead", "http://127.0.0.1:9")
    began = time.monotonic()
    assert "chat/thinker" not in listed(up)
    assert time.monotonic() - began < LISTING_S - 1  # 0.7 s, on a machine with nothing else to do
    chat.may_list.set()
    eventually(lambda: "chat/thinker" in listed(up), what="the slow one's models")
    states = {status.config.name: status.listed for status in up.upstreams.status()}
    assert (states["chat"].state, states["dead"].state) == ("up", "down")
    assert "127.0.0.1:9" in states["dead"].problem


async def test_what_was_asked_before_is_waited_for_no_more():
    with chat_server() as server:
        upstreams = Upstreams()
        add(upstreams, "chat", server.base_url)
        add(upstreams, "dead", "http://127.0.0.1:9")
        assert await upstreams.models(wait_s=LISTING_S) == ["chat/thinker", "chat/family/other"]
        server.may_list.clear()
        assert await upstreams.models(wait_s=LISTING_S) == ["chat/thinker", "chat/family/other"]
        assert len(server.keys) == 1
        await upstreams.aclose()


async def test_upstream_that_refuses_its_key_says_which(up: LocalRouter):
    async with serving(Answer([b'{"error":{"message":"who?"}}'], 401, "application/json")) as server:
        up.upstreams.put(UpstreamConfig(name="locked", base_url=server.base_url, api_key_env="NO_SUCH_VARIABLE"))
        async with httpx.AsyncClient(headers=HEADERS) as http:
            await http.get(f"{up.base_url}/v1/models")
            reply = await http.post(f"{up.base_url}/v1/completions", json={"model": "locked/x", "prompt": "p"})
    (status,) = [status for status in up.upstreams.status() if status.config.name == "locked"]
    assert status.listed.state == "down"
    for words in (status.listed.problem, reply.json()["error"]["message"]):
        assert words == "Upstream locked refused its key (401): who? The environment variable NO_SUCH_VARIABLE is not set."


async def test_server_that_lists_nothing_is_up_and_its_typed_models_stand(up: LocalRouter):
    async with serving(Answer([b"no"], 404, "text/plain")) as server:
        add(up.upstreams, "plain", server.base_url)
        add(up.upstreams, "typed", server.base_url, models=["m"])
        async with httpx.AsyncClient(headers=HEADERS) as http:
            await http.get(f"{up.base_url}/v1/models")
            await asyncio.to_thread(eventually, lambda: all(found.listed.state == "up" for found in up.upstreams.status()[1:]))
    by_name = {status.config.name: status.listed for status in up.upstreams.status()}
    assert (by_name["plain"].models, by_name["plain"].problem) == ((), "It lists no models; name them.")
    assert (by_name["typed"].models, by_name["typed"].problem) == (("m",), "")


async def test_embeddings_come_in_the_texts_order_and_in_small_calls():
    with chat_server() as server:
        upstreams = Upstreams()
        add(upstreams, "chat", server.base_url)
        texts = ["x" * (index % 7) for index in range(EMBEDDED_AT_ONCE + 3)]
        vectors = await upstreams.embed("chat/some/model", texts)
        assert vectors == [[float(len(text)), 1.0, 0.5] for text in texts]
        assert [(body["model"], len(body["input"])) for body in server.bodies("/v1/embeddings")] == [
            ("some/model", EMBEDDED_AT_ONCE),
            ("some/model", 3),
        ]
        assert set(server.keys) == {f"Bearer {UPSTREAM_KEY}"}
        assert await upstreams.embed("chat/some/model", []) == []
        await upstreams.aclose()


async def test_scores_come_in_the_documents_order_and_logits_as_shares():
    with chat_server() as server:
        upstreams = Upstreams()
        add(upstreams, "chat", server.base_url)
        server.scores = [0.2, 0.9, 0.0]
        assert await upstreams.rerank("chat/m", "q", ["a", "b", "c"]) == [0.2, 0.9, 0.0]
        assert server.requests[-1][1] == {"model": "m", "query": "q", "documents": ["a", "b", "c"], "top_n": 3}
        server.scores = [-2.0, 3.0]
        assert await upstreams.rerank("chat/m", "q", ["a", "b"]) == pytest.approx([1 / (1 + math.exp(2)), 1 / (1 + math.exp(-3))])
        assert await upstreams.rerank("chat/m", "q", []) == []
        await upstreams.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        {"data": [{"index": 0, "embedding": [1, 2]}]},
        {"data": [{"index": 0, "embedding": [1, 2]}, {"index": 1, "embedding": [1]}]},
        {"data": [{"index": 0, "embedding": "AAAA"}, {"index": 1, "embedding": "AAAA"}]},
        {"data": None},
        [],
        {"results": [{"index": 0, "relevance_score": 1}]},
        {"results": [{"index": 0, "relevance_score": None}, {"index": 1}]},
    ],
    ids=str,
)
async def test_embeddings_and_scores_that_are_none_are_a_502(answer):
    async with serving(Answer([json.dumps(answer).encode()], content_type="application/json")) as server:
        upstreams = Upstreams()
        add(upstreams, "bytes", server.base_url)
        for work in (upstreams.embed("bytes/m", ["a", "b"]), upstreams.rerank("bytes/m", "q", ["a", "b"])):
            with pytest.raises(ApiError) as raised:
                await work
            assert raised.value.status == 502
        await upstreams.aclose()


async def test_embedding_with_no_upstream_or_a_dead_one_is_told():
    upstreams = Upstreams()
    with pytest.raises(ApiError, match="no upstream for the model local/x"):
        await upstreams.embed("local/x", ["a"])
    add(upstreams, "dead", "http://127.0.0.1:9")
    with pytest.raises(ApiError, match="Upstream dead was not reached"):
        await upstreams.rerank("dead/x", "q", ["a"])
    await upstreams.aclose()


def test_added_upstream_survives_a_restart_and_its_key_does_not(tmp_path: Path):
    file = tmp_path / "upstreams.json"
    first = Upstreams(added_file=file)
    first.put(UpstreamConfig(name="a", base_url="http://a"), SecretStr(UPSTREAM_KEY))
    assert first.has_typed_key("a")
    again = Upstreams(added_file=file)
    again.load()
    assert [status.config.name for status in again.status()] == ["a"]
    assert not again.has_typed_key("a")
    assert UPSTREAM_KEY not in file.read_text()
    again.remove("a")
    third = Upstreams(added_file=file)
    third.load()
    assert third.status() == ()


def test_file_wins_over_an_added_upstream_of_its_name_and_is_not_changed_from_here(tmp_path: Path):
    toml, added = tmp_path / "router.toml", tmp_path / "upstreams.json"
    before = Upstreams(toml, added)
    before.put(UpstreamConfig(name="a", base_url="http://added"))
    toml.write_text('[[upstream]]\nname = "a"\nbase_url = "http://file"\n')
    upstreams = Upstreams(toml, added)
    upstreams.load()
    assert [(status.config.base_url, status.source) for status in upstreams.status()] == [("http://file", "file")]
    assert "router.toml has one of that name" in upstreams.problems[0]
    for change in (lambda: upstreams.put(UpstreamConfig(name="a", base_url="http://b")), lambda: upstreams.remove("a")):
        with pytest.raises(ValueError, match=r"router\.toml"):
            change()


def test_typed_key_goes_only_to_the_address_it_was_typed_for():
    upstreams = Upstreams()
    upstreams.put(UpstreamConfig(name="a", base_url="http://a"), SecretStr(UPSTREAM_KEY))
    upstreams.put(UpstreamConfig(name="a", base_url="http://a", models=["m"]))
    assert upstreams.has_typed_key("a")
    upstreams.put(UpstreamConfig(name="a", base_url="http://elsewhere"))
    assert not upstreams.has_typed_key("a")


async def test_key_of_the_environment_is_read_when_it_is_needed():
    environ: dict[str, str] = {}
    with chat_server() as server:
        upstreams = Upstreams(environ=environ)
        upstreams.put(UpstreamConfig(name="chat", base_url=server.base_url, api_key_env="SOME_KEY"))
        await upstreams.embed("chat/m", ["a"])
        environ["SOME_KEY"] = UPSTREAM_KEY
        await upstreams.embed("chat/m", ["a"])
        assert server.keys == ["", f"Bearer {UPSTREAM_KEY}"]
        await upstreams.aclose()


async def test_key_is_seen_nowhere_but_at_its_upstream(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """An upstream that says back what it was sent, in every way an answer can fail."""
    said = f"Bearer {UPSTREAM_KEY}"
    answers = [
        Answer([json.dumps({"error": {"message": said, "param": said}}).encode()], status, "application/json", {"x-echo": said})
        for status in (400, 401, 404, 429, 500)
    ]
    answers += [
        Answer([b"data: " + json.dumps({"error": {"message": said}}).encode() + b"\n\n"]),
        Answer([said.encode()], 200, "text/html"),
    ]
    with LocalRouter(api_key=KEY, pace=0, config=RouterConfig(tmp_path)).running() as router:
        seen = [repr(router.upstreams), repr(router)]
        for answer in answers:
            async with serving(answer) as server:
                add(router.upstreams, "bytes", server.base_url)
                async with httpx.AsyncClient(base_url=router.base_url, headers=HEADERS) as http:
                    for streamed in (True, False):
                        reply = await http.post("/v2/router/completions", json={"model": "bytes/m", "prompt": "p", "stream": streamed})
                        trace = await http.get(f"/v2/router/traces/{reply.headers['x-router-request-id']}")
                        seen += [reply.text, str(reply.headers), trace.text]
                    seen.append((await http.get("/v1/models")).text)
                assert any(said in request.headers.values() for request in server.requests)
        seen += [repr(status) for status in router.upstreams.status()]
        seen += [repr(router.upstreams.find("bytes/m")), repr(router.upstreams.find("bytes/m")[0].connection())]
    seen += [*contents(tmp_path), caplog.text]
    assert UPSTREAM_KEY not in "\n".join(seen)


def test_unknown_prefix_is_told_with_the_upstreams_there_are(ask: Ask, chat: ChatServer):
    reply = ask(model="nobody/m")
    assert reply.status_code == 404
    assert "chat/<model>" in reply.json()["error"]["message"]
    assert ask(model="chat/").status_code == 404
    assert ask(model="chat").status_code == 404
