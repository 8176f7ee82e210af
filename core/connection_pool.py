"""The hub's HTTP clients: one per connection, kept open between runs."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx

from core.connection import Connection

MAX_CLIENTS: Final = 32
LOOPBACK: Final = frozenset({"localhost", "::1"})


class ConnectionPool:
    """Hands out one ``httpx.AsyncClient`` per base URL, so that a run finds its connection already made.

    Keys, headers and time-outs are not the client's but each request's. Cookies are refused: two users of one router must not share any.
    At most ``MAX_CLIENTS`` are kept; the least recently used one with nothing open is closed.
    """

    def __init__(self, max_concurrent: int) -> None:
        self._tls: ssl.SSLContext | None = None
        self._limits = httpx.Limits(max_connections=None, max_keepalive_connections=max_concurrent, keepalive_expiry=60.0)
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
        for key in list(self._clients)[: max(0, len(self._clients) - MAX_CLIENTS)]:
            if not self._users[key]:
                del self._users[key]
                await self._clients.pop(key).aclose()

    def _make(self, connection: Connection) -> httpx.AsyncClient:
        try:
            url = httpx.URL(connection.base_url)
        except httpx.InvalidURL:
            url = httpx.URL("")  # the client says what is wrong with it
        if self._tls is None and url.scheme == "https":
            self._tls = httpx.create_ssl_context()
        return httpx.AsyncClient(
            verify=self._tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            limits=self._limits,
            trust_env=not (url.host in LOOPBACK or url.host.startswith("127.")),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def close(self) -> None:
        """Close every client."""
        await asyncio.gather(*(client.aclose() for client in self._clients.values()))
        self._clients.clear()
        self._users.clear()
