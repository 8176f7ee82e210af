"""An OpenAI-compatible server on a loopback port that has chat completions, embeddings and reranking, and no ``/v1/completions``."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.conditions import comes_true
from tests.support.server_thread import served

USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 41,
    "total_tokens": 50,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 37},
}
"""What the server tells that a request took: more than its text shows, as models that reason do."""


class ChatServer:
    """``requests`` are path and body in the order they came; ``refuses`` are fields that are answered with a 400, with what it says;
    models are listed when ``may_list`` is set."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.keys: list[str] = []
        self.refuses: dict[str, str] = {}
        self.tells_usage = True
        self.scores: list[float] = []
        self.may_list = threading.Event()
        self.may_list.set()
        self.base_url = ""

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/models", self._models),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
                Route("/v1/embeddings", self._embeddings, methods=["POST"]),
                Route("/v1/rerank", self._rerank, methods=["POST"]),
            ]
        )

    def bodies(self, path: str) -> list[dict[str, Any]]:
        """The bodies that came to ``path``."""
        return [body for at, body in self.requests if at == path]

    async def _take(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = await request.json()
        self.requests.append((request.url.path, body))
        self.keys.append(request.headers.get("authorization", ""))
        return body

    async def _models(self, request: Request) -> Response:
        self.keys.append(request.headers.get("authorization", ""))
        await comes_true(self.may_list.is_set)
        return JSONResponse({"object": "list", "data": [{"id": "thinker"}, {"id": "family/other"}]})

    async def _chat(self, request: Request) -> Response:
        body = await self._take(request)
        for name, words in self.refuses.items():
            if name in body:
                return JSONResponse({"error": {"message": words, "type": "invalid_request_error", "param": name, "code": None}}, 400)
        prompt = body["messages"][0]["content"]
        count = body.get("n") or 1
        if not body.get("stream"):
            choices = [
                {
                    "index": index,
                    "finish_reason": "length",
                    "message": {"role": "assistant", "content": f" says {prompt} {index}", "reasoning_content": "Let me think."},
                }
                for index in reversed(range(count))
            ]
            return JSONResponse(
                {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "thinker-0125", "system_fingerprint": "fp_9",
                 "choices": choices, **({"usage": USAGE} if self.tells_usage else {})}
            )  # fmt: skip
        told = (body.get("stream_options") or {}).get("include_usage") and self.tells_usage
        return StreamingResponse(_stream(prompt, count, bool(told)), media_type="text/event-stream")

    async def _embeddings(self, request: Request) -> Response:
        body = await self._take(request)
        rows = [{"index": index, "embedding": [float(len(text)), 1, 0.5]} for index, text in enumerate(body["input"])]
        return JSONResponse({"object": "list", "data": rows[::-1], "model": body["model"]})

    async def _rerank(self, request: Request) -> Response:
        body = await self._take(request)
        rows = [{"index": index, "relevance_score": score} for index, score in enumerate(self.scores)]
        return JSONResponse({"model": body["model"], "results": sorted(rows, key=lambda row: -row["relevance_score"])})


async def _stream(prompt: str, count: int, tells_usage: bool) -> AsyncIterator[str]:
    def frame(choices: list[dict[str, Any]], **more: Any) -> str:
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "thinker-0125", "system_fingerprint": "fp_9"}
        return f"data: {json.dumps({**head, 'choices': choices, **more})}\n\n"

    def deltas(delta: dict[str, Any], reason: str | None = None) -> str:
        return frame([{"index": index, "delta": delta, "finish_reason": reason} for index in range(count)])

    yield deltas({"role": "assistant", "content": ""})
    yield deltas({"reasoning_content": "Let me "})
    yield deltas({"reasoning": "think."})
    for index in range(count):
        yield frame([{"index": index, "delta": {"content": f" says {prompt}"}, "finish_reason": None}])
        yield frame([{"index": index, "delta": {"content": f" {index}"}, "finish_reason": None}])
    yield deltas({}, "length")
    if tells_usage:
        yield frame([], usage=USAGE)
    yield "data: [DONE]\n\n"


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    """A server on a free port."""
    server = ChatServer()
    with served(server.app()) as base_url:
        server.base_url = base_url
        yield server
