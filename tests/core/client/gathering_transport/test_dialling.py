"""Connecting to hosts that have several addresses, some of which do not answer."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from core.client.gathering_transport import dialling
from core.client.gathering_transport.dialling import dialled
from core.client.gathering_transport.link import Link
from tests.core.hub.test_hub import until


class Listener:
    """Counts connections and those that the client closed."""

    def __init__(self) -> None:
        self.opened = self.left = 0

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        try:
            await reader.read()
        except ConnectionError:
            pass
        finally:
            self.left += 1
            writer.close()


@asynccontextmanager
async def listening(address: str) -> AsyncIterator[tuple[Listener, int]]:
    listener = Listener()
    server = await asyncio.start_server(listener.accept, address, 0)
    async with server:
        yield listener, server.sockets[0].getsockname()[1]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Says which addresses every name has."""

    def to(*addresses: str) -> None:
        async def getaddrinfo(_loop: Any, _host: str, port: int, **_: Any) -> Sequence[Any]:
            await asyncio.sleep(0)
            return [
                (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses
            ]

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)

    return to


async def test_address_that_refuses_makes_way_for_the_next_at_once(resolve: Any) -> None:
    resolve("127.0.0.1", "127.0.0.2")
    async with listening("127.0.0.2") as (listener, port):
        began = asyncio.get_running_loop().time()
        link = await dialled("name.test", port, None, 5)
        assert asyncio.get_running_loop().time() - began < dialling.NEXT_ADDRESS_S
        await until(lambda: listener.opened == 1)
        link.abort()


async def test_slow_address_is_joined_by_the_next_and_left_when_that_answers(resolve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve("127.0.0.9", "127.0.0.2")
    given_up: list[str] = []
    connected = dialling._connected

    async def slowly(address: str, *more: Any) -> Link:
        if address == "127.0.0.9":
            try:
                await asyncio.Event().wait()
            finally:
                given_up.append(address)
        return await connected(address, *more)

    monkeypatch.setattr(dialling, "_connected", slowly)
    async with listening("127.0.0.2") as (_, port):
        link = await dialled("name.test", port, None, 5)
        await until(lambda: given_up == ["127.0.0.9"])
        link.abort()


async def test_families_take_turns(resolve: Any) -> None:
    resolve("::1", "::2", "::3", "10.0.0.1")
    assert await dialling._addresses("name.test", 80) == ["::1", "10.0.0.1", "::2", "::3"]


async def test_host_none_of_whose_addresses_answer_is_the_first_ones_error(resolve: Any) -> None:
    resolve("127.0.0.1", "127.0.0.2")
    with pytest.raises(httpx.ConnectError) as refused:
        await dialled("name.test", 9, None, 5)
    assert isinstance(refused.value.__cause__, ConnectionRefusedError)


async def test_call_cancelled_while_it_connects_leaves_no_connection(resolve: Any) -> None:
    resolve("127.0.0.2", "127.0.0.1")
    gc.disable()  # it would close what nobody refers to any more
    try:
        async with listening("127.0.0.2") as (listener, port):
            for steps in range(30):
                call = asyncio.ensure_future(dialled("name.test", port, None, 5))
                for _ in range(steps):
                    await asyncio.sleep(0)
                if not call.cancel():
                    call.result().abort()
                await asyncio.gather(call, return_exceptions=True)
            assert listener.opened > 10
            await until(lambda: listener.left == listener.opened)
    finally:
        gc.enable()
