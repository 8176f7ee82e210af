"""The hub's HTTP clients: shared where they can be, kept apart where they must."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from core.client import connection_pool
from core.client.connection_pool import ConnectionPool
from core.connection import Connection


def to(base_url: str, name: str = "c") -> Connection:
    return Connection(name, "local", base_url, "/v1/completions")


async def test_runs_of_one_router_share_a_client_and_others_do_not() -> None:
    pool = ConnectionPool(4)
    first, second, third = to("http://127.0.0.1:1"), to("http://127.0.0.1:1", "d"), to("http://127.0.0.1:2")
    async with pool.lease(first) as one, pool.lease(second) as same, pool.lease(third) as other:
        assert one is same
        assert one is not other
    await pool.close()
    assert one.is_closed
    assert other.is_closed


async def test_the_least_recently_used_clients_are_closed_but_never_one_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_pool, "MAX_CLIENTS", 2)
    pool = ConnectionPool(4)
    async with pool.lease(to("http://127.0.0.1:1")) as busy:
        clients = []
        for port in (2, 3, 4):
            async with pool.lease(to(f"http://127.0.0.1:{port}")) as client:
                clients.append(client)
        assert not busy.is_closed
        assert [client.is_closed for client in clients] == [True, True, False]
    await pool.close()


async def test_a_cookie_one_user_was_given_is_not_sent_for_the_next() -> None:
    heads: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: who=alice; Path=/\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    pool = ConnectionPool(4)
    for _ in range(2):
        async with pool.lease(to(url)) as http:
            await http.get(url)
    await pool.close()
    server.close()
    assert len(heads) == 2
    assert "alice" not in "".join(heads)


async def test_a_proxy_of_the_environment_is_used_for_strangers_and_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    pool = ConnectionPool(4)
    async with pool.lease(to("http://router.example")) as outside, pool.lease(to("http://127.0.0.1:1")) as inside:
        with pytest.raises(httpx.ConnectError):
            await outside.get("http://router.example")
        assert any(transport is not None for transport in outside._mounts.values())
        assert not inside._mounts
    await pool.close()
