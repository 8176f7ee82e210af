"""A router whose back-off passes at once, and the official client's four ways to ask it."""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from orq_ai_sdk import Orq
from orq_ai_sdk.models import OrqError

from core.local_router.clock import Clock
from core.local_router.server import LocalRouter
from tests.core.local_router.fakes import at_once

WAYS = ("sync", "sync stream", "async", "async stream")
ASKED: dict[str, Any] = {"model": "local/pydoc", "prompt": "A function definition", "seed": 5, "max_tokens": 24}

NOTES: dict[str, tuple[str, dict[str, Any]]] = {
    "otter.txt": ("The otter hunts crabs at night and sleeps in a holt by the river.", {"year": 2019, "kind": "mammal"}),
    "heron.txt": ("The heron stands still in shallow water and waits for fish.", {"year": 2021, "kind": "bird"}),
    "beaver.txt": ("The beaver fells willow trees and dams the river with them.", {"year": 2023, "kind": "mammal"}),
    "swift.txt": ("The swift sleeps on the wing, and catches insects at dusk.", {"year": 2023, "kind": "bird"}),
    "adder.txt": ("The adder basks on warm stones in spring.", {"year": 2018, "kind": "reptile"}),
    "newt.txt": ("The newt spends the winter under stones and logs.", {"year": 2020}),
    "mole.txt": ("The mole digs tunnels and eats worms below the meadow.", {"year": 2022, "kind": "mammal"}),
}

IDLE, IDLE_ASYNC = httpx.Client(verify=False), httpx.AsyncClient(verify=False)
"""Never used: the official client makes what it is not given, and loads certificates for it each time (30 ms)."""


@dataclass(frozen=True)
class Seen:
    """What came back: texts and finish reasons by choice, usage as a dict, the router's own headers and trace; ``frames`` of a stream."""

    texts: dict[int, str]
    reasons: dict[int, str]
    usage: dict[str, Any]
    headers: httpx.Headers
    trace: dict[str, Any]
    frames: int
    status: int

    @property
    def text(self) -> str:
        return self.texts[0]

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.trace["events"] if event["type"] == kind]

    def event(self, kind: str) -> dict[str, Any]:
        (found,) = self.events(kind)
        return found

    def targets(self) -> list[tuple[str, int]]:
        """Every attempt's model and status."""
        return [(event["target"], event["status"]) for event in self.events("attempt")]


class Asker:
    """Asks the router through the official client; every asker has a key of its own, so it shares no cache and no script's turn."""

    def __init__(self, router: LocalRouter, way: str) -> None:
        self.router = router
        self.way = way
        self.key = f"sk-{secrets.token_hex(8)}"
        self.streams = way.endswith("stream")

    def __call__(self, **fields: Any) -> Seen:
        """The answer to ASKED with ``fields``; a field that is None here is left out. An error status is seen too, without texts."""
        asked = {name: value for name, value in (ASKED | fields).items() if value is not None} | ({"stream": True} if self.streams else {})
        answers: list[httpx.Response] = []
        if self.way.startswith("async"):
            chunks, status = asyncio.run(self._async(asked, answers))
        else:
            chunks, status = self._sync(asked, answers)
        return self._seen(chunks, status, answers[-1].headers)

    def get(self, path: str) -> Any:
        """What the router says at ``path`` to this asker's key."""
        answer = httpx.get(self.router.base_url + path, verify=False, headers={"Authorization": f"Bearer {self.key}"})
        answer.raise_for_status()
        return answer.json()

    def _sync(self, asked: dict[str, Any], answers: list[httpx.Response]) -> tuple[list[Any], int]:
        with (
            httpx.Client(event_hooks={"response": [answers.append]}, timeout=30, verify=False) as http,
            Orq(api_key=self.key, server_url=self.router.base_url, client=http, async_client=IDLE_ASYNC) as orq,
        ):
            try:
                result = orq.router.completions.create(**asked)
                if not self.streams:
                    return [result], 200
                with result:
                    return [event.data for event in result], 200
            except OrqError as error:
                return [], error.status_code

    async def _async(self, asked: dict[str, Any], answers: list[httpx.Response]) -> tuple[list[Any], int]:
        async def note(answer: httpx.Response) -> None:
            answers.append(answer)

        async with (
            httpx.AsyncClient(event_hooks={"response": [note]}, timeout=30, verify=False) as http,
            Orq(api_key=self.key, server_url=self.router.base_url, client=IDLE, async_client=http) as orq,
        ):
            try:
                result = await orq.router.completions.create_async(**asked)
                if not self.streams:
                    return [result], 200
                async with result:
                    return [event.data async for event in result], 200
            except OrqError as error:
                return [], error.status_code

    def _seen(self, chunks: Sequence[Any], status: int, headers: httpx.Headers) -> Seen:
        texts: dict[int, str] = defaultdict(str)
        reasons: dict[int, str] = {}
        usage: dict[str, Any] = {}
        for chunk in chunks:
            for choice in chunk.choices:
                texts[choice.index] += choice.text
                reasons[choice.index] = choice.finish_reason
            if chunk.usage:
                usage = chunk.usage.model_dump()
        trace = self.get(f"/v2/router/traces/{headers['x-router-request-id']}")
        return Seen(dict(texts), reasons, usage, headers, trace, len(chunks), status)


class AgeingTime:
    """Real time, which can be moved on."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self.clock = Clock(now=lambda: time.monotonic() + self.ahead_s, sleep=at_once)

    def pass_by(self, seconds: float) -> None:
        self.ahead_s += seconds


@pytest.fixture(scope="session")
def ageing_time() -> AgeingTime:
    return AgeingTime()


@pytest.fixture
def aged(ageing_time: AgeingTime) -> Callable[[float], None]:
    """Lets so many seconds pass for the router."""
    return ageing_time.pass_by


@pytest.fixture(scope="session")
def patient_router(ageing_time: AgeingTime) -> Iterator[LocalRouter]:
    with LocalRouter(api_key="", pace=0, clock=ageing_time.clock).running() as running:
        yield running


@pytest.fixture(params=WAYS)
def ask(patient_router: LocalRouter, request: pytest.FixtureRequest) -> Asker:
    return Asker(patient_router, request.param)


@pytest.fixture(scope="session")
def notes(patient_router: LocalRouter) -> dict[str, str]:
    """The base ``notes``; gives each note's name by its chunk's id."""
    with httpx.Client(base_url=patient_router.base_url, headers={"Authorization": "Bearer k"}, timeout=30) as http:
        http.post("/v2/knowledge", json={"key": "notes"}).raise_for_status()
        names = {}
        for name, (text, metadata) in NOTES.items():
            content = base64.b64encode(text.encode()).decode()
            sent = {"name": name, "content_base64": content, "metadata": metadata}
            source = http.post("/v2/knowledge/notes/documents", json=sent).raise_for_status().json()["_id"]
            (chunk,) = http.get(f"/v2/knowledge/notes/datasources/{source}/chunks").raise_for_status().json()["data"]
            names[chunk["_id"]] = name.removesuffix(".txt")
        http.post("/v2/knowledge", json={"key": "strict", "retrieval_settings": {"retrieval_type": "keyword_search", "top_k": 1}})
        content = base64.b64encode(b"The river otter is a strict otter.").decode()
        for name in ("one.txt", "two.txt"):
            http.post("/v2/knowledge/strict/documents", json={"name": name, "content_base64": content}).raise_for_status()
    return names
