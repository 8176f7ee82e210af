"""One connection's bytes: those that arrive are kept until a reading is due."""

from __future__ import annotations

import asyncio
from typing import Final

import httpx

FRAME_S: Final = 1 / 60
EAGER_READS: Final = 4
"""Readings after a sending that never wait: the status line, the headers, the first pieces."""
ENOUGH_BYTES: Final = 16_384
"""Having this much is worth a reading of its own."""
LAST_FRAME: Final = b"[DONE]"
"""What ends a stream waits for nothing either, and takes along what came before it."""
_HIGH_WATER: Final = 1_048_576


class Link(asyncio.Protocol):
    """A connection that is read once a frame. Errors are httpx's. ``abort`` may be called at any time, and again."""

    def __init__(self) -> None:
        self.reads = 0
        """Readings since the last sending."""
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

    def abort(self) -> None:
        """Close it now: what is still to come is of no interest, and a TLS farewell could take as long as the other side likes."""
        if self._transport is not None:
            self._transport.abort()

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
                raise httpx.ReadError(str(self._lost)) from self._lost
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

    async def write(self, data: bytes, timeout: float | None) -> None:  # noqa: ASYNC109
        """Send ``data``, waiting until the transport takes more."""
        assert self._transport is not None  # noqa: S101  # a link is given out once it is connected
        self.reads = 0
        self._transport.write(data)
        if self._writing is not None:
            try:
                async with asyncio.timeout(timeout):
                    await self._writing
            except TimeoutError as problem:
                raise httpx.WriteTimeout(str(problem)) from problem
        if self._lost is not None:
            raise httpx.WriteError(str(self._lost)) from self._lost


def _too_long(reading: asyncio.Future[None]) -> None:
    if not reading.done():
        reading.set_exception(httpx.ReadTimeout("nothing came in time"))
