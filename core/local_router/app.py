"""The router's ASGI application."""

from __future__ import annotations

import hmac
import random
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.local_router.api_error import ApiError
from core.local_router.cache import AnswerCache
from core.local_router.catalog import Models
from core.local_router.clock import SYSTEM_CLOCK, Clock
from core.local_router.completions import CompletionsEndpoint, caller
from core.local_router.config import IN_MEMORY, RouterConfig
from core.local_router.identities.attribution import Attribution
from core.local_router.identities.ledger import Ledger
from core.local_router.identities.routes import identity_routes
from core.local_router.identities.store import PartyStore
from core.local_router.kept_answers import AnswerStore, KeptAnswers
from core.local_router.knowledge.store import KnowledgeStore
from core.local_router.knowledge_api.routes import knowledge_routes
from core.local_router.openapi import show_openapi
from core.local_router.pii.capabilities import show_capabilities
from core.local_router.pipeline import Pipeline
from core.local_router.prompts.routes import prompt_routes
from core.local_router.prompts.shaper import StoredPromptStep
from core.local_router.prompts.store import PromptStore
from core.local_router.retrieval.search import Searcher
from core.local_router.retrieval.shaper import Retrieval
from core.local_router.templates import Inputs
from core.local_router.threads import wait_for
from core.local_router.trace import Traces
from core.local_router.upstreams import Upstreams


def local_router_app(
    api_key: SecretStr,
    pace: float,
    clock: Clock = SYSTEM_CLOCK,
    rng: random.Random | None = None,
    config: RouterConfig = IN_MEMORY,
    upstreams: Upstreams | None = None,
    answers: AnswerStore | None = None,
) -> Starlette:
    """The application. An empty ``api_key`` lets everybody in; ``pace`` is tokens/s of one stream of a local model, 0 for no limit.

    ``clock`` and ``rng`` (a new one where None) are what the routing policies wait by and draw from; ``upstreams`` must have been read.
    ``answers`` is where the cache keeps what is to survive a restart.
    """
    traces = Traces(clock)
    upstreams = upstreams or Upstreams()
    models = Models(pace, upstreams)
    knowledge = KnowledgeStore(config.data_dir, lambda model, texts: wait_for(upstreams.embed(model, texts)))
    searcher = Searcher(knowledge, models, clock, upstreams)
    prompts = PromptStore(config.file("prompts.db"))
    ledger = Ledger(PartyStore(config.file("identities.db")))
    owner = _one_for_all if api_key.get_secret_value() else str
    shapers = (StoredPromptStep(prompts), Inputs(), Retrieval(searcher))
    kept = KeptAnswers(answers) if answers else None
    chance = rng or random.Random()  # noqa: S311 - shares and waits, no secrets
    pipeline = Pipeline(models, clock, chance, AnswerCache(clock, kept=kept), shapers, owner)
    attributed = Attribution(pipeline, ledger, owner)
    routed = CompletionsEndpoint(attributed, traces, open_reason="stop")
    openai = CompletionsEndpoint(attributed, traces, open_reason=None)

    async def list_models(_request: Request) -> Response:
        return JSONResponse(await models.listing())

    async def show_trace(request: Request) -> Response:
        return JSONResponse(traces.find(request.path_params["request_id"], caller(request)).view())

    app = Starlette(
        routes=[
            Route("/v2/router/completions", _endpoint(routed), methods=["POST"]),
            Route("/v3/router/completions", _endpoint(routed), methods=["POST"]),
            Route("/v1/completions", _endpoint(openai), methods=["POST"]),
            Route("/v2/router/traces/{request_id}", show_trace, methods=["GET"]),
            Route("/v3/router/models", list_models, methods=["GET"]),
            Route("/v1/models", list_models, methods=["GET"]),
            Route("/v2/pii/capabilities", show_capabilities, methods=["GET"]),
            *knowledge_routes(knowledge, searcher, upstreams),
            *prompt_routes(prompts),
            *identity_routes(ledger, owner),
            Route("/openapi.json", show_openapi, methods=["GET"]),
            Route("/healthz", health, methods=["GET"]),
        ],
        middleware=[Middleware(Requests), Middleware(KeyCheck, api_key=api_key)],
        exception_handlers={ApiError: _on_api_error, HTTPException: _on_http_error, Exception: _on_bug},
    )
    app.state.ledger = ledger
    app.state.kept_answers = kept
    return app


def _one_for_all(_caller: str) -> str:
    """Whose identities and cached answers they are where everybody has the router's own key, which may be another one after each start."""
    return ""


def _endpoint(endpoint: CompletionsEndpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await endpoint(request)

    return answer


class Requests:
    """Gives every answer an ``x-router-request-id``, and counts the requests under way."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = f"req_{uuid.uuid4().hex}"

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-router-request-id"] = request_id
            await send(message)

        scope["request_id"] = request_id
        scope["others_under_way"] = self._under_way
        self._under_way += 1
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            self._under_way -= 1


async def health(request: Request) -> Response:
    """That the router answers, and how many other requests it is answering."""
    return JSONResponse({"status": "ok", "under_way": request.scope["others_under_way"]})


class KeyCheck:
    """Lets in who brings the key. ``/healthz`` is open, and so is everything when the key is empty."""

    def __init__(self, app: ASGIApp, api_key: SecretStr) -> None:
        self.app = app
        self._key = api_key.get_secret_value().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = self._problem(scope) if scope["type"] == "http" and self._key and scope["path"] != "/healthz" else None
        await (problem.response() if problem else self.app)(scope, receive, send)

    def _problem(self, scope: Scope) -> ApiError | None:
        scheme, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
        headers = {"WWW-Authenticate": "Bearer"}
        if scheme.lower() != "bearer" or not key.strip():
            return ApiError(401, "Send the API key as “Authorization: Bearer KEY”.", code="authentication_required", headers=headers)
        if not hmac.compare_digest(key.strip().encode(), self._key):
            return ApiError(401, headers=headers)
        return None


async def _on_api_error(_request: Request, error: Any) -> Response:
    response: Response = error.response()
    return response


async def _on_http_error(request: Request, error: Any) -> Response:
    if error.status_code == 404:
        message = f"There is nothing at {request.url.path}."
    elif error.status_code == 405:
        message = f"{request.url.path} does not take {request.method}."
    else:
        message = error.detail
    return ApiError(error.status_code, message, headers=error.headers).response()


async def _on_bug(request: Request, _error: Exception) -> Response:
    """Starlette answers this outside of ``Requests``, raises the error again, and the server logs it."""
    return ApiError(500).response({"x-router-request-id": request.scope["request_id"]})
