"""Made-up runs for the benchmark of History: as many as asked for, always the same ones, a minute apart."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from core.contract.response import parse_usage
from core.metrics import Timings
from core.run import ChoiceText, RunError, RunSnapshot
from core.storage.run_record import StoredRun

FIRST_AT: Final = datetime(2025, 1, 1, tzinfo=UTC)
EVERY: Final = timedelta(seconds=37)
WORDS: Final = 20_000
PROMPT_WORDS, OUTPUT_WORDS = 30, 40
MODELS: Final = ("local/pydoc", "openai/gpt-3.5-turbo-instruct", "mistral/codestral", "local/uniform", "local/echo")
COMMON, MIDDLE, RARE = "everywhere", "w61e", "w9001e"
"""Words that every run has, about one in ten, and one in a thousand."""


def made_runs(count: int, first: int = 0) -> Iterator[StoredRun]:
    """Runs number ``first`` to ``first + count``: every word of a language's unevenness, each thing History shows in its due share."""
    vocabulary = [f"w{number}" + "aeiou"[number % 5] * (number % 3) for number in range(WORDS)]
    totals = list(_cumulated(1 / rank for rank in range(1, WORDS + 1)))
    for number in range(first, first + count):
        yield _made(number, random.Random(number), vocabulary, totals)


def _cumulated(weights: Iterator[float]) -> Iterator[float]:
    total = 0.0
    for weight in weights:
        total += weight
        yield total


def _made(number: int, draw: random.Random, vocabulary: list[str], totals: list[float]) -> StoredRun:
    words = draw.choices(vocabulary, cum_weights=totals, k=PROMPT_WORDS + OUTPUT_WORDS)
    prompt = f"{COMMON} " + " ".join(words[:PROMPT_WORDS])
    text = " ".join(words[PROMPT_WORDS:]) + " – “done”."
    model = MODELS[number % len(MODELS)] if number % 11 else MODELS[0]
    failed = number % 50 == 7
    body = {
        "model": model,
        "prompt": prompt,
        "max_tokens": 80,
        "temperature": 0.7,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if number % 4 == 0:
        body["orq"] = {"identity": {"id": f"person-{number % 300}"}, "thread": {"id": f"thread-{number % 5_000}"}}
    first_token_s, total_s = 0.05 + draw.expovariate(8), 0.4 + draw.expovariate(1)
    usage = {
        "prompt_tokens": 40,
        "completion_tokens": 80,
        "total_tokens": 120,
        "completion_tokens_details": {"reasoning_tokens": number % 7},
    }
    snapshot = RunSnapshot(
        id=f"{number:08x}{draw.getrandbits(64):016x}",
        slot="abcdefgh"[number % 8],
        body=body,
        sent=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        connection_name=("Local router", "OpenRouter", "orq.ai")[number % 3],
        base_url="http://127.0.0.1:4000",
        status="failed" if failed else "finished",
        created_at=FIRST_AT + number * EVERY,
        choices={0: ChoiceText(text, None if failed else ("stop", "length")[number % 2])},
        usage=None if failed else parse_usage(usage),
        model=model,
        completion_id=f"cmpl-{number}",
        request_id=f"req_{number:032x}",
        system_fingerprint="fp_44709d6fcb",
        headers={"x-router-attempts": "1", "x-router-cache": "miss", "x-router-model": model},
        timings=Timings(0.001, first_token_s, total_s, 80 / total_s),
        error=RunError("stream_broken", "The stream ended early.", "Run it again.") if failed else None,
        raw=_raw(number, model, text),
        raw_truncated=False,
        queue_position=None,
        pieces=OUTPUT_WORDS,
        trace={
            "attempts": 1,
            "events": [{"type": "attempt", "number": 1, "target": model, "status": 200, "at_ms": 0.4, "duration_ms": 12.5}],
        },
    )
    cost = None if number % 3 == 2 else Decimal(number % 1_000) / 1_000_000
    return StoredRun(
        snapshot,
        snapshot.created_at + timedelta(seconds=total_s),
        cost,
        starred=number % 40 == 0,
        note=f"looked at by person {number % 17}" if number % 60 == 0 else "",
        tags=(f"batch {number % 90}", "kept") if number % 25 == 0 else (),
    )


def _raw(number: int, model: str, text: str) -> str:
    """The answer as a router sends it: a frame for each word."""
    head = f'data: {{"id":"cmpl-{number}","object":"text_completion","created":1764000000,"model":"{model}","choices":[{{"index":0,"text":'
    return "".join(f'{head}{json.dumps(" " + word)},"finish_reason":null}}]}}\n\n' for word in text.split()) + "data: [DONE]\n\n"
