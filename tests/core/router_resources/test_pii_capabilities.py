"""Reading what a router can look for."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from core.client.client import RouterClient
from core.connection import DEFAULT_PATHS, Connection
from core.errors import RouterRejected
from core.local_router.server import LocalRouter
from core.router_resources.pii_capabilities import PiiCapabilities, pii_capabilities


async def test_local_router_tells_what_it_can_look_for():
    with LocalRouter(pace=0).running() as router:
        async with RouterClient(Connection("Local", "local", router.base_url, DEFAULT_PATHS["local"], router.api_key)) as client:
            told = await pii_capabilities(client)
    assert told is not None
    assert told.entities[0] == "EMAIL_ADDRESS"
    assert len(set(told.entities)) == len(told.entities)
    assert {"nl", "all"} <= set(told.regions)
    assert "en" in told.languages


async def asked(status: int, body: Any) -> PiiCapabilities | None:
    answer = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    async with httpx.AsyncClient(transport=answer) as http:
        connection = Connection("Away", "orq", "http://router.test", DEFAULT_PATHS["orq"], None)
        return await pii_capabilities(RouterClient(connection, http=http))


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_router_without_the_address_has_none(status: int):
    assert await asked(status, {"error": {"message": "no"}}) is None


async def test_other_refusals_are_errors():
    with pytest.raises(RouterRejected):
        await asked(403, {"error": {"message": "no"}})


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, PiiCapabilities((), (), ())),
        ([], PiiCapabilities((), (), ())),
        (
            {"languages": ["en", None, "en"], "base_entities": ["A"], "all_entities": ["B", "A"], "regions": "nl"},
            PiiCapabilities(("en",), ("A", "B"), ()),
        ),
    ],
)
async def test_what_cannot_be_read_is_left_out(body: Any, told: PiiCapabilities):
    assert await asked(200, body) == told
