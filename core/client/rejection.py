"""An answer that is no completion, as an error: the router's own words, the status, and what to do about it.

Five forms are understood (contract §1): ``{"error": {"code", "message", "param", "type", "doc_url"?, "failures"?}}``, the same
without ``param`` and ``type``, ``{"id", "code", "error": "text", "source"}``, ``{"message", "code"?, "details"?}``, and plain text
or HTML.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

import httpx

from core.client.sse import EventDecoder
from core.connection import Connection
from core.contract.response import MalformedResponse, count, parse_json, unwrapped
from core.errors import RouterRejected
from core.redaction import redacted, redacted_json

BODY_LIMIT: Final = 64 * 1024
_MESSAGE_LIMIT: Final = 600
_REQUEST_ID_HEADERS: Final = ("x-router-request-id", "x-request-id", "request-id", "x-orq-request-id", "x-amzn-requestid")


class _Meaning(NamedTuple):
    what: str
    next_step: str


_MEANINGS: Final[Mapping[int, _Meaning]] = {
    400: _Meaning("The router refused the request", "Correct the request where the router's words point."),
    401: _Meaning("The router refused the key", "Check the key on the Connections page."),
    402: _Meaning("The quota is used up", "Raise the limit or add credit in the router's workspace, or use another key."),
    403: _Meaning("The key may not do this", "Use a key that has the scope and the project, on the Connections page."),
    404: _Meaning("The router found nothing there", "Check the base URL and the path on the Connections page, and the model's name."),
    405: _Meaning("The address takes no such call", "Check the base URL and the path on the Connections page."),
    408: _Meaning("The router waited too long", "Run it again; raise timeout.call_timeout if it is set."),
    409: _Meaning("The request collided with another", "Run it again in a moment."),
    413: _Meaning("The request is too large for the router", "Shorten the prompt."),
    422: _Meaning("The model cannot be used as it is set up", "Check the model and its provider's key in the router's workspace."),
    429: _Meaning("Too many requests", "Wait a moment, then run it again."),
    500: _Meaning("The router failed", "Run it again; if it stays, report the request id to whoever runs the router."),
    501: _Meaning("The router does not do this", "Take the field out of the request, or use another router."),
    502: _Meaning("The provider behind the router failed", "Run it again, or set a fallback model."),
    503: _Meaning("The router or the provider is overloaded", "Run it again in a moment, or set a fallback model."),
    504: _Meaning("The provider did not answer in time", "Run it again, raise timeout.call_timeout, or set a fallback model."),
    529: _Meaning("The provider is overloaded", "Run it again in a moment, or set a fallback model."),
}
_CLIENT_FAULT: Final = _Meaning("The router refused the request", "Check the request, and the base URL and path on the Connections page.")
_SERVER_FAULT: Final = _Meaning("The router failed", "Run it again in a moment.")
_ERROR_AS_SUCCESS: Final = _Meaning("The router answered with an error", "Run it again; if it stays, look at the raw response.")
_NO_COMPLETION: Final = _Meaning("The server sent no completion", "Check the base URL and the path on the Connections page.")


@dataclass(frozen=True, slots=True)
class ErrorTold:
    """An error in the sender's own words; ``None`` where it did not say. ``message`` is one line, ``""`` when there was none.

    ``status`` is the HTTP status the words themselves name; ``is_error`` is false for words that do not say that they are an error.
    """

    message: str = ""
    code: str | None = None
    param: str | None = None
    error_type: str | None = None
    doc_url: str | None = None
    failures: Any = None
    request_id: str | None = None
    status: int | None = None
    is_error: bool = True


def error_told(value: Any) -> ErrorTold | None:
    """The error that a JSON answer or a frame of a stream reports under ``error``; ``None`` when it reports none."""
    if not isinstance(value, Mapping):
        return None
    error = value.get("error")
    if error is None or (not error and "choices" in value):
        return None
    if isinstance(error, Mapping):
        return _from_fields(error, value)
    return _from_fields({**value, "message": _line(error)}, value)


def any_error(value: Any) -> ErrorTold:
    """The error that the body of an error status tells, whichever of the forms it has; empty when it tells nothing.

    What is told is repeated to people: mask secrets in ``value`` before (``redacted_json``).
    """
    if isinstance(value, Mapping):
        inner = unwrapped(value)
        return error_told(inner) or replace(_from_fields(inner, value), is_error="message" in inner)
    return ErrorTold(message=_line(value), is_error=False)


def rejection(status: int, headers: httpx.Headers, body: bytes, connection: Connection) -> RouterRejected:
    """The error for an answer with ``status`` that is no completion. ``body`` may be cut anywhere."""
    text = redacted(body[:BODY_LIMIT].decode("utf-8", "replace"), connection)
    told = _told_by(body, text, headers, connection)
    wait_s = retry_after_s(headers)
    meaning = _meaning(status, told)
    code = told.code
    label = f"{status} {code}" if code and code != str(status) else f"{status}"
    said = told.message or _no_words(status, headers, text)
    next_step = _next_step(status, meaning, told, wait_s, connection)
    return RouterRejected(
        f"{meaning.what} ({label}): {said}" if said else f"{meaning.what} ({label}).",
        next_step,
        status=status,
        code=code,
        param=told.param,
        error_type=told.error_type,
        doc_url=told.doc_url,
        failures=told.failures,
        request_id=request_id(headers) or told.request_id,
        retry_after_s=wait_s,
        body=text,
        headers={name: redacted(value, connection) for name, value in headers.items() if name.startswith("x-router-")},
    )


def redirection(status: int, headers: httpx.Headers, connection: Connection) -> RouterRejected:
    """The error for a redirect, which is never followed: the key belongs to the address it was given for."""
    target = redacted(re.split("[?#]", headers.get("location", ""))[0][:300], connection)
    where = f" to {target}" if target else ""
    return RouterRejected(
        f"The server redirects ({status}){where}; this was not followed, because the key would go along.",
        "If you trust that address, make it the base URL and path on the Connections page.",
        status=status,
        request_id=request_id(headers),
    )


def request_id(headers: httpx.Headers) -> str | None:
    """The id under which the router knows the request, from the first header that has one."""
    return next((value for name in _REQUEST_ID_HEADERS if (value := headers.get(name))), None)


def retry_after_s(headers: httpx.Headers, now: datetime | None = None) -> float | None:
    """Seconds to wait, ≥ 0, from ``retry-after-ms`` or ``Retry-After`` (seconds or HTTP date, RFC 9110 §10.2.3).

    A date is taken against the answer's own ``Date`` where it has one, so that clocks that differ do no harm; else against ``now``.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None:
        return max(0.0, seconds)
    until = _date(value)
    if until is None:
        return None
    since = _date(headers.get("date")) or now or datetime.now(UTC)
    return max(0.0, (until - since).total_seconds())


def _told_by(body: bytes, text: str, headers: httpx.Headers, connection: Connection) -> ErrorTold:
    """The error in ``body``; ``text`` is its beginning, secrets masked."""
    kind = media_type(headers)
    if kind == "text/event-stream":
        decoder = EventDecoder()
        body = next((event.data for event in [*decoder.feed(body), *decoder.end()]), b"")
    try:
        value = parse_json(body) if body.strip() else None
    except MalformedResponse:
        page = kind == "text/html" or text.lstrip().startswith("<")
        return ErrorTold(message=_page_text(text) if page else _line(text), is_error=False)
    return any_error(redacted_json(value, connection))


def media_type(headers: httpx.Headers) -> str:
    """The content type without its parameters, in lower case; ``""`` when none was sent."""
    return str(headers.get("content-type", "")).partition(";")[0].strip().lower()


def _from_fields(fields: Mapping[str, Any], outer: Mapping[str, Any]) -> ErrorTold:
    def text(name: str) -> str | None:
        value = fields.get(name, outer.get(name))
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "" else None

    message = next((line for name in ("message", "detail", "error_description", "title") if (line := _line(fields.get(name)))), "")
    code = text("code")
    failures = fields.get("failures", fields.get("details", outer.get("details")))
    status = count(fields.get("status", fields.get("status_code")))
    if status is None or not 100 <= status <= 599:
        status = number if (number := count(code)) is not None and 400 <= number <= 599 else None
    return ErrorTold(message, code, text("param"), text("type"), text("doc_url"), failures, text("id"), status)


def _meaning(status: int, told: ErrorTold) -> _Meaning:
    if status < 400 and told.is_error:
        return _MEANINGS.get(told.status or 0, _ERROR_AS_SUCCESS)
    if status < 400:
        return _NO_COMPLETION
    return _MEANINGS.get(status) or (_CLIENT_FAULT if status < 500 else _SERVER_FAULT)


def _next_step(status: int, meaning: _Meaning, told: ErrorTold, wait_s: float | None, connection: Connection) -> str:
    if status == 401 and connection.api_key is None:
        return "Enter a key on the Connections page."
    if status == 429 and wait_s and wait_s >= 1:
        return f"Wait {math.ceil(wait_s)} s, then run it again."
    if status == 501 and told.param:
        return f"Take {told.param} out of the request, or use another router."
    if status == 400 and told.param:
        return f"Correct {told.param}."
    if status == 404 and told.param:
        return f"Correct {told.param}: choose one that the router lists."
    if wait_s and wait_s >= 1 and status >= 500:
        return f"{meaning.next_step} The router asks to wait {math.ceil(wait_s)} s."
    return meaning.next_step


def _no_words(status: int, headers: httpx.Headers, text: str) -> str:
    """What to say when the answer has no message of its own."""
    if not text.strip():
        return "the answer has no content." if status < 400 else ""
    return f"the answer is {media_type(headers) or 'of no told type'} and not a completion." if status < 400 else ""


def _page_text(page: str) -> str:
    """A web page's title, or its first words."""
    title = re.search(r"<title[^>]*>(.*?)</title>", page, re.IGNORECASE | re.DOTALL)
    words = title.group(1) if title else re.sub(r"(?is)<(script|style)\b.*?</\1\s*>|<[^>]*>", " ", page)
    return f"a web page, “{line}”." if (line := _line(html.unescape(words))[:200]) else "a web page."


def _line(value: Any) -> str:
    """A value as one line of text, cut to a length that can be read; ``""`` for nothing."""
    if value is None or value == "":
        return ""
    line = " ".join(str(value).split())
    return line if len(line) <= _MESSAGE_LIMIT else f"{line[:_MESSAGE_LIMIT]}…"


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _date(value: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(value or "")
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
