"""Thousands of requests, 64 at once, most of them with a fault somewhere, in a model or an upstream: all are answered, and nothing is left
behind."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import os
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from core.client import connection_pool
from core.local_router.clock import Clock
from core.local_router.server import listen, make_server
from core.local_router.upstreams import UpstreamConfig, Upstreams
from tests.core.local_router import faulty_upstream as faults
from tests.core.local_router.fakes import at_once
from tests.core.local_router.faulty_upstream import FAULTS, FaultyUpstream, faulty_upstream
from tests.support.conditions import comes_true

REQUESTS = int(os.environ.get("FAULT_REQUESTS", "3000"))
"""In every run of the tests; FAULT_REQUESTS=10000 is the long one."""
AT_ONCE = 64
SCRIPTS = (
    "ok",
    "429-ok",
    "503",
    "500-ok",
    "529-503-ok",
    "cut-after-3",
    "malformed-after-2",
    "error-after-1",
    "content-filter",
    "slow-30ms",
    "slow-60000ms",
    "cut-after-0",
)
Outcome = str


def random_request(rng: random.Random) -> dict[str, Any]:
    """A request with a fault, most likely, and policies against it."""

    def model() -> str:
        drawn = rng.random()
        if drawn < 0.25:
            return "local/pydoc-1"
        return f"rehearsal/{rng.choice(SCRIPTS)}" if drawn < 0.65 else f"faulty/{rng.choice(list(FAULTS))}"

    if rng.random() < 0.2:  # few different ones, so that the cache reaches its size soon
        asked = {"model": model(), "prompt": "x", "max_tokens": 8, "seed": rng.randrange(3), "timeout": {"call_timeout": 200}}
        return asked | {"cache": {"type": "exact_match"}, "stream": rng.random() < 0.5}
    body: dict[str, Any] = {"model": model(), "prompt": "def " * rng.randrange(1, 5), "max_tokens": rng.randrange(1, 12)}
    body["timeout"] = {"call_timeout": 200}
    body["stream"] = rng.random() < 0.6
    if rng.random() < 0.4:
        body["retry"] = {"count": rng.randrange(1, 3), "on_codes": [429, 500, 502, 503, 504, 529]}
    if rng.random() < 0.4:
        body["fallbacks"] = [{"model": model()} for _ in range(rng.randrange(1, 3))]
    if rng.random() < 0.3:
        body["load_balancer"] = {"type": "weight_based", "models": [{"model": model()}, {"model": model()}]}
    if rng.random() < 0.05:
        body["temperature"] = 7
    return body


async def answer_of(port: int, body: dict[str, Any], *, at_most: int = -1) -> bytes:
    """What comes back over a connection of its own, or the first ``at_most`` bytes of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    content = json.dumps(body).encode()
    head = f"POST /v2/router/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(content)}\r\n\r\n"
    writer.write(head.encode() + content)
    try:
        return await reader.read(at_most)
    finally:
        writer.close()


async def ask(port: int, body: dict[str, Any], *, leaves: bool) -> Outcome:
    """How one request went: a status with how its answer ended, ``left``, or ``unanswered``."""
    answer = await answer_of(port, body, at_most=1 if leaves else -1)
    if leaves:
        return "left"
    status = answer[9:12].decode()
    whole = answer.endswith(b"0\r\n\r\n") if b"chunked" in answer[:400].lower() else answer.endswith(b"}")
    return f"{status} {'whole' if whole else 'cut'}" if status else "unanswered"


@asynccontextmanager
async def served(upstream: FaultyUpstream) -> AsyncIterator[int]:
    """The port of a router that runs in this loop, where its tasks can be counted, with ``upstream`` as ``faulty``."""
    upstreams = Upstreams()
    upstreams.put(UpstreamConfig(name="faulty", base_url=upstream.base_url))
    with listen(0) as listener:
        server = make_server(SecretStr(""), 0, Clock(sleep=at_once), upstreams=upstreams)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await comes_true(lambda: server.started)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


def sockets() -> int:
    """This process's open sockets."""
    links = (link for link in Path("/proc/self/fd").iterdir())
    return sum(os.readlink(link).startswith("socket:") for link in links if link.exists())


def memory() -> int:
    """The bytes this process holds in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def soak(port: int, requests: int, rng: random.Random) -> Counter[Outcome]:
    """The outcomes of so many random requests, ``AT_ONCE`` at a time; a tenth of the clients leave."""
    outcomes: Counter[Outcome] = Counter()
    left = iter(range(requests))

    async def client() -> None:
        for _ in left:
            outcomes[await ask(port, random_request(rng), leaves=rng.random() < 0.1)] += 1

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    return outcomes


@pytest.mark.takes(8)
async def test_every_request_is_answered_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection_pool, "KEEPALIVE_S", 0.3)  # connections to the upstream are kept so long
    rng = random.Random(11)
    async with faulty_upstream() as upstream, served(upstream) as port:
        tasks_before, open_before = asyncio.all_tasks(), sockets()
        await soak(port, 2_000, rng)  # caches, traces and scripts reach their size
        memory_before = memory()
        async with asyncio.timeout(300):  # ten seconds on an idle machine
            outcomes = await soak(port, REQUESTS, rng)
            await comes_true(lambda: not upstream.open)
            await comes_true(lambda: not asyncio.all_tasks() - tasks_before and sockets() <= open_before)
        grown, seen = memory() - memory_before, upstream.seen
    assert seen > REQUESTS / 10
    assert grown < REQUESTS * 2_000  # bytes: an answer left a request would be more
    assert outcomes.total() == REQUESTS
    assert outcomes["unanswered"] == 0
    assert {outcome.partition(" ")[0] for outcome in outcomes} <= {"200", "400", "404", "429", "500", "502", "503", "504", "529", "left"}
    assert outcomes["200 whole"] > REQUESTS / 4
    assert outcomes["200 cut"]  # rehearsed


POLICIES: dict[str, dict[str, Any]] = {
    "none": {},
    "cache": {"cache": {"type": "exact_match"}},
    "limit and retries": {"timeout": {"call_timeout": 60_000}, "retry": {"count": 2, "on_codes": [504]}},
    "hidden data": {"plugins": [{"id": "pii_redaction"}], "prompt": "Mail ada@example.com"},
    "all": {
        "cache": {"type": "exact_match"},
        "load_balancer": {"type": "weight_based", "models": [{"model": "faulty/hangs"}]},
        "timeout": {"call_timeout": 60_000},
        "retry": {"count": 1},
        "fallbacks": [{"model": "local/pydoc-1"}],
        "orq": {"identity": {"id": "ada"}, "thread": {"id": "t"}},
    },
}


async def left_after_s(port: int, upstream: FaultyUpstream, body: dict[str, Any]) -> float:
    """Seconds from a client's leaving, once the upstream is at work for it, to the end of that work."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    content = json.dumps(body).encode()
    writer.write(f"POST /v2/router/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
    await comes_true(lambda: upstream.answering)
    await asyncio.sleep(0.02)  # into the answer
    writer.close()
    left_at = asyncio.get_running_loop().time()
    await comes_true(lambda: not upstream.answering)
    return asyncio.get_running_loop().time() - left_at


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("model", ["faulty/hangs", "faulty/falls-silent", "faulty/trickles"])
async def test_client_that_leaves_ends_the_upstreams_call_whatever_is_around_it(policy: str, model: str):
    async with faulty_upstream() as upstream, served(upstream) as port:
        for streamed in (True, False):
            body = {"model": model, "prompt": "x", "stream": streamed, **POLICIES[policy]}
            took_s = [await left_after_s(port, upstream, body)]
            while min(took_s) > 0.1 and len(took_s) < 5:  # the best of five, for other tests run beside this one
                took_s.append(await left_after_s(port, upstream, body))
            assert min(took_s) < 0.1


async def test_trickle_is_put_together_and_ends_at_the_call_timeout(monkeypatch: pytest.MonkeyPatch):
    body = {"model": "faulty/trickles", "prompt": "x", "stream": True}
    async with faulty_upstream() as upstream, served(upstream) as port:
        late = await answer_of(port, {**body, "timeout": {"call_timeout": 100}})
        assert late.startswith(b"HTTP/1.1 504")
        await comes_true(lambda: not upstream.answering)
        monkeypatch.setattr(faults, "BYTE_S", 0.0005)
        whole = await answer_of(port, body)
    assert re.findall(rb'"text":"([^"]+)"', whole) == [b" t0", b" t1", b" t2"]
    assert whole.count(b"[DONE]") == 1


SEARCHES = 20
"""More at once than asyncio has threads of its own."""


async def test_server_that_hangs_while_it_embeds_holds_up_nobody_and_is_left_with_the_client():
    async with faulty_upstream() as upstream, served(upstream) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        (await http.post("/v2/knowledge", json={"key": "kb"})).raise_for_status()
        file = {"name": "a.txt", "content_base64": base64.b64encode(b"The otter swims.").decode()}
        (await http.post("/v2/knowledge/kb/documents", json=file)).raise_for_status()
        (await http.patch("/v2/knowledge/kb", json={"embedding_model": "faulty/hangs"})).raise_for_status()
        body = {"model": "local/pydoc-1", "prompt": "otter", "orq": {"knowledge_bases": [{"knowledge_id": "kb"}]}}
        asking = [asyncio.ensure_future(answer_of(port, body)) for _ in range(SEARCHES)]
        await comes_true(lambda: upstream.answering)
        while (await http.get("/healthz")).json()["under_way"] < SEARCHES:
            pass
        listed = await http.get("/v2/knowledge", timeout=10)
        assert listed.status_code == 200
        for client in asking:
            client.cancel()
        await comes_true(lambda: not upstream.answering)
        (await http.patch("/v2/knowledge/kb", json={"embedding_model": "local/tfidf-svd"})).raise_for_status()
        assert b"200 OK" in await answer_of(port, body)
