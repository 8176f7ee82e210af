"""What the router did for a request, as data, for the newest requests. Never what was said, never a key."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Literal

from core.local_router.answer import AnswerCut, AnswerGarbled, Batches, Pieces, says_something
from core.local_router.api_error import ApiError
from core.local_router.clock import Clock

State = Literal["under_way", "finished", "failed", "cancelled"]
Cached = Literal["hit", "miss", "bypass"]

MOST_TRACES = 1_000
MOST_LABEL_BYTES = 16 * 1024 * 1024
"""Labels are the sender's and may be large: beyond this many bytes in all, the oldest traces go early."""


class Trace:
    """One request's events in the order they happened, each with ``at_ms``: milliseconds since the request was read.

    ``model`` is the one asked last (the one that answered, in the end), ``attempts`` counts calls of models.
    """

    def __init__(self, request_id: str, caller: str, body: Mapping[str, Any], clock: Clock) -> None:
        self.id = request_id
        self.caller = caller
        self.labels = _labels(body)
        self.model: str = body["model"]
        self.attempts = 0
        self.cache: Cached = "bypass"
        self.state: State = "under_way"
        self.status: int | None = None
        self.events: list[dict[str, Any]] = []
        self._created = int(time.time())
        self._clock = clock
        self._start = clock.now()

    def elapsed_ms(self) -> float:
        """Milliseconds since the request was read, to the microsecond."""
        return round((self._clock.now() - self._start) * 1000, 3)

    def note(self, kind: str, **data: Any) -> dict[str, Any]:
        """Add an event that happens now; what is given back may be added to."""
        event = {"type": kind, "at_ms": self.elapsed_ms(), **data}
        self.events.append(event)
        return event

    def tell(self, **data: Any) -> None:
        """More about the attempt that began last: they follow one another."""
        next((event for event in reversed(self.events) if event["type"] == "attempt"), {}).update(data)

    def first_token(self) -> None:
        """The first text is there."""
        self.note("first_token")

    def end(self, state: State, status: int | None) -> None:
        """The request is over; only the first end counts. ``status`` is None when the client left."""
        if self.state == "under_way":
            self.state, self.status = state, status
            self.note("end", state=state, status=status)

    def headers(self) -> dict[str, str]:
        """What the answer's headers tell."""
        return {"x-router-model": header_text(self.model), "x-router-attempts": str(self.attempts), "x-router-cache": self.cache}

    def view(self) -> dict[str, Any]:
        """The trace as JSON."""
        return {
            "id": self.id,
            "object": "router.trace",
            "created": self._created,
            "state": self.state,
            "status": self.status,
            "model": self.model,
            "attempts": self.attempts,
            "cache": self.cache,
            **self.labels,
            "events": self.events,
        }


def header_text(text: str) -> str:
    """``text`` as a header can carry it, at most 200 characters."""
    return text[:200].encode("ascii", "replace").decode() if text.isprintable() else "?"


def _labels(body: Mapping[str, Any]) -> dict[str, Any]:
    """Who asks, and what for: ``identity`` wins over the deprecated ``contact``."""
    orq = body.get("orq") or {}
    found = {
        "name": body.get("name"),
        "user": body.get("user"),
        "identity": orq.get("identity", orq.get("contact")),
        "thread": orq.get("thread"),
    }
    return {name: value for name, value in found.items() if value is not None}


class Traces:
    """The traces of the newest requests."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._traces: OrderedDict[str, tuple[Trace, int]] = OrderedDict()
        self._label_bytes = 0

    def begin(self, request_id: str, caller: str, body: Mapping[str, Any]) -> Trace:
        """A new trace for a settled ``body``; the oldest one goes when there are too many."""
        trace = Trace(request_id, caller, body, self._clock)
        size = len(json.dumps([trace.labels, body["model"], body.get("fallbacks"), body.get("load_balancer")]))
        self._traces[request_id] = trace, size
        self._label_bytes += size
        while len(self._traces) > MOST_TRACES or (self._label_bytes > MOST_LABEL_BYTES and len(self._traces) > 1):
            self._label_bytes -= self._traces.popitem(last=False)[1][1]
        return trace

    def find(self, request_id: str, caller: str) -> Trace:
        """The trace of ``caller``'s own request; ``ApiError`` 404 otherwise."""
        trace, _ = self._traces.get(request_id, (None, 0))
        if trace is None or trace.caller != caller:
            raise ApiError(404, f"There is no trace of {request_id}; those of the newest {MOST_TRACES:,} requests are kept.")
        return trace


class TracedBatches:
    """An answer on its way out; tells the trace of its first text, unless an attempt did, and of its end."""

    def __init__(self, batches: Batches, trace: Trace) -> None:
        self._batches = batches
        self._trace = trace
        self._silent = not any(event["type"] == "first_token" for event in trace.events)

    def __aiter__(self) -> TracedBatches:
        return self

    async def __anext__(self) -> Pieces:
        try:
            batch = await self._batches.__anext__()
        except StopAsyncIteration:
            self._trace.end("finished", 200)
            raise
        except Exception as error:
            self._trace.end("failed", status_of(error))
            raise
        if self._silent and says_something(batch):
            self._silent = False
            self._trace.first_token()
        return batch

    async def aclose(self) -> None:
        """Stop the model; an answer that had not ended was cancelled."""
        try:
            await self._batches.aclose()
        finally:
            self._trace.end("cancelled", None)


def status_of(error: BaseException) -> int | None:
    """The status that stands for an error: a provider that breaks off is a 502; None when the work was given up."""
    if not isinstance(error, Exception):
        return None
    if isinstance(error, ApiError):
        return error.status
    return 502 if isinstance(error, AnswerCut | AnswerGarbled) else 500
