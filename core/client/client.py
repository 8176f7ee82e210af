"""The client: one request to a router, one try, typed pieces back.

``RouterClient`` sends a body as it is and tells the format of the answer by the answer's content type, whatever was asked
(contract §1). It retries nothing, follows no redirect, and closes the connection as soon as its caller lets go of the reply.
Every failure is one of ``core.errors``; none of them refers to the request, so the key is in no traceback.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final

import httpx

from core.client.failure import address_problem, connection_problem, header_problem
from core.client.rejection import BODY_LIMIT, redirection, rejection
from core.client.reply import Reply
from core.connection import Connection
from core.errors import InvalidRequest, Problem

if TYPE_CHECKING:
    from core.contract.request import CompletionRequest
    from core.contract.response import Completion

ACCEPT: Final = "text/event-stream, application/json"
_TOO_DEEP: Final = Problem("", "This is nested too deeply to be written as JSON; it must be flatter.")
_POOL_LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=4.0)


def encode_body(body: CompletionRequest | Mapping[str, Any]) -> bytes:
    """The exact bytes that leave: compact JSON in UTF-8, fields in the order given, nothing added.

    Raises InvalidRequest for what JSON cannot carry: NaN, half of a surrogate pair, values that are not JSON's.
    """
    wire = body if isinstance(body, Mapping) else body.to_wire()
    try:
        return json.dumps(wire, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError):
        problem = _first_unencodable(wire)
    except RecursionError:
        problem = _TOO_DEEP
    raise InvalidRequest((problem,))


class RouterClient:
    """Completions from one connection. ``http`` may be shared by many clients; a client closes only what it made."""

    def __init__(self, connection: Connection, *, http: httpx.AsyncClient | None = None) -> None:
        self._connection = connection
        self._owned: httpx.AsyncClient | None = None
        self._http = http

    def __repr__(self) -> str:
        return f"RouterClient({self._connection.name!r}, {self._connection.base_url!r})"

    async def __aenter__(self) -> RouterClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def complete(self, body: CompletionRequest | Mapping[str, Any]) -> Completion:
        """The whole answer to ``body``, which is sent as it is; an answer that streams is merged.

        Raises InvalidRequest, ConnectionFailed, TimedOut, RouterRejected, StreamBroken (with what had come).
        """
        async with self.stream(body) as reply:
            async for _ in reply:
                pass
            return reply.completion()

    @asynccontextmanager
    async def stream(self, body: CompletionRequest | Mapping[str, Any]) -> AsyncIterator[Reply]:
        """The answer to ``body`` as it comes; leaving the block closes the connection unless the answer was read to its end.

        Raises on entering: InvalidRequest, ConnectionFailed, TimedOut, RouterRejected; while iterating: what ``Reply`` raises.
        """
        reply = await self._send("POST", self._connection.path, encode_body(body))
        try:
            await self._refuse_errors(reply)
            yield reply
        finally:
            await reply.aclose()

    async def models(self) -> tuple[str, ...]:
        """The ids of the models on offer, in the server's order; none when the server lists none.

        Raises ConnectionFailed, TimedOut, RouterRejected (a server without a list answers 404 or 501), StreamBroken.
        """
        reply = await self._send("GET", models_path(self._connection), None)
        try:
            await self._refuse_errors(reply)
            listed = await reply.read_json()
        finally:
            await reply.aclose()
        data = listed.get("data", ()) if isinstance(listed, dict) else listed
        names = (item.get("id") for item in data if isinstance(item, dict)) if isinstance(data, list) else ()
        return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON at another address of the router, such as ``/v2/knowledge``; ``body`` is sent as JSON unless it is None.

        ``path`` starts with a slash and may bear a query. None where the answer is empty. Raises as ``models`` does.
        """
        reply = await self._send(method, path, None if body is None else encode_body(body))
        try:
            if reply.status in (204, 205):
                return None
            await self._refuse_errors(reply)
            return await reply.read_json()
        finally:
            await reply.aclose()

    async def aclose(self) -> None:
        """Closes the pool, if the client made it."""
        if self._owned is not None:
            pool, self._owned = self._owned, None
            await pool.aclose()

    async def _send(self, method: str, path: str, content: bytes | None) -> Reply:
        request = self._request(method, path, content)
        try:
            response = await self._pool().send(request, stream=True, auth=None, follow_redirects=False)
            return Reply(response, self._connection)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError, OverflowError) as problem:
            failure = connection_problem(problem, self._connection)
        raise failure  # out here, so that it has no context: httpx's errors refer to the request, and so to the key

    def _request(self, method: str, path: str, content: bytes | None) -> httpx.Request:
        connection = self._connection
        problem = address_problem(connection) or header_problem(connection)
        if problem is not None:
            raise problem
        return self._pool().build_request(
            method,
            connection.base_url.rstrip("/") + "/" + path.lstrip("/"),
            headers=_headers(connection, content is not None),
            content=content,
            timeout=httpx.Timeout(connection.read_timeout_s, connect=connection.connect_timeout_s, pool=connection.connect_timeout_s),
        )

    def _pool(self) -> httpx.AsyncClient:
        if self._http is not None:
            return self._http
        if self._owned is None:
            self._owned = _own_pool(self._connection)
        return self._owned

    async def _refuse_errors(self, reply: Reply) -> None:
        """Raises RouterRejected unless the status promises content."""
        if 200 <= reply.status < 300 and reply.status not in (204, 205):
            return
        if 300 <= reply.status < 400 and "location" in reply.headers:
            raise redirection(reply.status, reply.headers, self._connection)
        body = await reply.read_error(BODY_LIMIT)
        raise rejection(reply.status, reply.headers, body, self._connection)


def _headers(connection: Connection, has_body: bool) -> httpx.Headers:
    """What is sent along; the connection's own headers win, except over its key."""
    headers = httpx.Headers({"Accept": ACCEPT, "Accept-Encoding": "identity", "User-Agent": "router-playground"})
    if has_body:
        headers["Content-Type"] = "application/json"
    headers.update(connection.headers)
    if connection.api_key is not None and (key := connection.api_key.get_secret_value().strip()):
        headers["Authorization"] = f"Bearer {key}"
    return headers


def models_path(connection: Connection) -> str:
    """Where a server of this kind lists its models: beside the completions for an OpenAI-compatible one."""
    if connection.kind == "openai":
        stem = connection.path.removesuffix("/completions")
        return f"{stem}/models" if stem != connection.path else "/v1/models"
    return "/v3/router/models"


def _own_pool(connection: Connection) -> httpx.AsyncClient:
    """A pool for one client: certificates are loaded for https only (20 ms), a proxy from the environment is for other machines than
    this one, and cookies are refused."""
    url = httpx.URL(connection.base_url)
    local = url.host in ("localhost", "::1") or url.host.startswith("127.")
    cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(verify=url.scheme != "http", trust_env=not local, limits=_POOL_LIMITS, cookies=cookies)


def _first_unencodable(wire: Any) -> Problem:
    """The first thing in a body that JSON cannot carry."""
    try:
        return _unencodable(wire, "") or Problem("", "This cannot be written as JSON.")
    except RecursionError:
        return _TOO_DEEP


def _unencodable(value: Any, path: str) -> Problem | None:
    match value:
        case str():
            broken = any("\ud800" <= letter <= "\udfff" for letter in value)
            return Problem(path, "This holds half of a character (a lone surrogate); type or paste the text again.") if broken else None
        case None | bool() | int():
            return None
        case float():
            return None if math.isfinite(value) else Problem(path, "This must be a finite number.")
        case Mapping():
            items: Iterable[tuple[Any, Any]] = value.items()
        case list() | tuple():
            items = enumerate(value)
        case _:
            return Problem(path, "This is not a JSON value; it must be text, a number, true, false, null, a list or an object.")
    return next((problem for name, item in items if (problem := _unencodable(item, f"{path}.{name}".lstrip(".")))), None)
