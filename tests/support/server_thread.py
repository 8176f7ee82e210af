"""A Starlette application on a real loopback port, in a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from tests.support.conditions import eventually


@contextmanager
def served(application: Any, *, port: int = 0) -> Iterator[str]:
    """Serve an ASGI application on 127.0.0.1 while inside; yields its base URL, without a trailing slash."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    config = uvicorn.Config(application, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True, name="served")
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive(), what="the server to start")
        assert server.started, "the server ended while starting"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()
