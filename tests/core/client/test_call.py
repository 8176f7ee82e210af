"""Other addresses of a router than completions."""

from __future__ import annotations

import pytest

from core.client.client import RouterClient
from core.connection import Connection
from core.errors import RouterRejected
from core.local_router.server import LocalRouter


@pytest.fixture(scope="module")
def connection():
    with LocalRouter(pace=0).running() as router:
        yield Connection("Local", "local", router.base_url, "/v2/router/completions", router.api_key)


async def test_call_gives_the_json_at_another_address(connection):
    async with RouterClient(connection) as client:
        listed = await client.call("GET", "/v3/router/models")
    assert listed["data"][0]["id"].startswith("local/")


async def test_call_sends_its_body_as_json_and_the_key(connection):
    async with RouterClient(connection) as client:
        answer = await client.call("POST", "/v2/router/completions", {"model": "rehearsal/ok", "prompt": "Hi"})
    assert answer["object"] == "text_completion"


async def test_call_raises_what_the_router_says(connection):
    async with RouterClient(connection) as client:
        with pytest.raises(RouterRejected) as caught:
            await client.call("GET", "/v2/router/traces/none")
    assert caught.value.status == 404
