"""The transport against real sockets: gathers small pieces, holds up nothing else, and fails as httpx's own does."""

from __future__ import annotations

import asyncio
import gc
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from core.client.gathering_transport import EAGER_READS, FRAME_S, GatheringTransport
from tests.core.hub.test_hub import until

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


CERTIFICATE = Path(__file__).with_name("localhost_test_certificate.pem")


@asynccontextmanager
async def serving(answer: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that reads one request's head and then does ``answer``; yields its address."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(handle(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=GatheringTransport(None, 4, 5.0), timeout=5) as client:
        yield client


async def test_pieces_of_one_frame_come_together_and_none_is_lost(http: httpx.AsyncClient) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        for number in range(300):
            writer.write(chunk(b"%03d " % number))
            await asyncio.sleep(0.001)
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async with serving(answer) as url, http.stream("GET", url) as response:
        began, times, text = time.monotonic(), [], b""
        async for part in response.aiter_raw():
            text += part
            times.append(time.monotonic())
        took = times[-1] - began
    assert text == b"".join(b"%03d " % number for number in range(300))
    bursts = 1 + sum(later - earlier > FRAME_S / 2 for earlier, later in pairwise(times))
    assert bursts <= took / FRAME_S + EAGER_READS + 1


async def test_the_first_pieces_and_those_after_a_pause_wait_for_nothing(http: httpx.AsyncClient) -> None:
    sent: list[float] = []

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        for _ in range(8):
            await asyncio.sleep(3 * FRAME_S)
            sent.append(time.monotonic())
            writer.write(chunk(b"x"))
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async with serving(answer) as url, http.stream("GET", url) as response:
        received = [time.monotonic() async for _ in response.aiter_raw()]
    lags = sorted(there - here for here, there in zip(sent, received, strict=True))
    assert lags[len(lags) // 2] < FRAME_S / 2


async def test_much_at_once_is_not_slowed_down(http: httpx.AsyncClient) -> None:
    body = bytes(range(256)) * 4096 * 16

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    async with serving(answer) as url:
        began = time.monotonic()
        assert (await http.get(url)).content == body
        assert time.monotonic() - began < len(body) / 65_536 * FRAME_S


async def test_a_reader_that_dawdles_makes_the_sender_wait(http: httpx.AsyncClient) -> None:
    stuck = asyncio.Event()

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        for _ in range(400):
            writer.write(chunk(b"x" * 65_536))
            try:
                await asyncio.wait_for(writer.drain(), 0.3)
            except TimeoutError:
                stuck.set()
                await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async with serving(answer) as url, http.stream("GET", url) as response:
        await asyncio.wait_for(stuck.wait(), 5)
        assert sum([len(part) async for part in response.aiter_raw()]) == 400 * 65_536


async def test_a_connection_is_used_again_and_one_the_server_closed_is_not(http: httpx.AsyncClient) -> None:
    ports: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            ports.append(writer.get_extra_info("peername")[1])
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            if len(ports) != 2:
                await reader.readuntil(b"\r\n\r\n")

    async with serving(answer) as url:
        for _ in range(2):
            assert (await http.get(url)).text == "ok"
        await asyncio.sleep(0.05)
        assert (await http.get(url)).text == "ok"
    assert ports[0] == ports[1] != ports[2]


async def test_idle_connections_are_few_and_end_by_themselves() -> None:
    opened = ended = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened, ended
        opened += 1
        await until(lambda: opened == 3)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        try:
            await reader.read()
        finally:
            ended += 1

    async with serving(answer) as url, httpx.AsyncClient(transport=GatheringTransport(None, 2, 0.3), timeout=5) as http:
        await asyncio.gather(*(http.get(url) for _ in range(3)))
        await until(lambda: ended == 1)
        await until(lambda: ended == 3)


async def test_client_that_closes_closes_what_is_in_use_too() -> None:
    left = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(b"x"))
        try:
            await reader.read()
        finally:
            left.set()

    transport = GatheringTransport(None, 2, 5.0)
    async with serving(answer) as url, httpx.AsyncClient(transport=transport) as http, http.stream("GET", url) as response:
        await anext(response.aiter_raw())
        await transport.aclose()
        await asyncio.wait_for(left.wait(), 2)


@pytest.mark.parametrize(
    ("sent", "status", "text"),
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", 200, "to the end"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (b"HTTP/1.1 200 Very Well\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", 200, "ok"),
    ],
    ids=["hints before it", "no length", "no content", "last one"],
)
async def test_answers_of_every_form_are_read(http: httpx.AsyncClient, sent: bytes, status: int, text: str) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()

    async with serving(answer) as url:
        response = await http.get(url)
    assert (response.status_code, response.text, response.http_version) == (status, text, f"HTTP/1.{sent[7:8].decode()}")


async def test_refusal_of_a_body_that_was_not_read_is_heard(http: httpx.AsyncClient) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno.")
        await writer.drain()
        await asyncio.sleep(0.05)  # so that the answer is there before the reset that unread bytes cause

    async with serving(answer) as url:
        response = await http.post(url, content=b"x" * 16_000_000)
    assert (response.status_code, response.text) == (413, "no.")


@pytest.mark.parametrize("sent", [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", b"hello\r\n\r\n", b""])
async def test_what_is_no_answer_is_a_protocol_error(http: httpx.AsyncClient, sent: bytes) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()

    async with serving(answer) as url:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(url)


async def test_other_schemes_are_refused(http: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.UnsupportedProtocol):
        await http.get("ftp://127.0.0.1/")


async def test_leaving_in_the_middle_closes_the_connection(http: httpx.AsyncClient) -> None:
    left = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(b"x"))
        try:
            await reader.read(1)
        finally:
            left.set()

    async with serving(answer) as url:
        async with http.stream("GET", url) as response:
            await anext(response.aiter_raw())
        await asyncio.wait_for(left.wait(), 2)


@pytest.mark.parametrize("cancels", [1, 2])
async def test_call_cancelled_at_any_moment_leaves_no_connection(http: httpx.AsyncClient, cancels: int) -> None:
    opened: list[asyncio.StreamWriter] = []
    ended = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal ended
        opened.append(writer)
        try:
            while True:
                writer.write(HEAD + chunk(b"x"))
                await asyncio.sleep(0)
                writer.write(chunk(b"y") + b"0\r\n\r\n")
                await reader.readuntil(b"\r\n\r\n")
        finally:
            ended += 1

    async def ask(url: str) -> str:
        async with http.stream("GET", url, headers={"Connection": "close"} if len(opened) % 2 else {}) as response:
            return (await response.aread()).decode()

    gc.disable()  # it would close what nobody refers to any more
    try:
        async with serving(answer) as url:
            for steps in range(60):
                call = asyncio.ensure_future(ask(url))
                for _ in range(steps):
                    await asyncio.sleep(0)
                for _ in range(cancels):
                    call.cancel()
                    await asyncio.sleep(0)
                await asyncio.gather(call, return_exceptions=True)
                await until(lambda: len(opened) - ended <= 1)  # one may wait for the next call
            assert await ask(url) == "xy"
            assert len(opened) > 20
    finally:
        gc.enable()


async def test_errors_are_httpxs_with_their_cause(http: httpx.AsyncClient) -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async def cut(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(b"x"))
        await writer.drain()

    with pytest.raises(httpx.ConnectError) as refused:
        await http.get("http://127.0.0.1:9")
    assert isinstance(refused.value.__cause__, ConnectionRefusedError)
    async with serving(silent) as url:
        with pytest.raises(httpx.ReadTimeout):
            await http.get(url, timeout=0.1)
    async with serving(cut) as url:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(url)
    with pytest.raises(httpx.ConnectError):
        await http.get("http://no-such-host.invalid")


async def test_a_silence_between_pieces_is_a_read_timeout(http: httpx.AsyncClient) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(b"x"))
        await reader.read(1)

    async with serving(answer) as url:
        with pytest.raises(httpx.ReadTimeout):
            await http.get(url, timeout=0.1)


async def test_a_large_body_is_sent_whole(http: httpx.AsyncClient) -> None:
    got: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        got.append(len(await reader.readexactly(8_000_000)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with serving(answer) as url:
        assert (await http.post(url, content=b"x" * 8_000_000)).status_code == 200
    await until(lambda: got == [8_000_000])


async def test_tls_works_and_a_certificate_nobody_trusts_is_refused() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(b"over ") + chunk(b"TLS") + b"0\r\n\r\n")
        await writer.drain()

    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(CERTIFICATE)
    trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
    async with serving(answer, server) as url:
        async with httpx.AsyncClient(transport=GatheringTransport(trusting, 4, 5.0)) as http:
            assert (await http.get(url)).text == "over TLS"
        async with httpx.AsyncClient(transport=GatheringTransport(ssl.create_default_context(), 4, 5.0)) as http:
            with pytest.raises(httpx.ConnectError) as problem:
                await http.get(url)
    assert isinstance(problem.value.__cause__, ssl.SSLCertVerificationError)
