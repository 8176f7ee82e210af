"""One call from the terminal: where it goes, and what it came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from core.client.client import RouterClient
from core.connection import DEFAULT_PATHS, Connection, ServerKind
from core.contract.response import Completion
from core.errors import InvalidRequest, PlaygroundError
from core.metrics import Stopwatch, Timings
from core.settings import ORQ_BASE_URL
from core.terminal.live_text import LiveText

_TOLD = ("status", "code", "param", "reason", "request_id", "retry_after_s")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. With an ``error``, ``completion`` holds what had come before it; ``None`` when nothing had."""

    completion: Completion | None
    error: PlaygroundError | None
    timings: Timings

    def to_dict(self) -> dict[str, Any]:
        """The object that ``--json`` prints; ``partial`` is true when ``choices`` end where the run failed."""
        completion = self.completion or Completion()
        return {
            "choices": [
                {"index": choice.index, "text": choice.text, "finish_reason": choice.finish_reason} for choice in completion.choices
            ],
            "usage": None if completion.usage is None else completion.usage.to_dict(),
            "model": completion.model,
            "id": completion.id,
            "error": None if self.error is None else error_fields(self.error),
            "partial": self.error is not None and bool(completion.choices),
            "timings": self.timings.to_dict(),
        }


def error_fields(error: PlaygroundError) -> dict[str, Any]:
    """An error as JSON: its kind, cause and next step, and what else it knows."""
    fields: dict[str, Any] = {"kind": error.kind, "cause": error.cause, "next_step": error.next_step}
    fields |= {name: value for name in _TOLD if (value := getattr(error, name, None)) is not None}
    if isinstance(error, InvalidRequest):
        fields["problems"] = [{"path": problem.path, "message": problem.message} for problem in error.problems]
    return fields


@contextmanager
def connection_for(base_url: str | None, path: str | None, environ: Mapping[str, str]) -> Iterator[Connection]:
    """The connection that options and environment ask for; the embedded router, running, when they ask for none."""
    key = environ.get("ORQ_API_KEY", "").strip()
    address = (base_url or environ.get("ORQ_BASE_URL", "")).strip()
    if key or address:
        kind: ServerKind = "openai" if path == DEFAULT_PATHS["openai"] else "orq"
        secret = SecretStr(key) if key else None
        yield Connection("terminal", kind, (address or ORQ_BASE_URL).rstrip("/"), path or DEFAULT_PATHS[kind], secret)
        return
    from core.local_router.server import LocalRouter  # learns a model: only who needs it pays for it

    with LocalRouter(pace=0).running() as router:
        yield Connection("local router", "local", router.base_url, path or DEFAULT_PATHS["local"], router.api_key)


async def run(body: Mapping[str, Any], connection: Connection, live: LiveText | None) -> Outcome:
    """Sends ``body`` once; ``live`` gets each chunk as it comes. Failures are in the outcome, with what had come."""
    watch, completion, error, pieces = Stopwatch(), None, None, 0
    try:
        async with RouterClient(connection) as client:
            watch.sent()
            async with client.stream(body) as reply:
                try:
                    async for chunk in reply:
                        if reply.streamed and any(choice.text for choice in chunk.choices):
                            watch.first_token()
                            pieces += 1
                        if live is not None:
                            live.take(chunk)
                finally:
                    watch.ended()
                    completion = reply.completion()
    except PlaygroundError as problem:
        error = problem
    watch.ended()
    if live is not None and completion is not None:
        live.close(completion)
    usage = None if completion is None else completion.usage
    tokens = pieces if usage is None or usage.completion_tokens is None else usage.completion_tokens
    return Outcome(completion, error, watch.timings(tokens))
