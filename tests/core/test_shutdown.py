"""A server that follows pages can be stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import httpx
import pytest

from core.shutdown import on_shutdown_signal

SERVER = """
import contextlib, sys, uvicorn
from starlette.applications import Starlette
from core.hub.hub import Hub
from core.hub.run_routes import routes
from core.signing import Signer

@contextlib.asynccontextmanager
async def lifespan(app):
    await hub.open()
    yield
    await hub.close()
    print("closed well", flush=True)

class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)

hub, signer = Hub(), Signer("s")
print(signer.channel_token("page"), flush=True)
Server(uvicorn.Config(Starlette(routes=routes(hub, signer), lifespan=lifespan), port=0, log_level="error")).run()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_open_event_stream_does_not_keep_the_server_from_stopping(number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    token, port = process.stdout.readline().strip(), process.stdout.readline().strip()
    try:
        address = f"http://127.0.0.1:{port}/api/channels/page/events?token={token}"
        with httpx.Client(trust_env=False) as http, http.stream("GET", address) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("retry")
            process.send_signal(number)
            assert not [line for line in lines if line.startswith("event:run")]
        assert "closed well" in process.stdout.read()
        process.wait(45)
    finally:
        process.kill()
        process.wait()


def test_the_handler_that_was_there_is_called_and_put_back() -> None:
    called: list[str] = []
    before = signal.signal(signal.SIGTERM, lambda *_: called.append("theirs"))
    try:
        theirs = signal.getsignal(signal.SIGTERM)
        undo = on_shutdown_signal(lambda: called.append("ours"))
        os.kill(os.getpid(), signal.SIGTERM)
        undo()
        assert signal.getsignal(signal.SIGTERM) is theirs
        os.kill(os.getpid(), signal.SIGTERM)
        assert called == ["ours", "theirs", "theirs"]
    finally:
        signal.signal(signal.SIGTERM, before)
