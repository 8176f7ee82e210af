"""The one place that builds the object graph: settings, database, hub, local router, drafts, connections."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, TypeVar

from starlette.routing import BaseRoute

from core.calls.limits import CallLimits
from core.calls.times import CallTimes
from core.client.client import RouterClient
from core.comparison.budget import Budget
from core.comparison.store import ComparisonStore
from core.connection import DEFAULT_PATHS, Connection
from core.draft_store import DraftStore
from core.errors import TimedOut
from core.export.export_jobs import ExportJobs
from core.export.export_routes import export_routes
from core.hub import run_routes
from core.hub.hub import Hub
from core.listening_sockets import switch_nagle_off
from core.local_router.config import RouterConfig
from core.local_router.server import LocalRouter
from core.preset.folder import PresetFolder
from core.prices.book import PriceBook
from core.prices.reckoning import Reckoning
from core.prices.run_cost import run_cost
from core.retention import Retention
from core.router_resources.knowledge import knowledge_bases
from core.router_resources.listing import RouterListing
from core.router_resources.pii_capabilities import listed_capabilities
from core.router_resources.prompts import identities, stored_prompts
from core.settings import Settings
from core.share.link import SelfContainedLinks
from core.signing import Signer
from core.storage.answer_repository import AnswerRepository
from core.storage.attempt_repository import AttemptRepository
from core.storage.comparison_repository import ComparisonRepository
from core.storage.database import Database
from core.storage.draft_repository import DraftRepository
from core.storage.preference_repository import PreferenceRepository
from core.storage.preset_repository import PresetRepository
from core.storage.run_costs import RunCosts
from core.storage.run_figures import RunFigures
from core.storage.run_keeper import RunKeeper
from core.storage.run_retention import RunRetention
from core.storage.share_repository import ShareRepository
from core.storage.sweep_repository import SweepRepository
from core.sweep.sweeps import Sweeps

T = TypeVar("T")
GARBAGE_COLLECTION_S = 60.0
MODELS_LIST_S = 2.0
"""How long to wait for the models, once a minute: every page asks for them."""

KNOWLEDGE_LIST_S = 10.0
"""How long to wait for the knowledge bases: the local router makes its first one when it is first asked."""

KNOWLEDGE_FRESH_S = IDENTITIES_FRESH_S = 5.0
log = logging.getLogger(__name__)


class Workspace:
    """What one process works with. Built without side effects; ``open()`` starts the hub and the local router.

    ``runs``, ``attempts`` and ``figures`` read and mark what is stored (StorageProblem when that cannot be); ``hub`` writes it.
    ``comparisons`` are those that people work on, ``listed_comparisons`` finds the stored ones for a list, ``comparison_budget`` is what
    one may cost before Run asks once more, ``call_times`` how long calls of a model take.
    ``presets`` is the library, ``preset_folder`` the folder of preset files, where there is one.
    ``shares`` is what was shared behind links, ``share_links`` makes and reads links that hold what they share.
    ``sweeps`` makes many calls of one request with other values, and knows how far each of them is.
    ``knowledge``, ``prompts``, ``identities`` and ``pii`` are what a connection's router lists.
    ``prices`` is what costs are reckoned by, ``reckoning`` makes up for unknown ones, ``retention`` lets runs go where somebody set it;
    ``call_limits`` is how many calls a connection takes at once, ``preferences`` what else somebody set; ``exports`` writes runs to files.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.signer = Signer(settings.secret.get_secret_value())
        self.database = Database.of(settings.data_dir, settings.database_url)
        self.preferences = PreferenceRepository(self.database)
        self.prices = PriceBook(self.preferences)
        self._keeper = RunKeeper(self.database, cost=lambda run: run_cost(run, self.prices.prices))
        self.runs = self._keeper.runs
        self.attempts = AttemptRepository(self.database)
        self.figures = RunFigures(self.database)
        self.reckoning = Reckoning(RunCosts(self.database), lambda run: run_cost(run, self.prices.prices))
        self._retaining: asyncio.Task[None] | None = None
        self.exports = ExportJobs(self.runs)
        self.call_limits = CallLimits(self.preferences)
        self.hub = Hub(limit=self.call_limits.limit, on_change=self._keeper.save, find=self._keeper.find, beat=self._beat)
        self.presets = PresetRepository(self.database)
        self.preset_folder = PresetFolder(settings.presets_dir)
        self.shares = ShareRepository(self.database)
        self.share_links = SelfContainedLinks(settings.secret.get_secret_value())
        self.sweeps = Sweeps(self.hub, SweepRepository(self.database), process=self._keeper.process, gone=self._keeper.gone)
        self.drafts = DraftStore(keeper=DraftRepository(self.database))
        self.listed_comparisons = ComparisonRepository(self.database)
        self.comparisons = ComparisonStore(self.listed_comparisons, self.drafts)
        self.comparison_budget = Budget(self.preferences)
        self.call_times = CallTimes(self.runs)
        self.retention = Retention(self.preferences, self.runs, RunRetention(self.database), others=(self.listed_comparisons, self.presets))
        config = RouterConfig(settings.data_dir / "router", settings.router_config or settings.data_dir / "router.toml")
        self.router = LocalRouter(pace=settings.local_pace, config=config, answers=AnswerRepository(self.database))
        self.loop: asyncio.AbstractEventLoop | None = None
        self._models = RouterListing(self.ask, RouterClient.models, patience_s=MODELS_LIST_S)
        self.knowledge = RouterListing(self.ask, knowledge_bases, fresh_s=KNOWLEDGE_FRESH_S, patience_s=KNOWLEDGE_LIST_S)
        self.prompts = RouterListing(self.ask, stored_prompts)
        self.pii = RouterListing(self.ask, listed_capabilities)
        self.identities = RouterListing(self.ask, identities, fresh_s=IDENTITIES_FRESH_S)

    async def open(self) -> None:
        """Open the database, start the hub on the running loop, and the local router in its own thread.

        StorageRefused when the database is newer than this program; one that does not answer is tried again while runs go on.
        """
        await asyncio.to_thread(self._keeper.open)
        await asyncio.to_thread(self.preset_folder.listing)
        await asyncio.to_thread(self.call_limits.load)
        self.loop = asyncio.get_running_loop()
        self.router.start()
        await self.hub.open()
        self.sweeps.open()
        self.drafts.open()
        self.comparisons.open()
        self._retaining = asyncio.create_task(self.retention.keep_applying())

    async def close(self) -> None:
        """Stop what runs; runs under way end as interrupted, and what is not saved yet is saved."""
        if self._retaining is not None:
            self._retaining.cancel()
        await asyncio.to_thread(self.reckoning.close)
        self.sweeps.stop_sending()
        await self.hub.close()
        await self.comparisons.close()
        await self.sweeps.close()
        await self.drafts.close()
        self.router.stop()
        self.exports.close()
        self.database.close()
        self.loop = None

    def _beat(self) -> None:
        """Every few seconds, off everybody's way: other processes hear of this one, and what could not be read at the start is read."""
        self._keeper.beat()
        self.call_limits.load()

    @property
    def local_connection(self) -> Connection:
        """The embedded router, with the key it made for itself."""
        return Connection("Local router", "local", self.router.base_url, DEFAULT_PATHS["local"], self.router.api_key)

    def call(self, work: Callable[[], Coroutine[Any, Any, T]], timeout_s: float) -> T:
        """Run ``work`` on the hub's loop from a script's thread and wait for its result, at most ``timeout_s`` seconds."""
        if self.loop is None:
            raise RuntimeError("The workspace is not open")
        future = asyncio.run_coroutine_threadsafe(work(), self.loop)
        try:
            return future.result(timeout_s)
        finally:
            future.cancel()

    def models(self, connection: Connection) -> tuple[str, ...]:
        """The model ids that a connection lists to its key; empty when it lists none or does not answer in time."""
        return self._models.items(connection)

    def forget_models(self, connection: Connection) -> None:
        """Ask the connection again at the next ``models()``."""
        self._models.forget(connection)

    def ask(self, connection: Connection, work: Callable[[RouterClient], Coroutine[Any, Any, T]], timeout_s: float = 10.0) -> T:
        """What ``work`` gets from the connection's router. Raises what it raises; TimedOut after ``timeout_s`` seconds."""

        async def asked() -> T:
            async with RouterClient(connection) as client:
                return await work(client)

        try:
            return self.call(asked, timeout_s)
        except TimeoutError:
            cause = f"{connection.name} did not answer within {timeout_s:g} s."
            raise TimedOut(cause, "Try again, or choose another connection.", phase="read", seconds=timeout_s) from None


@cache
def workspace() -> Workspace:
    """The process's workspace, built on first use."""
    return Workspace(Settings.from_environment())


_opening = threading.Lock()


def opened_workspace() -> Workspace:
    """The workspace, running. Where no application's lifespan opened it (a test of a page), on a loop in a thread of its own."""
    current = workspace()
    with _opening:
        if current.loop is None:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="workspace", daemon=True).start()
            asyncio.run_coroutine_threadsafe(current.open(), loop).result(30)
    return current


def routes() -> list[BaseRoute]:
    """The HTTP routes that panels and health checks read."""
    current = workspace()
    return [*run_routes.routes(current.hub, current.signer), *export_routes(current.exports)]


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[dict[str, Any] | None]:
    """Open the workspace for as long as the application runs, and collect garbage once a minute instead of after every script."""
    current = workspace()
    await current.open()
    switch_nagle_off()
    gc.freeze()
    collector = asyncio.create_task(_collect_garbage())
    try:
        yield {"workspace": current}
    finally:
        collector.cancel()
        await current.close()


async def _collect_garbage() -> None:
    while True:
        await asyncio.sleep(GARBAGE_COLLECTION_S)
        gc.collect()
