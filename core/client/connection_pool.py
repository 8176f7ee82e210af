"""The hub's HTTP clients: one per connection, kept open between runs."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final
from urllib.request import getproxies

import httpx

from core.client.gathering_transport import GatheringTransport
from core.connection import Connection

MAX_CLIENTS: Final = 32
KEEPALIVE_S: Final = 4.0
"""How long an idle connection is kept: less than the 5 s after which uvicorn and Node close theirs, or a run would be sent just then."""
LOOPBACK: Final = frozenset({"localhost", "::1"})


class ConnectionPool:
    """Hands out one ``httpx.AsyncClient`` per base URL, so that a run finds its connection already made.

    Keys, headers and time-outs are not the client's but each request's. Cookies are refused: two users of one router must not share any.
    At most ``MAX_CLIENTS`` are kept; the least recently used one with nothing open is closed.
    """

    def __init__(self, max_concurrent: int) -> None:
        self._tls: ssl.SSLContext | None = None
        self._keepalive = max_concurrent
        self._limits = httpx.Limits(max_connections=None, max_keepalive_connections=max_concurrent, keepalive_expiry=KEEPALIVE_S)
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._users: Counter[str] = Counter()

    @asynccontextmanager
    async def lease(self, connection: Connection) -> AsyncIterator[httpx.AsyncClient]:
        """The client for this connection, kept open at least as long as it is used."""
        key = connection.base_url
        client = self._clients.pop(key, None) or self._make(connection)
        self._clients[key] = client
        self._users[key] += 1
        try:
            yield client
        finally:
            self._users[key] -= 1
            await self._close_surplus()

    async def _close_surplus(self) -> None:
        idle = [key for key in self._clients if not self._users[key]]
        for key in idle[: max(0, len(self._clients) - MAX_CLIENTS)]:
            del self._users[key]
            await self._clients.pop(key).aclose()

    def _make(self, connection: Connection) -> httpx.AsyncClient:
        try:
            url = httpx.URL(connection.base_url)
        except httpx.InvalidURL:
            url = httpx.URL("")  # the client says what is wrong with it
        if self._tls is None and url.scheme == "https":
            self._tls = httpx.create_ssl_context()
        cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        local = url.host in LOOPBACK or url.host.startswith("127.")
        if getproxies() and not local:
            return httpx.AsyncClient(verify=self._tls or True, limits=self._limits, cookies=cookies)
        transport = GatheringTransport(self._tls, self._keepalive, KEEPALIVE_S)
        return httpx.AsyncClient(transport=transport, trust_env=False, cookies=cookies)

    async def close(self) -> None:
        """Close every client."""
        await asyncio.gather(*(client.aclose() for client in self._clients.values()))
        self._clients.clear()
        self._users.clear()
