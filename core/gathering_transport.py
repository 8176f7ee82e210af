"""An httpx transport for streams of small pieces: what arrives within one frame of a screen is handed over together.

Taking a token from httpx costs about ten times what parsing it does, and most of that is paid per reading of the socket. Nobody
sees more than 60 pictures a second, so a connection that keeps sending is read at most that often: the first pieces of an answer
come through at once, later ones with the next frame, large amounts at once again. Frames are the same for all connections, so that
what several streams bring goes out to a page together.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import contextmanager
from typing import Any, Final

import httpcore
import httpx

FRAME_S: Final = 1 / 60
EAGER_READS: Final = 4
"""Readings after a sending that never wait: the status line, the headers, the first pieces."""
ENOUGH_BYTES: Final = 16_384
"""Having this much is worth a reading of its own."""
LAST_FRAME: Final = b"[DONE]"
"""What ends a stream waits for nothing either, and takes along what came before it."""
_HIGH_WATER: Final = 1_048_576


class GatheringTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over connections that gather. Errors are httpx's, as with its own transport."""

    def __init__(self, tls: ssl.SSLContext | None, keepalive: int, keepalive_s: float) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=None,
            max_keepalive_connections=keepalive,
            keepalive_expiry=keepalive_s,
            network_backend=_Backend(),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the answer's body is still to be read."""
        url = request.url
        assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101  # an AsyncClient builds no other
        passed_on = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _errors_of_httpx():
            answer = await self._pool.handle_async_request(passed_on)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors_of_httpx():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        with _errors_of_httpx():
            await self._answer.aclose()


@contextmanager
def _errors_of_httpx() -> Any:
    """httpcore's errors as httpx's, which bear the same names."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as problem:
        raise getattr(httpx, type(problem).__name__)(str(problem)) from problem


class _Backend(httpcore.AsyncNetworkBackend):
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        local = (local_address, 0) if local_address else None
        try:
            async with asyncio.timeout(timeout):
                transport, link = await loop.create_connection(_Link, host, port, happy_eyeballs_delay=0.25, local_addr=local)
        except TimeoutError as problem:
            raise httpcore.ConnectTimeout(str(problem)) from problem
        except OSError as problem:
            raise httpcore.ConnectError(str(problem)) from problem
        for option in socket_options or ():
            transport.get_extra_info("socket").setsockopt(*option)
        return _Stream(transport, link)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, transport: asyncio.Transport, link: _Link) -> None:
        self._transport = transport
        self._link = link

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._link.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        if buffer:
            self._link.reads = 0
            self._transport.write(buffer)
            await self._link.drained(timeout)

    async def aclose(self) -> None:
        # What is still to come is of no interest, and a TLS farewell could take as long as the other side likes.
        self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(
                self._transport, self._link, ssl_context, server_hostname=server_hostname, ssl_handshake_timeout=timeout
            )
        except TimeoutError as problem:
            raise httpcore.ConnectTimeout(str(problem)) from problem
        except (OSError, ssl.SSLError) as problem:
            raise httpcore.ConnectError(str(problem)) from problem
        assert secured is not None  # noqa: S101  # only for a transport that was closed, which raises above
        self._link.connection_made(secured)
        return _Stream(secured, self._link)

    def get_extra_info(self, info: str) -> Any:
        match info:
            case "is_readable":
                return self._link.readable
            case "server_addr":
                return self._transport.get_extra_info("peername")
            case "client_addr":
                return self._transport.get_extra_info("sockname")
            case _:
                return self._transport.get_extra_info(info)


class _Link(asyncio.Protocol):
    """One connection's incoming bytes, kept until a reading is due."""

    def __init__(self) -> None:
        self.reads = 0
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._arrived: list[bytes] = []
        self._size = 0
        self._lost: Exception | None = None
        self._ended = False
        self._reading: asyncio.Future[None] | None = None
        self._writing: asyncio.Future[None] | None = None
        self._due = 0.0
        self._paused = False

    @property
    def readable(self) -> bool:
        """Whether a reading would find something: bytes, or the end."""
        return bool(self._arrived) or self._ended

    # From the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # streams have no other
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._arrived.append(data)
        self._size += len(data)
        if self._size > _HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        reading = self._reading
        if reading is None or reading.done():
            return
        if self._size >= ENOUGH_BYTES or self._loop.time() >= self._due or LAST_FRAME in data:
            reading.set_result(None)
        elif len(self._arrived) == 1:
            self._loop.call_at(self._due, self._frame, reading)

    def eof_received(self) -> bool | None:
        self._end(None)
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)
        if self._writing is not None and not self._writing.done():
            self._writing.set_result(None)

    def pause_writing(self) -> None:
        self._writing = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._writing is not None and not self._writing.done():
            self._writing.set_result(None)
        self._writing = None

    def _frame(self, reading: asyncio.Future[None]) -> None:
        if not reading.done():
            reading.set_result(None)

    def _end(self, problem: Exception | None) -> None:
        self._ended = True
        self._lost = self._lost or problem
        if self._reading is not None and not self._reading.done():
            self._reading.set_result(None)

    # From the stream

    async def read(self, max_bytes: int, timeout: float | None) -> bytes:  # noqa: ASYNC109
        """What has arrived, at most ``max_bytes``; empty at the end."""
        if not self.readable or self._early:
            await self._wait(timeout)
        if not self._arrived:
            if self._lost is not None:
                raise httpcore.ReadError(str(self._lost)) from self._lost
            return b""
        self.reads += 1
        now = self._loop.time()
        self._due = 0.0 if self.reads < EAGER_READS else (now // FRAME_S + 1) * FRAME_S
        return self._take(max_bytes)

    @property
    def _early(self) -> bool:
        return self._size < ENOUGH_BYTES and not self._ended and self._loop.time() < self._due and LAST_FRAME not in self._arrived[-1]

    def _take(self, max_bytes: int) -> bytes:
        data = b"".join(self._arrived) if len(self._arrived) > 1 else self._arrived[0]
        self._arrived.clear()
        if len(data) > max_bytes:
            self._arrived.append(data[max_bytes:])
            data = data[:max_bytes]
        self._size -= len(data)
        if self._paused and self._size < _HIGH_WATER // 2 and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return data

    async def _wait(self, timeout: float | None) -> None:  # noqa: ASYNC109
        reading = self._reading = self._loop.create_future()
        if self._arrived:
            self._loop.call_at(self._due, self._frame, reading)
        limit = None if timeout is None else self._loop.call_later(timeout, _too_long, reading)
        try:
            await reading
        finally:
            self._reading = None
            if limit is not None:
                limit.cancel()

    async def drained(self, timeout: float | None) -> None:  # noqa: ASYNC109
        """Wait until the transport takes more."""
        if self._writing is not None:
            try:
                async with asyncio.timeout(timeout):
                    await self._writing
            except TimeoutError as problem:
                raise httpcore.WriteTimeout(str(problem)) from problem
        if self._lost is not None:
            raise httpcore.WriteError(str(self._lost)) from self._lost


def _too_long(reading: asyncio.Future[None]) -> None:
    if not reading.done():
        reading.set_exception(httpcore.ReadTimeout("nothing came in time"))
