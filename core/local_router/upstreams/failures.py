"""What went wrong at an upstream, as the router's own error: statuses that a policy can act on, words that name the upstream."""

from __future__ import annotations

import math
from typing import Final

from core.client.rejection import any_error
from core.contract.response import MalformedResponse, parse_json
from core.errors import PlaygroundError, RouterRejected, StreamBroken, TimedOut
from core.local_router.api_error import CODES, ApiError

_OWN: Final = frozenset({401, 403, 404, 405, 501})
"""Statuses that from the router would speak of the client's key, or of the router's addresses: they become others."""

_LONGEST_WORDS: Final = 400


def upstream_failure(name: str, error: PlaygroundError, key_hint: str = "") -> ApiError:
    """The error to answer with. ``key_hint`` says in a sentence where the upstream's key comes from, and is told when it was refused.

    No connection is a 502, silence a 504; an error status is kept where it means the same coming from the router.
    """
    match error:
        case RouterRejected():
            return _rejected(name, error, key_hint)
        case TimedOut(phase="read") | StreamBroken(reason="read_timeout"):
            return ApiError(504, f"Upstream {name} did not answer in time: {error.cause}")
        case StreamBroken(reason="error_frame", status=int(status)) if status in CODES and status not in _OWN:
            return ApiError(status, f"Upstream {name} broke its answer off: {error.cause}")
        case StreamBroken():
            return ApiError(502, f"Upstream {name} broke its answer off: {error.cause}")
        case _:
            return ApiError(502, f"Upstream {name} was not reached: {error.cause}")


def _rejected(name: str, error: RouterRejected, key_hint: str) -> ApiError:
    words = _words(error)
    said = f": {words}" if words else "."
    headers = _waiting(error.retry_after_s)
    match error.status:
        case 401 | 403:
            message = f"Upstream {name} refused its key ({error.status}){said} {key_hint}".rstrip()
            return ApiError(422, message, code="provider_credential_invalid", headers=headers)
        case 404:
            return ApiError(404, f"Upstream {name} has no such model or address{said}", code="model_not_found", param="model")
        case status if status in CODES and status not in _OWN:
            param = error.param if status == 400 else None
            return ApiError(status, f"Upstream {name} answered {status}{said}", param=param, headers=headers)
        case status if status < 400:
            return ApiError(502, f"Upstream {name} sent no completion ({status}){said}")
        case status:
            return ApiError(502, f"Upstream {name} answered {status}{said}", headers=headers)


def _words(error: RouterRejected) -> str:
    """The upstream's own message in one line; nothing where it sent no JSON."""
    try:
        message = any_error(parse_json(error.body.encode())).message
    except MalformedResponse:
        return "it is not the JSON that was asked for." if error.body.strip() else ""
    return message if len(message) <= _LONGEST_WORDS else f"{message[:_LONGEST_WORDS]}…"


def _waiting(seconds: float | None) -> dict[str, str]:
    if seconds is None:
        return {}
    return {"Retry-After": str(math.ceil(seconds)), "retry-after-ms": str(math.ceil(seconds * 1000))}
