"""Making a connection: to the first of a host's addresses that answers, and to no other."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Final

import httpx

from core.client.gathering_transport.link import Link

NEXT_ADDRESS_S: Final = 0.25
"""How long one address is waited for before the next is tried beside it (RFC 8305)."""


async def dialled(host: str, port: int, tls: ssl.SSLContext | None, timeout: float | None) -> Link:  # noqa: ASYNC109
    """A connection to ``host``, under TLS where ``tls`` is given; ``httpx.ConnectError`` or ``ConnectTimeout`` where there is none.

    asyncio's own race between addresses loses a connection that was just made when it is cancelled; this one closes it.
    """
    try:
        async with asyncio.timeout(timeout):
            addresses = await _addresses(host, port)
            if len(addresses) == 1:
                return await _connected(addresses[0], host, port, tls)
            return await _first(addresses, host, port, tls)
    except TimeoutError as problem:
        raise httpx.ConnectTimeout(str(problem)) from problem
    except (OSError, UnicodeError) as problem:
        raise httpx.ConnectError(str(problem)) from problem


async def _addresses(host: str, port: int) -> Sequence[str]:
    """The host's addresses in the system's order, families in turn."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    preferred, others = ([str(address[0]) for family, *_, address in found if (family == found[0][0]) is same] for same in (True, False))
    return [address for address in dict.fromkeys(chain.from_iterable(zip_longest(preferred, others))) if address]


async def _first(addresses: Sequence[str], host: str, port: int, tls: ssl.SSLContext | None) -> Link:
    """The connection made first; each address is tried when the one before it has failed, or beside it when that is slow."""
    attempts: list[asyncio.Task[Link]] = []
    pending: set[asyncio.Task[Link]] = set()
    winner: asyncio.Task[Link] | None = None
    try:
        while len(attempts) < len(addresses) or pending:
            if len(attempts) < len(addresses):
                attempts.append(asyncio.ensure_future(_connected(addresses[len(attempts)], host, port, tls)))
                pending.add(attempts[-1])
            patience_s = NEXT_ADDRESS_S if len(attempts) < len(addresses) else None
            done, pending = await asyncio.wait(pending, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            winner = next((attempt for attempt in done if attempt.exception() is None), None)
            if winner is not None:
                return winner.result()
        return attempts[0].result()  # raises why
    finally:
        for attempt in attempts:
            if attempt is not winner:
                attempt.cancel()
                attempt.add_done_callback(_hang_up)


async def _connected(address: str, host: str, port: int, tls: ssl.SSLContext | None) -> Link:
    loop = asyncio.get_running_loop()
    name = host if tls else None
    _, link = await loop.create_connection(Link, address, port, ssl=tls, server_hostname=name)
    return link


def _hang_up(attempt: asyncio.Task[Link]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().abort()
