"""One upstream at work: its connection, what was learned about how to ask it, and the list of its models."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import SecretStr

from core.client.client import RouterClient
from core.client.connection_pool import ConnectionPool
from core.connection import Connection
from core.errors import ConnectionProblem, PlaygroundError, RouterRejected
from core.local_router.upstreams.config import UpstreamConfig
from core.local_router.upstreams.failures import upstream_failure

FRESH_S: Final = 60.0
ASK_AGAIN_S: Final = 10.0
"""A list of models is kept so long; an upstream that gave none is asked again after the shorter time."""

LISTING_S: Final = 5.0
"""The longest that asking for a list may take, in the background."""

_MOST_DIALECTS: Final = 1_000
Source = Literal["file", "added"]
State = Literal["unasked", "up", "down"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a model of an upstream wants to be asked, as far as it was learned from what it refused."""

    chat: bool = False
    tells_stream_usage: bool = True
    max_tokens_name: str = "max_tokens"


@dataclass(frozen=True, slots=True)
class ModelList:
    """What an upstream said to offer. ``problem`` is one sentence when it said nothing; ``asked_at`` is monotonic seconds."""

    state: State = "unasked"
    models: tuple[str, ...] = ()
    problem: str = ""
    asked_at: float = float("-inf")


class Upstream:
    """``config`` with its key, which ``find_key`` looks up at each request, so that one set later counts."""

    def __init__(self, config: UpstreamConfig, source: Source, find_key: Callable[[], SecretStr | None], pool: ConnectionPool) -> None:
        self.config = config
        self.source: Source = source
        self.listed = ModelList() if config.models is None else ModelList("unasked", tuple(config.models))
        self._find_key = find_key
        self._pool = pool
        self._dialects: dict[str, Dialect] = {}
        self._asking: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"Upstream({self.config.name!r}, {self.config.base_url!r})"

    @property
    def has_key(self) -> bool:
        """Whether a key is sent along."""
        return self._find_key() is not None

    @property
    def key_hint(self) -> str:
        """Where the key comes from, as a sentence."""
        variable = self.config.api_key_env
        if variable is None:
            return "A typed key is sent." if self.has_key else "No key is sent; name its environment variable as api_key_env."
        return f"Its key is in the environment variable {variable}." if self.has_key else f"The environment variable {variable} is not set."

    def connection(self, path: str | None = None) -> Connection:
        """The connection for ``path``, or for completions."""
        config = self.config
        return Connection(
            name=config.name,
            kind="openai",
            base_url=config.base_url,
            path=path or config.completions_path,
            api_key=self._find_key(),
            headers=config.headers,
            connect_timeout_s=config.connect_timeout_s,
            read_timeout_s=config.read_timeout_s,
        )

    @asynccontextmanager
    async def client(self, path: str | None = None) -> AsyncIterator[RouterClient]:
        """A client on a connection that is kept open between calls."""
        connection = self.connection(path)
        async with self._pool.lease(connection) as http:
            yield RouterClient(connection, http=http)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """The JSON that the upstream answers; ``ApiError`` where it fails."""
        try:
            async with self.client(path) as client:
                return await client.call("POST", path, body)
        except PlaygroundError as error:
            raise upstream_failure(self.config.name, error, self.key_hint) from None

    def dialect(self, model: str) -> Dialect:
        """How to ask ``model``."""
        return self._dialects.get(model) or Dialect(chat=self.config.chat is True)

    def remember(self, model: str, dialect: Dialect) -> None:
        """``model`` answered when it was asked so."""
        if dialect != self.dialect(model):
            self._dialects[model] = dialect
            if len(self._dialects) > _MOST_DIALECTS:
                del self._dialects[next(iter(self._dialects))]

    def ask_for_models(self) -> asyncio.Task[None] | None:
        """Ask for the list in the background, unless what is known is fresh; the task, where one is under way."""
        if self._asking is None and time.monotonic() - self.listed.asked_at >= (FRESH_S if self.listed.state == "up" else ASK_AGAIN_S):
            self._asking = asyncio.ensure_future(self._ask())
        return self._asking

    def stop_asking(self) -> None:
        """Give up what is asked in the background."""
        if self._asking is not None:
            self._asking.cancel()

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(LISTING_S), self.client() as client:
                models = await client.models()
            self._heard("up", self._offered(models))
        except TimeoutError:
            self._heard("down", self.listed.models, f"It did not list its models within {LISTING_S:g} s.")
        except ConnectionProblem as error:
            self._heard("down", self.listed.models, error.cause)
        except RouterRejected as error:
            refused = error.status in (401, 403)
            problem = upstream_failure(self.config.name, error, self.key_hint).message if refused else "It lists no models; name them."
            self._heard("down" if refused else "up", self._offered(()), problem)
        except PlaygroundError as error:
            self._heard("down", self.listed.models, error.cause)
        finally:
            self._asking = None

    def _offered(self, models: tuple[str, ...]) -> tuple[str, ...]:
        return models if self.config.models is None else tuple(self.config.models)

    def _heard(self, state: State, models: tuple[str, ...], problem: str = "") -> None:
        if problem and self.config.models is not None and state == "up":
            problem = ""
        self.listed = ModelList(state, models, problem, time.monotonic())
