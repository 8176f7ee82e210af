"""What the local router's routing policies cost: a request with all of them beside the same request with none, over loopback."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import httpx

from core.local_router.server import LocalRouter
from tests.benchmarks.row import Row, row

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


def run() -> list[Row]:
    """Pairs of requests of one token, the cache missed each time; the median of each side, and what lies between."""
    router = LocalRouter(api_key="", pace=0)
    with router.running(), httpx.Client(base_url=router.base_url, timeout=30, trust_env=False) as client:
        return [figure for streamed in (False, True) for figure in _rows(client, streamed)]


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
    client.post("/v2/router/completions", json={"model": MODEL, "prompt": "A", "max_tokens": 1, **fields}).raise_for_status()
    return (time.perf_counter() - began) * 1_000
