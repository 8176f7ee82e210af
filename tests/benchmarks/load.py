"""Clients in a process of their own, so that they do not take the measured server's time: ``python -m tests.benchmarks.load``.

Reads one JSON object from standard input: ``url``, ``path``, ``key``, ``clients``, ``requests`` (in all), ``pipelined`` and ``body``, whose
``seed`` is counted up from the one given. Writes one JSON object: ``took_s``, ``latencies_ms`` and ``tokens``. Each client keeps one
connection and reads just enough HTTP to tell where an answer ends.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

TOKENS = re.compile(rb'"completion_tokens":\s*(\d+)')


@dataclass(frozen=True)
class Load:
    """What many clients saw: seconds for all of it, milliseconds of each request, completion tokens by the answers' usage."""

    took_s: float
    latencies_ms: list[float]
    tokens: int

    @property
    def requests_per_s(self) -> float:
        return len(self.latencies_ms) / self.took_s

    @property
    def tokens_per_s(self) -> float:
        return self.tokens / self.took_s


def load(
    url: str,
    body: dict[str, Any],
    *,
    clients: int,
    requests: int,
    path: str = "/v2/router/completions",
    key: str = "",
    pipelined: int = 1,
) -> Load:
    """Send ``requests`` requests from ``clients`` connections at once, in another process; RuntimeError when one is not answered by 200.

    A client sends ``pipelined`` requests before it reads their answers; a latency is then the time from the first to that answer.
    """
    order = {"url": url, "path": path, "key": key, "clients": clients, "requests": requests, "pipelined": pipelined, "body": body}
    command = [sys.executable, "-m", "tests.benchmarks.load"]
    done = subprocess.run(command, input=json.dumps(order), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the clients failed: {done.stderr[-2_000:]}")
    return Load(**json.loads(done.stdout))


class Client:
    """One kept connection."""

    def __init__(self, order: dict[str, Any], bodies: Iterator[dict[str, Any]]) -> None:
        self._order = order
        self._bodies = bodies
        self.latencies_ms: list[float] = []
        self.tokens = 0

    async def run(self) -> None:
        where = urlsplit(self._order["url"])
        reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=1 << 24)
        head = f"POST {self._order['path']} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/json\r\n"
        head += f"Authorization: Bearer {self._order['key'] or 'none'}\r\nContent-Length: "
        while batch := [json.dumps(body) for body in islice(self._bodies, self._order["pipelined"])]:
            began = time.perf_counter()
            writer.write("".join(f"{head}{len(body)}\r\n\r\n{body}" for body in batch).encode())  # ASCII, as json writes it
            for _ in batch:
                end = await self._answer(reader)
                self.latencies_ms.append((time.perf_counter() - began) * 1_000)
                counted = TOKENS.findall(end)
                self.tokens += int(counted[-1]) if counted else 0
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        """The last 4 KB of an answer's body."""
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in head.partition(b"\r\n")[0]:
            raise RuntimeError(f"answered {head[:300]!r}")
        length = re.search(rb"content-length: (\d+)", head)
        if length:
            return (await reader.readexactly(int(length[1])))[-4_096:]
        end = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            end = (end + await reader.readexactly(size + 2))[-4_096:]
        await reader.readexactly(2)
        return end


def bodies(template: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
    """The bodies, each with a seed of its own, so that none is answered from a cache."""
    for count in range(number):
        yield {**template, "seed": template.get("seed", 0) + count}


async def main() -> None:
    order = json.load(sys.stdin)
    waiting = bodies(order["body"], order["requests"])
    clients = [Client(order, waiting) for _ in range(order["clients"])]
    began = time.perf_counter()
    await asyncio.gather(*(client.run() for client in clients))
    took_s = time.perf_counter() - began
    latencies = [round(latency, 4) for client in clients for latency in client.latencies_ms]
    json.dump({"took_s": took_s, "latencies_ms": latencies, "tokens": sum(client.tokens for client in clients)}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
