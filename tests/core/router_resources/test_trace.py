"""The trace that the hub reads after a run's end: from the local router, and from servers that only look like it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from core.connection import DEFAULT_PATHS, Connection
from core.hub.hub import Hub
from core.local_router.server import LocalRouter
from core.router_resources.trace import LARGEST_TRACE, TRACE_S
from core.run import RunSnapshot
from tests.core.hub.test_hub import CANARY, connection_to, ended, taken, until
from tests.core.replay_upstream import ReplayUpstream

PROMPT = {"prompt": "A function definition", "max_tokens": 8}


@pytest.fixture(scope="module")
def router() -> Iterator[LocalRouter]:
    with LocalRouter(pace=0).running() as running:
        yield running


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    opened = Hub()
    await opened.open()
    yield opened
    await opened.close()


def local(router: LocalRouter) -> Connection:
    return Connection("Local router", "local", router.base_url, DEFAULT_PATHS["local"], router.api_key)


async def traced(hub: Hub, run_id: str) -> RunSnapshot:
    await until(lambda: taken(hub, run_id).ended and not hub.awaits_trace(run_id))
    return taken(hub, run_id)


def kinds(run: RunSnapshot) -> list[str]:
    assert run.trace is not None
    return [event["type"] for event in run.trace["events"]]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_run_on_the_local_router_gets_the_trace_of_its_own_request(hub: Hub, router: LocalRouter, stream: bool) -> None:
    run = await traced(hub, hub.start({"model": "local/pydoc", "stream": stream, **PROMPT}, local(router)))
    assert run.trace is not None
    assert (run.trace["id"], run.trace["state"]) == (run.request_id, "finished")
    assert kinds(run) == ["attempt", "first_token", "end"]


async def test_a_refused_run_has_a_trace_too_and_what_the_answers_headers_told(hub: Hub, router: LocalRouter) -> None:
    body = {"model": "rehearsal/503", "fallbacks": [{"model": "rehearsal/500"}], **PROMPT}
    run = await traced(hub, hub.start(body, local(router)))
    assert run.status == "failed"
    assert kinds(run) == ["attempt", "fallback", "attempt", "end"]
    assert run.headers["x-router-attempts"] == "2"


async def test_a_stopped_runs_trace_is_read_once_the_router_noticed(hub: Hub) -> None:
    with LocalRouter(pace=50).running() as slow:
        run_id = hub.start({"model": "local/pydoc", "stream": True, "prompt": "A function", "max_tokens": 2000}, local(slow))
        await until(lambda: taken(hub, run_id).pieces)
        hub.stop(run_id)
        run = await traced(hub, run_id)
    assert run.status == "stopped"
    assert run.trace is not None
    assert run.trace["state"] == "cancelled"


async def test_a_request_that_was_refused_before_it_had_a_trace_ends_without_one(hub: Hub, router: LocalRouter) -> None:
    run = await traced(hub, hub.start({"model": "local/pydoc", "prompt": "p", "temperature": 9}, local(router)))
    assert (run.status, run.trace) == ("failed", None)


def response(value: Any) -> bytes:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        response([]),
        response({"events": {}}),
        response({"events": [], "padding": "x" * LARGEST_TRACE}),
        response(b'{"events": ['),
        response(b'{"events":' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
    ],
    ids=["404", "500", "list", "no events", "too large", "no JSON", "too deep"],
)
async def test_a_server_without_a_usable_trace_costs_the_run_nothing(hub: Hub, answer: bytes) -> None:
    async with ReplayUpstream() as upstream:
        upstream.trace = answer
        run = await traced(hub, hub.start({"model": "tokens=3"}, connection_to(upstream.base_url)))
        assert (run.status, run.trace) == ("finished", None)
        assert upstream.asked == ["/v2/router/traces/req-1"]


async def test_a_server_without_the_header_is_not_asked(hub: Hub) -> None:
    async with ReplayUpstream() as upstream:
        run = await traced(hub, hub.start({"model": "tokens=3/whole"}, connection_to(upstream.base_url)))
        assert run.status == "finished"
        assert upstream.asked == []


async def test_the_end_does_not_wait_for_a_trace_that_does_not_come(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.hub.hub.TRACE_S", 0.3)
    async with ReplayUpstream() as upstream:
        upstream.trace = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
        run_id = hub.start({"model": "tokens=3"}, connection_to(upstream.base_url))
        await ended(hub, run_id)
        assert hub.awaits_trace(run_id)
        began = time.monotonic()
        run = await traced(hub, run_id)
    assert run.trace is None
    assert time.monotonic() - began < 30


async def test_a_key_that_the_trace_repeats_is_masked() -> None:
    seen: list[RunSnapshot] = []
    hub = Hub(on_change=seen.extend)
    await hub.open()
    async with ReplayUpstream() as upstream:
        upstream.trace = response({"events": [], "name": f"Bearer {CANARY}"})
        run = await traced(hub, hub.start({"model": "tokens=3"}, connection_to(upstream.base_url)))
        assert run.trace == {"events": [], "name": "Bearer **********"}
    await hub.close()
    assert seen[-1].trace == run.trace, "what is stored last has the trace"


async def test_closing_the_hub_waits_for_no_trace() -> None:
    hub = Hub()
    await hub.open()
    async with ReplayUpstream() as upstream:
        upstream.trace = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
        await ended(hub, hub.start({"model": "tokens=3"}, connection_to(upstream.base_url)))
        async with asyncio.timeout(TRACE_S - 1):
            await hub.close()
