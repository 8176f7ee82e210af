"""Runs to store: every field set to something that is easily lost."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from core.contract.response import parse_usage
from core.metrics import Timings
from core.run import ChoiceText, RunError, RunSnapshot

START = datetime(2026, 3, 1, 12, 0, 0, 123457, tzinfo=UTC)
_numbers = itertools.count(1)


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "local/pydoc", "prompt": "Once upon a time", **fields}


def run(*, asked: dict[str, Any] | None = None, text: str = "there was a router", **fields: Any) -> RunSnapshot:
    """A finished run with the given ``fields``; every run has an id of its own and starts a minute after the one before."""
    number = next(_numbers)
    request = body() if asked is None else asked
    made = RunSnapshot(
        id=f"run-{number}",
        slot="a",
        body=request,
        sent=json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode(),
        connection_name="Local router",
        base_url="http://127.0.0.1:4000",
        status="finished",
        created_at=START + timedelta(minutes=number),
        choices={0: ChoiceText(text, "stop")},
        usage=parse_usage({"prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9}),
        model="local/pydoc",
        completion_id="cmpl-1",
        request_id="req-1",
        system_fingerprint="fp-1",
        headers={"x-router-attempts": "1", "x-router-cache": "miss"},
        timings=Timings(0.001, 0.1 + 0.2, 1.5, 40.0),
        error=None,
        raw='data: {"choices":[]}\n\n',
        raw_truncated=False,
        queue_position=None,
        pieces=5,
        trace=None,
    )
    return replace(made, **fields)


def everything() -> RunSnapshot:
    """A failed run of two choices with an odd prompt, odd usage, an error and a trace."""
    return run(
        asked=body(prompt="nul \0 and 🤖 and e\u0301\n", n=2, orq={"thread": {"id": "t-1"}, "identity": {"id": "i-1"}}, new=[None, 1.5]),
        status="failed",
        slot="b",
        choices={0: ChoiceText("one \0 🤖", "stop"), 1: ChoiceText("two\n\n", None)},
        usage=parse_usage(
            {
                "prompt_tokens": "7",
                "completion_tokens": 3.0,
                "total_tokens": 10,
                "prompt_tokens_details": {"cached_tokens": 2},
                "completion_tokens_details": {"reasoning_tokens": 1},
                "odd": {"kept": True},
            }
        ),
        error=RunError("stream_broken", "The stream ended early.", "Run it again.", reason="cut", retry_after_s=1.5),
        headers={"x-router-attempts": "2", "x-router-model": "ü"},
        raw="data: \0 ü\n",
        raw_truncated=True,
        trace={
            "attempts": 2,
            "events": [
                {"type": "attempt", "number": 1, "target": "local/a", "status": 503, "at_ms": 0.5, "duration_ms": 12.25},
                {"type": "back_off", "wait_ms": 1000.0},
                {"type": "attempt", "number": 2, "target": "local/pydoc", "status": None, "at_ms": 1013.0, "duration_ms": None},
            ],
        },
    )
