"""What the local router's routing policies cost: a request with all of them beside the same request with none, over loopback."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from core.local_router.server import LocalRouter
from tests.benchmarks.load import Load, load
from tests.benchmarks.row import Row, row
from tests.benchmarks.server_process import ServerProcess, free_port, local_router, serving

PAIRS = 400
WARM_UP = 50
MODEL = "rehearsal/ok"
ALL: dict[str, Any] = {
    "cache": {"type": "exact_match"},
    "load_balancer": {"type": "weight_based", "models": [{"model": MODEL, "weight": 0.4}, {"model": MODEL, "weight": 0.8}]},
    "retry": {"on_codes": [429, 500]},
    "fallbacks": [{"model": "local/pydoc"}],
    "timeout": {"call_timeout": 30_000},
}
ASKED: dict[str, Any] = {"model": MODEL, "prompt": "A", "max_tokens": 1}
CLIENTS = 16
REQUESTS = 4_000
LITELLM_REQUESTS = 500
SETTLED, MANY = 20_000, 100_000
PIPELINED = 32

LITELLM = "BENCH_LITELLM_PYTHON"
"""Names a Python with ``litellm[proxy]`` installed, to compare with; it is no dependency of ours."""

LITELLM_KEY = "sk-litellm-of-the-benchmark-01"
"""Without a key it does not start."""


def run() -> list[Row]:
    """Pairs of requests of one token, the cache missed each time; the median of each side, and what lies between. Then many at once."""
    router = LocalRouter(api_key="", pace=0)
    with router.running(), httpx.Client(base_url=router.base_url, timeout=30, trust_env=False) as client:
        rows = [figure for streamed in (False, True) for figure in _rows(client, streamed)]
    with local_router() as server:
        return [*rows, *_throughput(server), *_memory(server)]


def _rows(client: httpx.Client, streamed: bool) -> list[Row]:
    bare, routed, stored = [], [], []
    for number in range(WARM_UP + PAIRS):
        bare.append(_took_ms(client, {"seed": number, "stream": streamed}))
        routed.append(_took_ms(client, ALL | {"seed": number, "stream": streamed}))
        stored.append(_took_ms(client, ALL | {"seed": number, "stream": streamed}))
    without, with_all, hit = (median(side[WARM_UP:]) for side in (bare, routed, stored))
    kind = "streamed" if streamed else "whole"
    return [
        row(f"all policies over none, {kind}, {PAIRS} pairs", "ms", with_all - without, target="≤ 1.5 ms"),
        row(f"request with all policies, {kind}", "ms", with_all, reference=("with none", without)),
        row(f"request from the cache, {kind}", "ms", hit, reference=("with none", without)),
    ]


def _took_ms(client: httpx.Client, fields: dict[str, Any]) -> float:
    began = time.perf_counter()
    client.post("/v2/router/completions", json={**ASKED, **fields}).raise_for_status()
    return (time.perf_counter() - began) * 1_000


def _throughput(server: ServerProcess) -> list[Row]:
    """All policies, clients in another process; the router on one core, by the clock and by its own processor time."""
    load(server.url, {**ASKED, **ALL}, clients=CLIENTS, requests=500)
    before_s = server.cpu_s()
    done = load(server.url, {**ASKED, **ALL, "seed": 1_000}, clients=CLIENTS, requests=REQUESTS)
    cpu_s = server.cpu_s() - before_s
    name = f"requests with all policies, {CLIENTS} clients, one core"
    return [
        row(name, "requests/s", done.requests_per_s, target="≥ 800 requests/s"),
        row(f"{name}, by its own processor time", "requests/s", REQUESTS / cpu_s, target="≥ 800 requests/s"),
        *_beside_litellm(done, REQUESTS / cpu_s),
    ]


def _beside_litellm(ours: Load, ours_by_cpu: float) -> list[Row]:
    """The same clients at a LiteLLM proxy that answers from its configuration; no row, and a word on why, where there is none."""
    python = os.environ.get(LITELLM)
    if not python:
        return [row(f"LiteLLM was not measured: {LITELLM} names no Python that has it", "requests/s", ours.requests_per_s)]
    mock = {"model_name": "mock", "litellm_params": {"model": "openai/mock", "api_key": "none", "mock_response": "A"}}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(json.dumps({"model_list": [mock], "general_settings": {"master_key": LITELLM_KEY}}))
        port = free_port()
        command = [str(Path(python).parent / "litellm"), "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
        with serving(command, port, "/health/liveliness") as server:
            body = {"model": "mock", "prompt": "A", "max_tokens": 1}
            load(server.url, body, clients=CLIENTS, requests=100, path="/v1/completions", key=LITELLM_KEY)
            before_s = server.cpu_s()
            theirs = load(server.url, body, clients=CLIENTS, requests=LITELLM_REQUESTS, path="/v1/completions", key=LITELLM_KEY)
            cpu_s = server.cpu_s() - before_s
    reference = ("LiteLLM proxy, mock answer", theirs.requests_per_s)
    by_cpu = ("LiteLLM proxy, mock answer", LITELLM_REQUESTS / cpu_s)
    return [
        row("requests beside LiteLLM", "requests/s", ours.requests_per_s, target="≥ 5 ×", reference=reference, more_is_better=True),
        row("the same by processor time", "requests/s", ours_by_cpu, target="≥ 5 ×", reference=by_cpu, more_is_better=True),
    ]


def _memory(server: ServerProcess) -> list[Row]:
    """What the router holds after many requests over what it held when its traces were full. No answers are cached: that is bounded in
    bytes, and takes more requests to fill."""
    body = {**ASKED, **{name: block for name, block in ALL.items() if name != "cache"}}
    load(server.url, body, clients=CLIENTS, requests=SETTLED, pipelined=PIPELINED)
    settled_mb = server.resident_mb()
    load(server.url, {**body, "seed": SETTLED}, clients=CLIENTS, requests=MANY - SETTLED, pipelined=PIPELINED)
    grown_mb = server.resident_mb() - settled_mb
    return [
        row(f"memory after {SETTLED:,} requests, in all", "MB", settled_mb),
        row(f"what {MANY - SETTLED:,} requests more add to it", "MB", grown_mb, target="≤ 8 MB"),
    ]
