"""Every kind of personal data on its way to an upstream and back, cut anywhere by the frames of its stream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from core.local_router.server import LocalRouter
from core.local_router.upstreams import UpstreamConfig
from tests.core.local_router.conftest import Ask
from tests.core.local_router.pii.test_recognizers import EXAMPLES
from tests.core.local_router.sse import frames, texts
from tests.support.server_thread import served

PROMPT = "".join(f"My {kind} is {value}.\n" for kind, value in EXAMPLES.items())


class EchoServer:
    """An OpenAI-compatible server that says each prompt back, ``seed`` characters a frame."""

    def __init__(self) -> None:
        self.prompts: list[str] = []

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/completions", self._complete, methods=["POST"])])

    async def _complete(self, request: Request) -> Response:
        body = await request.json()
        self.prompts.append(body["prompt"])
        return StreamingResponse(self._said(body["prompt"], body["seed"]), media_type="text/event-stream")

    async def _said(self, prompt: str, size: int) -> AsyncIterator[str]:
        for start in range(0, len(prompt), size):
            yield self._frame(prompt[start : start + size], None)
        yield self._frame("", "stop")
        yield "data: [DONE]\n\n"

    def _frame(self, text: str, reason: str | None) -> str:
        return f"data: {json.dumps({'choices': [{'index': 0, 'text': text, 'finish_reason': reason}]})}\n\n"


@pytest.fixture
def echo(up: LocalRouter) -> Iterator[EchoServer]:
    server = EchoServer()
    with served(server.app()) as base_url:
        up.upstreams.put(UpstreamConfig(name="echo", base_url=base_url))
        yield server


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_every_kind_is_hidden_from_the_upstream_and_comes_back(ask: Ask, echo: EchoServer, size: int, streamed: bool):
    asked: dict[str, Any] = {"model": "echo/m", "prompt": PROMPT, "seed": size, "stream": streamed, "plugins": [{"id": "pii_redaction"}]}
    answer = ask(**asked)
    assert answer.status_code == 200, answer.text
    (prompt,) = echo.prompts
    assert [value for value in EXAMPLES.values() if value in prompt] == []
    assert prompt.count("<") >= len(EXAMPLES)
    said = frames(answer.text) if streamed else answer.json()
    assert (texts(said)[0] if streamed else said["choices"][0]["text"]) == PROMPT
    if streamed and size == 1:  # what cannot become a placeholder is not held back
        assert max(len(frame["choices"][0]["text"]) for frame in said) <= max(map(len, EXAMPLES.values())) + 10
