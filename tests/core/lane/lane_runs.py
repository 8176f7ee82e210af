"""Runs as a lane sees them, made of times and a trace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core.metrics import Timings
from core.run import RunError, RunSnapshot, RunStatus


def run(
    status: RunStatus = "finished",
    *,
    queued: float | None = 0.0,
    first: float | None = None,
    total: float = 1.0,
    trace: dict[str, Any] | None = None,
    body: dict[str, Any] | None = None,
    model: str | None = "a",
    headers: dict[str, str] | None = None,
    error: RunError | None = None,
) -> RunSnapshot:
    """A run's snapshot; times are seconds since Run was pressed."""
    return RunSnapshot(
        id="r",
        slot="a",
        body={"model": "a", "prompt": "p"} if body is None else body,
        sent=b"{}",
        connection_name="c",
        base_url="http://127.0.0.1:1",
        status=status,
        created_at=datetime(2026, 11, 24, tzinfo=UTC),
        choices={},
        usage=None,
        model=model,
        completion_id=None,
        request_id=None,
        system_fingerprint=None,
        headers=headers or {},
        timings=Timings(queued_s=queued, first_token_s=first, total_s=total),
        error=error,
        raw="",
        raw_truncated=False,
        queue_position=1 if status == "queued" else None,
        pieces=0,
        trace=trace,
    )


def trace(*events: tuple[Any, ...], **fields: Any) -> dict[str, Any]:
    """A trace of ``(kind, at_ms, data)`` events."""
    told = [{"type": kind, "at_ms": at_ms, **(data[0] if data else {})} for kind, at_ms, *data in events]
    return {"id": "req_1", "object": "router.trace", "state": "finished", "events": told, **fields}
