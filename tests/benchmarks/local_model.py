"""How fast the embedded language model talks when nothing holds it back: tokens a second over loopback, one stream and sixteen."""

from __future__ import annotations

from statistics import median

from tests.benchmarks.load import load
from tests.benchmarks.row import Row, row
from tests.benchmarks.server_process import ServerProcess, local_router
from tests.support.replay import Script, replaying

TOKENS = 6_000
STREAMS = 16
SAMPLES = 5
BODY = {"model": "local/pydoc", "prompt": "A function definition", "max_tokens": TOKENS, "stream": True, "temperature": 1}


def run() -> list[Row]:
    """``local/pydoc`` unpaced, each stream with a seed of its own, router and clients each in a process of their own."""
    with local_router() as router:
        alone, together = zip(*(_pair(router, sample) for sample in range(SAMPLES)), strict=True)
    with replaying() as replay:
        body = {**BODY, "model": replay.add(Script(pieces=((0, " word"),) * TOKENS))}
        reference = median(load(replay.url, body, clients=1, requests=1).latencies_ms[0] for _ in range(SAMPLES))
    one, one_cpu = (median(figures) for figures in zip(*alone, strict=True))
    sum_of_16, cpu_of_16 = (median(figures) for figures in zip(*together, strict=True))
    return [
        row(
            "local/pydoc, unpaced, one stream",
            "tokens/s",
            one,
            target="≥ 3,000 tokens/s",
            reference=("a replay of as many frames", TOKENS / reference * 1_000),
            more_is_better=True,
        ),
        row(
            f"local/pydoc, unpaced, {STREAMS} streams, sum",
            "tokens/s",
            sum_of_16,
            target="≥ 1 ×",
            reference=("one stream", one),
            more_is_better=True,
        ),
        row(
            f"{STREAMS} streams, by the router's own processor time",
            "tokens/s",
            cpu_of_16,
            reference=("one stream", one_cpu),
            more_is_better=True,
        ),
    ]


def _pair(router: ServerProcess, sample: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Tokens a second of one stream after the other and of as many at once, the same ones: by the clock, and by processor time."""
    first = sample * STREAMS
    return _rates(router, 1, first), _rates(router, STREAMS, first)


def _rates(router: ServerProcess, clients: int, first_seed: int) -> tuple[float, float]:
    before_s = router.cpu_s()
    done = load(router.url, {**BODY, "seed": first_seed}, clients=clients, requests=STREAMS)
    return done.tokens_per_s, done.tokens / (router.cpu_s() - before_s)
