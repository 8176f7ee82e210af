"""A process that runs what the playground's runs stand on, hub, storage and routes, without its pages; to be killed and started again.

    python -m tests.soak.process DATA_DIR UPSTREAM_URL PORT

Beside the real routes: ``POST /soak/start`` (``{"body", "channel", "slot"}`` → ``{"run"}``); ``POST /soak/show`` (``{"run", "channel",
"slot"}`` → ``{"known"}``), as a page does when it is drawn; ``GET /soak/state``. Few runs are kept in memory, so that many are read back.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from core.connection import Connection
from core.hub.hub import Hub
from core.hub.run_routes import Json, routes
from core.signing import Signer
from core.storage.database import Database
from core.storage.run_keeper import RunKeeper

SECRET = "soak"
KEPT_RUNS = 40
AT_ONCE = 16


def application(data_dir: Path, upstream: str) -> Starlette:
    """The routes over a hub that saves to ``data_dir`` and asks ``upstream``."""
    database = Database.of(data_dir, None)
    keeper = RunKeeper(database)
    hub = Hub(on_change=keeper.save, find=keeper.find, beat=keeper.beat, max_runs=KEPT_RUNS, max_concurrent=AT_ONCE)
    connection = Connection("soak", "local", upstream, "/v2/router/completions", SecretStr("soak"))

    async def start(request: Request) -> Json:
        asked = await request.json()
        return Json({"run": hub.start(asked["body"], connection, slot=asked["slot"], channel=asked["channel"])})

    async def show(request: Request) -> Json:
        asked = await request.json()
        await asyncio.to_thread(hub.attach, asked["channel"], asked["slot"], asked["run"])
        return Json({"known": hub.run(asked["run"]) is not None})

    async def state(_request: Request) -> Json:
        health = hub.storage_health
        return Json({**hub.load, "waiting": health.waiting, "lost": health.lost, "saving": health.ok})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await asyncio.to_thread(keeper.open)
        await hub.open()
        yield
        await hub.close()
        database.close()

    own = [
        Route("/soak/start", start, methods=["POST"]),
        Route("/soak/show", show, methods=["POST"]),
        Route("/soak/state", state, methods=["GET"]),
    ]
    return Starlette(routes=[*own, *routes(hub, Signer(SECRET))], lifespan=lifespan)


if __name__ == "__main__":
    folder, address, port = sys.argv[1:]
    uvicorn.run(application(Path(folder), address), host="127.0.0.1", port=int(port), log_level="error", access_log=False)
