"""The hub, the routes and the replay upstream behind the panel app. Nothing is stored, unless ``PANEL_APP_STORES`` is set: then where
``DATABASE_URL`` or ``PLAYGROUND_DATA_DIR`` say.
"""

from __future__ import annotations

import gc
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import orjson
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.connection import Connection
from core.hub import run_routes
from core.hub.hub import Hub
from core.settings import Settings
from core.signing import Signer
from core.storage.database import Database
from core.storage.run_keeper import RunKeeper
from tests.core.replay_upstream import ReplayUpstream


class Stage:
    """One process's hub, signer and upstream."""

    def __init__(self) -> None:
        self.keeper = _keeper() if "PANEL_APP_STORES" in os.environ else None
        kept = {"on_change": self.keeper.save, "find": self.keeper.find, "beat": self.keeper.beat} if self.keeper else {}
        self.hub = Hub(max_concurrent=200, **kept)  # type: ignore[arg-type]
        self.signer = Signer("panel app")
        self.upstream = ReplayUpstream()

    @property
    def connection(self) -> Connection:
        """The upstream in this process, or the one the address names."""
        return self.to(self.upstream.base_url)

    def to(self, base_url: str) -> Connection:
        """A connection to a replay upstream, with a key of its own: what one test's router refuses holds up no other test."""
        return Connection("replay", "local", base_url, "/v2/router/completions", SecretStr(f"sk-panel-{secrets.token_hex(4)}"))

    def routes(self) -> list[Route]:
        """The playground's routes, and two for benchmarks: what this process did, and starting runs without a page."""
        ours = [Route("/measured", self._measured), Route("/start", self._start, methods=["POST"])]
        return [*ours, *run_routes.routes(self.hub, self.signer)]

    async def _start(self, request: Request) -> Response:
        asked = await request.json()
        for slot, body in asked["bodies"].items():
            self.hub.start(body, self.to(asked["upstream"]), slot=slot, channel=asked["channel"])
        return Response(self.signer.channel_token(asked["channel"]))

    async def _measured(self, _request: Request) -> Response:
        content = {"sent": self.upstream.sent, "aborted": self.upstream.aborted, "cpu_s": time.process_time()}
        content["unsaved"] = self.hub.storage_health.waiting
        return Response(orjson.dumps(content), media_type="application/json")


def _keeper() -> RunKeeper:
    settings = Settings.from_environment()
    keeper = RunKeeper(Database.of(settings.data_dir, settings.database_url))
    keeper.open()
    return keeper


@cache
def stage() -> Stage:
    """The process's stage."""
    return Stage()


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Open the hub and the upstream for as long as the app runs."""
    async with stage().upstream:
        await stage().hub.open()
        gc.freeze()
        yield
        await stage().hub.close()
