"""Every way a request can fail, as the official client tells it: whole and streamed, sync and async."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import orq_ai_sdk
import pytest
from orq_ai_sdk.models import APIDefaultError, APIErrorResponse, ErrorResponse, OrqError, ResponseValidationError
from pydantic import SecretStr

from core.local_router.api_error import CODES
from core.local_router.server import LocalRouter
from core.local_router.upstreams import UpstreamConfig
from tests.core.local_router.conftest import KEY
from tests.core.local_router.effects.conftest import WAYS

ASKED: dict[str, Any] = {"model": "local/pydoc", "prompt": "A function definition", "temperature": 0, "max_tokens": 12}


class Client:
    """The official client, asking in one of its four ways."""

    def __init__(self, base_url: str, way: str) -> None:
        self.base_url = base_url
        self.streams = way.endswith("stream")
        self.is_async = way.startswith("async")
        self.heard: list[str] = []

    def ask(self, key: str = KEY, **fields: Any) -> None:
        """Raises what the client raises; ``heard`` has the texts that came before."""
        asked = ASKED | fields | ({"stream": True} if self.streams else {})
        asyncio.run(self._ask_async(key, asked)) if self.is_async else self._ask(key, asked)

    def _ask(self, key: str, asked: dict[str, Any]) -> None:
        with orq_ai_sdk.Orq(api_key=key, server_url=self.base_url) as orq:
            answer = orq.router.completions.create(**asked)
            if self.streams:
                with answer:
                    self.heard.extend(event.data.choices[0].text for event in answer)

    async def _ask_async(self, key: str, asked: dict[str, Any]) -> None:
        async with orq_ai_sdk.Orq(api_key=key, server_url=self.base_url) as orq:
            answer = await orq.router.completions.create_async(**asked)
            if self.streams:
                async with answer:
                    async for event in answer:
                        self.heard.append(event.data.choices[0].text)


@pytest.fixture(params=WAYS)
def client(router: LocalRouter, request: pytest.FixtureRequest) -> Client:
    return Client(router.base_url, request.param)


def told(error: OrqError) -> dict[str, Any]:
    """The error in the answer's body."""
    found: dict[str, Any] = json.loads(error.body)["error"]
    return found


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 501, 502, 503, 504, 529])
def test_each_status_is_the_clients_error_for_it(client: Client, status):
    with pytest.raises(APIErrorResponse if status == 401 else APIDefaultError) as raised:
        client.ask(model=f"rehearsal/{status}")
    code, kind, _ = CODES[status]
    said = told(raised.value)
    assert (raised.value.status_code, said["code"], said["type"]) == (status, code, kind)
    assert raised.value.headers["x-router-model"] == f"rehearsal/{status}"


def test_too_many_requests_come_with_a_wait(client: Client):
    with pytest.raises(APIDefaultError) as raised:
        client.ask(model="rehearsal/429")
    headers = raised.value.headers
    assert (headers["retry-after"], headers["retry-after-ms"], headers["x-ratelimit-remaining"]) == ("1", "1000", "0")


def test_wrong_key_is_typed_with_all_its_fields(client: Client):
    with pytest.raises(APIErrorResponse) as raised:
        client.ask(key="sk-wrong")
    error = raised.value.data.error
    assert (error.code, error.param, error.type) == ("invalid_api_key", None, "authentication_error")
    assert str(raised.value) == error.message


@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"temperature": 3}, 400, "invalid_request_body", "temperature"),
        ({"model": "local/none"}, 404, "model_not_found", "model"),
        ({"orq": {"prompt": {"id": "none", "version": "latest"}}}, 404, "prompt_not_found", "orq.prompt.id"),
        ({"orq": {"knowledge_bases": [{"knowledge_id": "none"}]}}, 404, "not_found", "orq.knowledge_bases.0.knowledge_id"),
        ({"plugins": [{"id": "pii_redaction", "language": "tlh"}]}, 400, "pii_redaction_failed", "plugins.0.language"),
        ({"model": "rehearsal/slow-60000ms", "timeout": {"call_timeout": 30}}, 504, "provider_timeout", "timeout.call_timeout"),
    ],
    ids=["400", "404 model", "404 prompt", "404 base", "400 plugin", "504"],
)
def test_what_is_wrong_with_a_request_is_named(client: Client, fields, status, code, param):
    with pytest.raises(APIDefaultError) as raised:
        client.ask(**fields)
    assert (raised.value.status_code, told(raised.value)["code"], told(raised.value)["param"]) == (status, code, param)


@pytest.mark.parametrize("way", WAYS)
def test_upstream_that_is_not_there_is_a_502(up: LocalRouter, way):
    up.upstreams.put(UpstreamConfig(name="gone", base_url="http://127.0.0.1:9"), SecretStr(""))
    with pytest.raises(APIDefaultError) as raised:
        Client(up.base_url, way).ask(model="gone/model")
    assert (raised.value.status_code, told(raised.value)["code"]) == (502, "provider_error")


def test_answer_cut_off_is_the_connections_error_and_keeps_what_came(client: Client):
    with pytest.raises(httpx.RemoteProtocolError):
        client.ask(model="rehearsal/cut-after-3")
    assert len(client.heard) == (3 if client.streams else 0)


def test_garbled_answer_is_no_valid_response(client: Client):
    with pytest.raises(ResponseValidationError):
        client.ask(model="rehearsal/malformed-after-3")
    assert len(client.heard) == (3 if client.streams else 0)


def test_error_in_the_answer_is_an_error_with_its_words(client: Client):
    with pytest.raises(ResponseValidationError if client.streams else APIDefaultError) as raised:
        client.ask(model="rehearsal/error-after-3")
    assert "error after 3 tokens" in raised.value.body
    assert len(client.heard) == (3 if client.streams else 0)


def test_router_that_is_gone_is_the_connections_error():
    for way in WAYS:
        with pytest.raises(httpx.ConnectError):
            Client("http://127.0.0.1:9", way).ask()


def test_library_that_has_no_such_thing_says_so_in_the_clients_own_error(router: LocalRouter):
    with orq_ai_sdk.Orq(api_key=KEY, server_url=router.base_url) as orq:
        for find in (orq.prompts.retrieve, orq.identities.retrieve):
            with pytest.raises(ErrorResponse, match="There is no") as raised:
                find(id="none")
            assert raised.value.status_code == 404
        with pytest.raises(APIDefaultError) as refused:
            orq.knowledge.delete(knowledge_id="python-reference")
        assert refused.value.status_code == 409
