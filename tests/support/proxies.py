"""Proxies of the bad kind, between a browser and the playground.

``buffering``: holds every HTTP answer back until it is complete, so a stream of events never arrives while it is open.
``cutting``: passes everything on at once and cuts each connection when it is so many seconds old.
``failing``: passes everything on until told to go down, and again when told to come back.
All let websockets through (the cutting ones cut them too).
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_CHUNK = 65_536


@dataclass(slots=True)
class Proxy:
    """A running proxy: ``url`` without a trailing slash, and how many connections it has ``cut`` or answers ``held`` back so far."""

    url: str = ""
    cut: int = 0
    held: list[str] = field(default_factory=list)


@contextmanager
def buffering(upstream_port: int) -> Iterator[Proxy]:
    """A proxy on 127.0.0.1 before ``upstream_port`` that releases no answer before its end. ``held`` names the paths asked for."""
    proxy = Proxy()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        async with _upstream(upstream_port) as (up_reader, up_writer):
            if re.search(rb"\r\nupgrade:", head, re.IGNORECASE):
                up_writer.write(head)
                await _both_ways(reader, writer, up_reader, up_writer)
                return
            proxy.held.append(head.split(b" ", 2)[1].decode())
            up_writer.write(_one_answer(head) + await reader.readexactly(_length(head)))
            whole = asyncio.ensure_future(up_reader.read(-1))
            left = asyncio.ensure_future(reader.read(1))
            await asyncio.wait({whole, left}, return_when=asyncio.FIRST_COMPLETED)
            if whole.done():
                writer.write(whole.result())
                await writer.drain()
            for task in (whole, left):
                task.cancel()

    with _listening(proxy, handle):
        yield proxy


@contextmanager
def cutting(upstream_port: int, *, every_s: float = 3.0) -> Iterator[Proxy]:
    """A proxy on 127.0.0.1 before ``upstream_port`` that cuts each connection ``every_s`` seconds after it was made."""
    proxy = Proxy()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with _upstream(upstream_port) as (up_reader, up_writer):
            try:
                async with asyncio.timeout(every_s):
                    await _both_ways(reader, writer, up_reader, up_writer)
            except TimeoutError:
                proxy.cut += 1
                writer.transport.abort()

    with _listening(proxy, handle):
        yield proxy


class FailingProxy(Proxy):
    """A proxy that a test takes ``down`` and ``up`` again, as a network that is gone for a while.

    Going down with ``resets`` breaks every connection and every new one, as a router does that restarts; without, nothing goes
    through and nothing is said, as where a cable was pulled.
    """

    def __init__(self) -> None:
        super().__init__()
        self._up = threading.Event()
        self._up.set()
        self._resets = False
        self._open: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def down(self, *, resets: bool) -> None:
        """From now on nothing goes through."""
        self._resets = resets
        self._up.clear()
        if resets and self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._break_all(), self._loop).result(5)

    def up(self) -> None:
        """Everything goes through again."""
        self._up.set()

    async def handle(self, upstream_port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self._loop = asyncio.get_running_loop()
        self._open.add(writer)
        try:
            if self._resets and not self._up.is_set():
                self.cut += 1
                writer.transport.abort()
                return
            async with _upstream(upstream_port) as (up_reader, up_writer):
                await _both_ways(reader, writer, up_reader, up_writer, gate=self._passing)
        finally:
            self._open.discard(writer)

    async def _passing(self) -> None:
        while not self._up.is_set():  # noqa: ASYNC110  # another thread sets it
            await asyncio.sleep(0.01)

    async def _break_all(self) -> None:
        for writer in list(self._open):
            self.cut += 1
            writer.transport.abort()


@contextmanager
def failing(upstream_port: int) -> Iterator[FailingProxy]:
    """A proxy on 127.0.0.1 before ``upstream_port`` that goes ``down()`` and ``up()`` as the test says."""
    proxy = FailingProxy()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await proxy.handle(upstream_port, reader, writer)

    with _listening(proxy, handle):
        yield proxy


async def _at_once() -> None:
    """The gate that is always open."""


@asynccontextmanager
async def _upstream(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _both_ways(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    up_reader: asyncio.StreamReader,
    up_writer: asyncio.StreamWriter,
    *,
    gate: Callable[[], Awaitable[None]] = _at_once,
) -> None:
    """Pass bytes on in both directions, each piece when the ``gate`` lets it, until either side ends."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            await gate()
            sink.write(data)
            await sink.drain()

    pumps = {asyncio.ensure_future(pump(reader, up_writer)), asyncio.ensure_future(pump(up_reader, writer))}
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        await writer.drain()
    finally:
        for task in pumps:
            task.cancel()


def _one_answer(head: bytes) -> bytes:
    """The request's head, asking the server to close when it has answered: that is how the answer's end is told here."""
    return re.sub(rb"(?i)\r\n(connection|keep-alive):[^\r]*", b"", head).removesuffix(b"\r\n\r\n") + b"\r\nconnection: close\r\n\r\n"


def _length(head: bytes) -> int:
    found = re.search(rb"(?i)\r\ncontent-length:\s*(\d+)", head)
    return int(found[1]) if found else 0


@contextmanager
def _listening(proxy: Proxy, handle: Handler) -> Iterator[None]:
    """Serve ``handle`` on a free port from a thread with a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True, name="proxy")
    thread.start()
    connections: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await handle(reader, writer)
        connections.discard(task)
        writer.close()

    async def close() -> None:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(connection, "127.0.0.1", 0, limit=2**24), loop).result(5)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(close(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
