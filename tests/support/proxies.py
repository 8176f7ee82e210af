"""Proxies of the bad kind, between a browser and the playground.

``buffering``: holds every HTTP answer back until it is complete, so a stream of events never arrives while it is open.
``cutting``: passes everything on at once and cuts each connection when it is so many seconds old.
Both let websockets through (the cutting one cuts them too).
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


@asynccontextmanager
async def _upstream(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _both_ways(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, up_reader: asyncio.StreamReader, up_writer: asyncio.StreamWriter
) -> None:
    """Pass bytes on in both directions until either side ends."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
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
