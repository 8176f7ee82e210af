"""Decoding a stream of 20,000 tokens: tokens per CPU second, beside openai's AsyncOpenAI, the official orq-ai-sdk and a bare httpx loop."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from statistics import median

import httpx
import orjson
from openai import AsyncOpenAI
from orq_ai_sdk import Orq
from pydantic import SecretStr

from core.client.client import RouterClient
from core.client.sse import EventDecoder
from core.connection import Connection
from core.contract.response import parse_chunk
from core.local_router.server import LocalRouter
from tests.benchmarks.frame_server import frame_server
from tests.benchmarks.row import Row, row

TOKENS = 20_000
SAMPLES = 5
READ_BYTES = 64 * 1024
"""What httpx reads from a socket at once, and so what a decoder is fed when a stream is already there."""

BODY = {"model": "local/pydoc", "prompt": "A function definition", "max_tokens": TOKENS, "seed": 1, "stream": True}
Reader = Callable[[str, httpx.AsyncClient], Awaitable[int]]
"""Reads one stream to its end from a base URL through an HTTP client; gives the number of pieces with text it saw."""


def run() -> list[Row]:
    """The stream from memory through each client, and again over loopback from another process."""
    stream = recorded_stream()
    rows = [row("the decoder and typed chunks alone, 64 KiB a feed", "tokens/CPU s", median(decoder_rate(stream) for _ in range(SAMPLES)))]
    in_memory = rates(lambda read: asyncio.run(_in_memory_rate(read, stream)), {"ours": ours, "openai": openai, "orq-ai-sdk": orq})
    rows += compared("from memory", in_memory, {"openai": "≥ 10 ×", "orq-ai-sdk": "≥ 50 ×"})
    with frame_server(stream) as url:
        readers = {"ours": ours, "openai": openai, "orq-ai-sdk": orq, "bare httpx loop": bare}
        loopback = rates(lambda read: asyncio.run(_rate(read, url, httpx.AsyncHTTPTransport())), readers)
    rows += compared("over loopback, a frame a chunk", loopback, {"openai": "≥ 6 ×", "orq-ai-sdk": "≥ 25 ×", "bare httpx loop": ""})
    return rows


def recorded_stream() -> bytes:
    """What the local router really sends on ``/v2/router/completions``, its frames of text repeated until they are 20,000."""
    with LocalRouter(pace=0).running() as router:
        headers = {"authorization": f"Bearer {router.api_key.get_secret_value()}"}
        url = f"{router.base_url}/v2/router/completions"
        answer = httpx.post(url, json=BODY, headers=headers, timeout=120, trust_env=False)
    answer.raise_for_status()
    frames = [line for line in answer.content.split(b"\n\n") if line.startswith(b"data: {")]
    text, last = [frame for frame in frames[:-1] if json.loads(frame[6:])["choices"]], frames[-1]
    pieces = itertools.islice(itertools.cycle(text), TOKENS)
    return b"".join(frame + b"\n\n" for frame in (*pieces, last, b"data: [DONE]"))


def rates(measure: Callable[[Reader], float], readers: dict[str, Reader]) -> dict[str, float]:
    """Median tokens per CPU second of each reader; the readers take turns, so that a busy moment of the machine hits them alike."""
    samples: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(SAMPLES):
        for name, read in readers.items():
            samples[name].append(measure(read))
    return {name: median(values) for name, values in samples.items()}


def compared(what: str, rates_by_name: dict[str, float], targets: dict[str, str]) -> list[Row]:
    """Our figure beside each other one."""
    mine = rates_by_name["ours"]
    return [
        row(f"whole client, {what}", "tokens/CPU s", mine, target=target, reference=(name, rates_by_name[name]), more_is_better=True)
        for name, target in targets.items()
    ]


def decoder_rate(stream: bytes) -> float:
    """Tokens per CPU second of bytes → events → chunks, without a client around."""
    gc.collect()
    began, pieces = time.process_time(), 0
    decoder = EventDecoder()
    for start in range(0, len(stream), READ_BYTES):
        for event in decoder.feed(stream[start : start + READ_BYTES]):
            pieces += len(parse_chunk(event.data).choices)
    return pieces / (time.process_time() - began)


async def _in_memory_rate(read: Reader, stream: bytes) -> float:
    return await _rate(read, "http://127.0.0.1:9", _Memory(stream))


async def _rate(read: Reader, url: str, transport: httpx.AsyncBaseTransport) -> float:
    async with httpx.AsyncClient(transport=transport, timeout=120) as http:
        gc.collect()
        began = time.process_time()
        pieces = await read(url, http)
        took_s = time.process_time() - began
    if pieces < TOKENS:
        raise RuntimeError(f"a client saw {pieces} pieces and not {TOKENS}")
    return pieces / took_s


class _Memory(httpx.AsyncBaseTransport):
    """Answers every request with one stream, in reads of the size a socket gives."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=_Reads(self._stream))


class _Reads(httpx.AsyncByteStream):
    def __init__(self, stream: bytes) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._stream), READ_BYTES):
            yield self._stream[start : start + READ_BYTES]


async def ours(url: str, http: httpx.AsyncClient) -> int:
    """Through RouterClient: typed chunks, merged on the way, the raw body kept."""
    connection = Connection("bench", "orq", url, "/v2/router/completions", SecretStr("sk-bench"))
    pieces = 0
    async with RouterClient(connection, http=http).stream(BODY) as reply:
        async for chunk in reply:
            pieces += len(chunk.choices)
    return pieces


async def openai(url: str, http: httpx.AsyncClient) -> int:
    """Through openai's AsyncOpenAI."""
    client = AsyncOpenAI(base_url=url, api_key="sk-bench", http_client=http, max_retries=0)
    pieces = 0
    stream = await client.completions.create(model="local/pydoc", prompt="A function definition", max_tokens=TOKENS, seed=1, stream=True)
    async for chunk in stream:
        pieces += len(chunk.choices)
    return pieces


async def orq(url: str, http: httpx.AsyncClient) -> int:
    """Through the official client."""
    pieces = 0
    sdk = Orq(api_key="sk-bench", server_url=url, async_client=http)
    stream = await sdk.router.completions.create_async(
        model="local/pydoc", prompt="A function definition", max_tokens=TOKENS, seed=1, stream=True
    )
    async with stream as events:
        async for event in events:
            pieces += len(event.data.choices)
    return pieces


async def bare(url: str, http: httpx.AsyncClient) -> int:
    """The least that can be done with httpx: split at blank lines, parse the JSON, no types."""
    pieces, rest = 0, b""
    async with _post(url, http) as answer:
        async for received in answer.aiter_raw():
            *frames, rest = (rest + received).split(b"\n\n")
            for frame in frames:
                if frame != b"data: [DONE]":
                    pieces += len(orjson.loads(frame[6:])["choices"])
    return pieces


@asynccontextmanager
async def _post(url: str, http: httpx.AsyncClient) -> AsyncIterator[httpx.Response]:
    async with http.stream("POST", url, json=BODY) as answer:
        yield answer
