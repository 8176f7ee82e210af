"""``POST …/completions``: check the request, ask the model, answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from core.contract.request import parse_request
from core.errors import InvalidRequest
from core.local_router.answer import Call
from core.local_router.api_error import ApiError
from core.local_router.identities.attribution import Answering
from core.local_router.plan import settled
from core.local_router.request_body import read_bytes
from core.local_router.streaming import ClientGone, EventStream, json_response, unless_client_leaves
from core.local_router.trace import Trace, Traces

MOST_CHOICES = 16


@dataclass(frozen=True, slots=True)
class CompletionsEndpoint:
    """One of the three addresses. ``open_reason`` is the ``finish_reason`` of frames that are not a choice's last."""

    pipeline: Answering
    traces: Traces
    open_reason: str | None

    async def __call__(self, request: Request) -> Response:
        """Answer a request; ``ApiError`` where it or the model is at fault."""
        try:
            raw = await read_bytes(request)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
        body = settled(_checked(raw))
        call = Call(body["model"], body, caller(request))
        trace = self.traces.begin(request.scope["request_id"], call.caller, body)
        try:
            if call.streams:
                answer = await unless_client_leaves(request.receive, self.pipeline.answer(call, trace))
                return EventStream(answer, call.choices, self.open_reason, trace.headers())
            return await unless_client_leaves(request.receive, self._whole(call, trace))
        except ClientGone:
            return Response(status_code=499)  # nobody reads it
        except ApiError as error:
            return error.response(trace.headers())

    async def _whole(self, call: Call, trace: Trace) -> Response:
        answer = await self.pipeline.answer(call, trace)
        return await json_response(answer, call.choices, trace.headers())


def caller(request: Request) -> str:
    """Whose request it is: told apart by their keys, however ``Bearer`` is spelt, without being the key."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    sent = f"{scheme.capitalize()} {key.strip()}" if key else scheme
    return hashlib.sha256(sent.encode()).hexdigest()


def _checked(raw: bytes) -> dict[str, Any]:
    """The request as the contract spells it; ``ApiError`` 400 otherwise."""
    try:
        body = parse_request(raw, lenient=True).to_wire()
    except InvalidRequest as error:
        failures = [{"param": problem.path, "message": problem.message} for problem in error.problems]
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        raise ApiError(400, failures[0]["message"] + more, param=failures[0]["param"] or None, failures=failures) from None
    if (body.get("n") or 1) > MOST_CHOICES:
        raise ApiError(400, f"n is at most {MOST_CHOICES} on the local router.", param="n")
    stops = body.get("stop")
    if stops == "" or (isinstance(stops, list) and "" in stops):
        raise ApiError(400, "A stop sequence has at least one character.", param="stop")
    return body
