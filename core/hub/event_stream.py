"""Server-sent events to one reader: pushed as they come, gathered within one frame of a screen, never piled up."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Sequence
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core.hub.channels import Event, Reader

FRAME_S: Final = 0.016
"""A screen shows 60 pictures a second: what comes within one of the last sending goes out with the next."""
HEARTBEAT_S: Final = 10.0
RETRY_MS: Final = 500
STREAM_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}
HEARTBEAT: Final = b":\n\n"
WINDOW_BITS, MEMORY_LEVEL = 13, 5
"""A compressor of 48 KB instead of 268, one for each page that is open; what it compresses repeats itself within 8 KB."""


class EventStream(Response):
    """Follows ``reader`` until the client leaves, the channel closes or, with ``one_run``, the run has ended.

    The first piece after a pause goes out at once, as do beginnings and ends; text after that at most once per ``FRAME_S``.
    Sending waits for the client's connection, so a slow client slows only its own reading. ``left`` is called at the end, however
    it comes. With ``gzip``, for a client that takes it, every sending is compressed and whole by itself.
    """

    def __init__(self, reader: Reader, left: Callable[[], None], *, one_run: bool = False, gzip: bool = False) -> None:
        super().__init__(None, headers=STREAM_HEADERS)
        del self.headers["content-length"]
        if gzip:
            self.headers["content-encoding"] = "gzip"
        self._gzip = zlib.compressobj(wbits=16 + WINDOW_BITS, memLevel=MEMORY_LEVEL) if gzip else None
        self._reader = reader
        self._left = left
        self._one_run = one_run
        self._gone = False
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        readers = self._reader.channel.readers
        readers.add(self._reader)
        watch = asyncio.create_task(self._watch(receive))
        try:
            await self._pump(send)
        finally:
            watch.cancel()
            if self._timer is not None:
                self._timer.cancel()
            readers.discard(self._reader)
            self._left()
        if not self._gone:
            await send({"type": "http.response.body", "body": self._gzip.flush() if self._gzip else b"", "more_body": False})

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._reader.ready.set()

    async def _pump(self, send: Send) -> None:
        now = asyncio.get_running_loop().time
        ready, channel = self._reader.ready, self._reader.channel
        block, sent_at = self._hello(), now()
        while not self._gone:
            events = self._reader.take()
            block += b"".join([self._encode(event) for event in events])
            if not block and now() - sent_at >= HEARTBEAT_S - FRAME_S:
                block = HEARTBEAT
            if block:
                sent_at = now()
                self._beat(sent_at + HEARTBEAT_S)
                await send({"type": "http.response.body", "body": self._packed(block, events), "more_body": True})
                block = b""
            if channel.closed or (self._one_run and self._reader.done):
                return
            await ready.wait()
            await self._pause(sent_at + FRAME_S - now())

    def _packed(self, block: bytes, events: Sequence[Event]) -> bytes:
        """The block as it leaves. One with a run's token is compressed apart from every text: sizes would tell what they have in common."""
        if self._gzip is None:
            return block
        secret = any(event.name == "run" for event in events)
        before = self._gzip.flush(zlib.Z_FULL_FLUSH) if secret else b""
        return before + self._gzip.compress(block) + self._gzip.flush(zlib.Z_FULL_FLUSH if secret else zlib.Z_SYNC_FLUSH)

    async def _pause(self, seconds: float) -> None:
        """Wait for the next frame, unless a run begins or ends: that is told at once."""
        urgent = self._reader.urgent
        if seconds > 0 and not urgent.is_set():
            timer = asyncio.get_running_loop().call_later(seconds, urgent.set)
            await urgent.wait()
            timer.cancel()

    def _beat(self, due: float) -> None:
        """Wake up when a heartbeat may be due. One timer at a time: a later due time is looked at when it fires."""
        self._due = due
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(due, self._timer_fired)

    def _timer_fired(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        if loop.time() >= self._due - FRAME_S:
            self._reader.ready.set()
        else:
            self._beat(self._due)

    def _hello(self) -> bytes:
        """The first event: the numbers of what the channel shows. A client that shows another number lost it to a restart."""
        runs = [attachment.number for attachment in self._reader.channel.slots.values()]
        return b"retry:%d\n" % RETRY_MS + Event("hello", {"runs": runs}).encode()

    def _encode(self, event: Event) -> bytes:
        if self._one_run and event.cursor is not None:
            (shown,) = self._reader.channel.slots.values()
            event = Event(event.name, event.data, shown.run.cut + event.cursor.partition(":")[2])
        return event.encode()
