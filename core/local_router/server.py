"""The router on a port of its own, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import uvicorn
from pydantic import SecretStr
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from core.local_router.app import local_router_app
from core.local_router.clock import SYSTEM_CLOCK, Clock
from core.local_router.config import IN_MEMORY, RouterConfig
from core.local_router.identities.ledger import Ledger
from core.local_router.kept_answers import AnswerStore, KeptAnswers
from core.local_router.models.pydoc import learned_text
from core.local_router.threads import MOST_THREADS
from core.local_router.upstreams import Upstreams

DEFAULT_PACE = 80.0
"""Tokens per second of one stream."""

HOST = "127.0.0.1"
STOP_S = 5.0
KEEP_ALIVE_S = 75
"""Longer than clients keep an idle connection (httpx: 5 s), so that none is closed just as it is used again."""

log = logging.getLogger(__name__)


class LocalRouter:
    """The embedded router on 127.0.0.1.

    ``api_key`` None makes a random one, an empty one lets everybody in; ``port`` 0 takes a free one; ``pace`` is tokens per second
    of one stream, 0 for as fast as it goes; ``clock`` is what the routing policies wait by; ``config`` says where it keeps things,
    ``answers`` where its cache keeps what is to survive a restart.
    ``upstreams`` are those of its config, read at each ``start()``; they may be changed while it runs.
    After ``start()`` requests are taken at once: those that come before the model has been learned (a third of a second, in the
    background) wait for it. May be started again after ``stop()``.
    """

    def __init__(
        self,
        *,
        api_key: str | SecretStr | None = None,
        port: int = 0,
        pace: float = DEFAULT_PACE,
        clock: Clock = SYSTEM_CLOCK,
        config: RouterConfig = IN_MEMORY,
        answers: AnswerStore | None = None,
    ) -> None:
        if isinstance(api_key, SecretStr):
            api_key = api_key.get_secret_value()
        if pace < 0:
            raise ValueError(f"pace is tokens per second and at least 0, not {pace}")
        self.api_key = SecretStr(secrets.token_urlsafe(24) if api_key is None else api_key)
        self.pace = pace
        self._clock = clock
        self._config = config
        self._answers = answers
        self.upstreams = make_upstreams(config)
        self._port = port
        self._address: tuple[str, int] | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """``http://127.0.0.1:PORT``, once started."""
        if self._address is None:
            raise RuntimeError("The local router has not been started")
        return f"http://{self._address[0]}:{self._address[1]}"

    def start(self) -> None:
        """Listen, and serve in a daemon thread; does nothing when started already. Raises ``OSError`` when the port is taken."""
        if self._server is not None:
            return
        listener = listen(self._port)
        self._address = listener.getsockname()[:2]
        learned_text()
        self.upstreams.load()
        self._server = make_server(self.api_key, self.pace, self._clock, self._config, self.upstreams, self._answers)
        self._thread = threading.Thread(target=_serve, args=(self._server, listener), name="local-router", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End every answer under way and free the port; does nothing when not started."""
        server, thread, self._server, self._thread = self._server, self._thread, None, None
        if server is None or thread is None:
            return
        server.should_exit = server.force_exit = True
        thread.join(STOP_S)

    @contextmanager
    def running(self) -> Iterator[LocalRouter]:
        """Started inside the ``with``, stopped after it."""
        self.start()
        try:
            yield self
        finally:
            self.stop()


def listen(port: int) -> socket.socket:
    """A socket that listens on 127.0.0.1: connections wait in its queue from now on."""
    # The protocol is named because asyncio switches Nagle's delay (40 ms a write) off only for sockets that name it.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


class QuietHTTP(HttpToolsProtocol):
    """HTTP that logs bugs in the application and nothing else, and leaves uvicorn's loggers, which Streamlit's server shares, alone.

    To uvicorn a rehearsed cut and a server that stops in the middle of a stream are errors too.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.logger = log
        self.access_log = False


def _is_bug(record: logging.LogRecord) -> bool:
    return record.exc_info is not None and isinstance(record.exc_info[1], Exception)


log.addFilter(_is_bug)


def make_upstreams(config: RouterConfig) -> Upstreams:
    """The upstreams of a router that is set up so; ``load()`` reads them."""
    return Upstreams(config.config_file, config.data_dir / "upstreams.json" if config.data_dir else None)


class RouterServer(uvicorn.Server):
    """A server that also hangs up on the upstreams when it ends, and keeps what was counted last."""

    def __init__(self, config: uvicorn.Config, upstreams: Upstreams, ledger: Ledger, kept: KeptAnswers | None) -> None:
        super().__init__(config)
        self._kept = kept
        self._upstreams = upstreams
        self._ledger = ledger

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, with enough threads for work that waits for other servers."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="local-router"))
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End every answer, then every connection."""
        await super().shutdown(sockets)
        await self._upstreams.aclose()
        await self._ledger.aclose()
        if self._kept is not None:
            await self._kept.aclose()


def make_server(
    api_key: SecretStr,
    pace: float,
    clock: Clock = SYSTEM_CLOCK,
    config: RouterConfig = IN_MEMORY,
    upstreams: Upstreams | None = None,
    answers: AnswerStore | None = None,
) -> uvicorn.Server:
    """A server that leaves the process's logging alone, and on its end waits a second at most. Without ``upstreams`` it reads its own."""
    if upstreams is None:
        upstreams = make_upstreams(config)
        upstreams.load()
    app = local_router_app(api_key, pace, clock, config=config, upstreams=upstreams, answers=answers)
    return RouterServer(
        uvicorn.Config(
            app,
            http=QuietHTTP,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            log_config=None,
            log_level=None,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=KEEP_ALIVE_S,
        ),
        upstreams,
        app.state.ledger,
        app.state.kept_answers,
    )


def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    asyncio.run(server.serve(sockets=[listener]))
