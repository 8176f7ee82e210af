"""How fast the embedded language model talks when nothing holds it back: tokens a second, one stream, over loopback."""

from __future__ import annotations

import re
import time
from statistics import median

import httpx

from core.local_router.server import LocalRouter
from tests.benchmarks.row import Row, row
from tests.support.replay import Script, replaying

TOKENS = 6_000
SAMPLES = 5


def run() -> list[Row]:
    """``local/pydoc`` unpaced, against a server that only replays as many frames: the transport's own limit."""
    router = LocalRouter(pace=0)
    router.start()
    try:
        key = router.api_key.get_secret_value()
        ours = median(tokens_per_s(router.base_url, "local/pydoc", key) for _ in range(SAMPLES))
    finally:
        router.stop()
    with replaying() as replay:
        model = replay.add(Script(pieces=((0, " word"),) * TOKENS))
        reference = median(tokens_per_s(replay.url, model, "none") for _ in range(SAMPLES))
    return [
        row(
            "local/pydoc, unpaced, one stream",
            "tokens/s",
            ours,
            target="≥ 3,000 tokens/s",
            reference=("a replay of as many frames", reference),
            more_is_better=True,
        )
    ]


def tokens_per_s(base_url: str, model: str, key: str) -> float:
    """Completion tokens a second of one streamed request, from its start to its end, counted by the usage it reports."""
    body = {"model": model, "prompt": "A function definition", "max_tokens": TOKENS, "stream": True, "seed": 1, "temperature": 1}
    headers = {"authorization": f"Bearer {key}"}
    began = time.monotonic()
    with httpx.stream("POST", f"{base_url}/v2/router/completions", json=body, headers=headers, timeout=60, trust_env=False) as answer:
        answer.raise_for_status()
        end = b""
        for chunk in answer.iter_raw():
            end = (end + chunk)[-4_096:]
        took_s = time.monotonic() - began
    counted = re.findall(rb'"completion_tokens":\s*(\d+)', end)
    if not counted:
        raise RuntimeError(f"{model} reported no usage; its answer ends with {end[-200:]!r}")
    return int(counted[-1]) / took_s
