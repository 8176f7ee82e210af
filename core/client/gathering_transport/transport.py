"""The transport itself: which connection a request takes, and which are kept."""

from __future__ import annotations

import asyncio
import ssl

import httpx

from core.client.gathering_transport.connection import HttpConnection
from core.client.gathering_transport.dialling import dialled

Origin = tuple[str, str, int]
_PORTS = {"http": 80, "https": 443}


class GatheringTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over connections that gather. Errors are httpx's, as with its own transport.

    At most ``keepalive`` connections wait for another request, each ``keepalive_s`` seconds; there is no limit to those in use. Belongs to
    one event loop. ``tls`` None: httpx's own context, for addresses that need one.
    """

    def __init__(self, tls: ssl.SSLContext | None, keepalive: int, keepalive_s: float) -> None:
        self._tls = tls
        self._keepalive = keepalive
        self._keepalive_s = keepalive_s
        self._open: dict[HttpConnection, Origin] = {}
        self._idle: dict[HttpConnection, asyncio.TimerHandle] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the answer's body is still to be read."""
        url = request.url
        if url.scheme not in _PORTS:
            raise httpx.UnsupportedProtocol(f"The address begins with {url.scheme!r}, not with http or https.")
        origin = url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]
        connection = self._waiting(origin) or await self._made(origin, request)
        return await connection.ask(request)

    async def aclose(self) -> None:
        """Close every connection."""
        for connection in list(self._open):
            connection.abort()

    def _waiting(self, origin: Origin) -> HttpConnection | None:
        """A connection that was kept, the one used last first."""
        for connection in reversed(list(self._idle)):
            if self._open[connection] == origin:
                self._idle.pop(connection).cancel()
                if connection.usable:
                    return connection
                connection.abort()
        return None

    async def _made(self, origin: Origin, request: httpx.Request) -> HttpConnection:
        scheme, host, port = origin
        timeout = request.extensions.get("timeout", {}).get("connect")
        link = await dialled(host, port, self._context() if scheme == "https" else None, timeout)
        connection = HttpConnection(link, self._keep, self._forget)
        self._open[connection] = origin
        return connection

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = httpx.create_ssl_context()
        self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

    def _keep(self, connection: HttpConnection) -> None:
        self._idle[connection] = asyncio.get_running_loop().call_later(self._keepalive_s, connection.abort)
        if len(self._idle) > self._keepalive:
            next(iter(self._idle)).abort()

    def _forget(self, connection: HttpConnection) -> None:
        self._open.pop(connection, None)
        timer = self._idle.pop(connection, None)
        if timer is not None:
            timer.cancel()
