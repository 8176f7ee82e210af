"""A learned model and a running router, once a test process; a router with upstreams, once a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from core.local_router.clock import Clock
from core.local_router.generation import Task, generate
from core.local_router.models.corpus import topics
from core.local_router.models.ngram import LearnedText, NgramModel
from core.local_router.models.sampling import SamplingParameters
from core.local_router.server import LocalRouter
from core.local_router.upstreams import UpstreamConfig
from tests.core.local_router.fakes import at_once
from tests.core.local_router.upstreams.chat_server import ChatServer, chat_server

KEY = "sk-local-3f9a77c1"


@pytest.fixture(scope="session")
def learned() -> LearnedText:
    return LearnedText(topics())


@pytest.fixture(scope="session")
def greedy(learned: LearnedText) -> str:
    """What ``local/pydoc`` says at temperature 0 after "A function definition", twelve tokens long, on this Python."""
    prompt = "A function definition"
    task = Task(prompt, learned.tokenizer.encode(prompt), SamplingParameters(temperature=0), max_tokens=12, n=1, stops=(), echo=False)
    return "".join(piece.text for piece in generate(NgramModel(learned), task))


@pytest.fixture(scope="session")
def router() -> Iterator[LocalRouter]:
    with LocalRouter(api_key=KEY, pace=0).running() as running:
        yield running


@pytest.fixture
def client(router: LocalRouter) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=router.base_url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as client:
        yield client


UPSTREAM_KEY = "sk-upstream-canary-77d1e0"
"""The key that upstreams are sent; it must be seen nowhere else."""

Ask = Callable[..., httpx.Response]


@pytest.fixture
def up(router: LocalRouter) -> Iterator[LocalRouter]:
    """A router of its own, whose back-off passes at once, with ``inner``: the session's router as its upstream."""
    with LocalRouter(api_key=KEY, pace=0, clock=Clock(sleep=at_once)).running() as running:
        inner = UpstreamConfig(name="inner", base_url=router.base_url)
        running.upstreams.put(inner, SecretStr(KEY))
        yield running


@pytest.fixture
def chat(up: LocalRouter) -> Iterator[ChatServer]:
    """A chat server, which ``up`` knows as ``chat``."""
    with chat_server() as server:
        up.upstreams.put(UpstreamConfig(name="chat", base_url=server.base_url), SecretStr(UPSTREAM_KEY))
        yield server


@pytest.fixture
def ask(up: LocalRouter) -> Iterator[Ask]:
    """Posts a completion to ``up``; keyword arguments are fields of the body, ``path`` apart."""
    with httpx.Client(base_url=up.base_url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as http:

        def post(path: str = "/v2/router/completions", **body: Any) -> httpx.Response:
            return http.post(path, json={"prompt": "A function definition", "temperature": 0, **body})

        yield post
