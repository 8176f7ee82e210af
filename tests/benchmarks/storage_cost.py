"""What keeping runs costs a stream: processor time of the hub, and of an app with its pages, with storage and without, in turn."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Final, Literal, get_args

import httpx
from pydantic import SecretStr
from sqlalchemy import make_url

from core.connection import Connection
from core.hub.hub import Hub
from core.run import ENDED, RunSnapshot
from core.storage.database import Database
from core.storage.run_keeper import RunKeeper
from tests.benchmarks.capacity import APP, PANELS, RATE, SECONDS, follow, upstream
from tests.benchmarks.row import Row, row
from tests.support.app_process import AppProcess, running_app
from tests.support.postgres import postgres_server

Kind = Literal["off", "sqlite", "postgresql"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
STREAMS: Final = 20
ROUNDS: Final = 5
MOST: Final = 1.10


def run() -> list[Row]:
    """``ROUNDS`` rounds, each without storage, on SQLite and on PostgreSQL; medians of the rounds' ratios. First a bare hub, in a
    process of its own each time; then an app that brings every token to its pages, one that goes on for each kind.
    """
    with postgres_server() as server, upstream() as address:

        def new_database() -> str:
            return server.new_database().render_as_string(hide_password=False)

        saving: dict[Kind, list[float]] = {kind: [] for kind in KINDS}

        def hub_alone(kind: Kind) -> float:
            with _place(kind, new_database) as place:
                spent_s, saving_s = _measured(kind, address, place)
            saving[kind].append(saving_s / spent_s)
            return spent_s

        rows = _rows("", hub_alone)
        rows += [row(f"share of it that the saving thread takes, {kind}", "of it", median(saving[kind])) for kind in KINDS[1:]]
        with ExitStack() as stack:
            apps = {kind: stack.enter_context(running_app(script=APP, environment=_environment(kind, new_database))) for kind in KINDS}
            for app in apps.values():
                asyncio.run(_deliver(app, address, 1))  # what a process does once is no stream's cost
            rows += _rows(", and their pages", lambda kind: asyncio.run(_deliver(apps[kind], address, STREAMS)))
    return rows


def _rows(where: str, spend: Callable[[Kind], float]) -> list[Row]:
    """What each kind costs by ``spend``, seconds of processor time for ``STREAMS`` streams."""
    spent: dict[Kind, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(ROUNDS):
        for kind, times in spent.items():
            times.append(spend(kind))
    tokens = STREAMS * RATE * SECONDS
    reference = ("without storage", median(spent["off"]) * 1e6 / tokens)
    rows = [row(f"{STREAMS} streams at {RATE} tokens/s{where}, without storage", "µs a token", reference[1])]
    for kind in KINDS[1:]:
        each = median(spent[kind]) * 1e6 / tokens
        rows.append(row(f"{STREAMS} streams at {RATE} tokens/s{where}, {kind}", "µs a token", each, reference=reference))
        more = median(one / off for one, off in zip(spent[kind], spent["off"], strict=True))
        rows.append(row(f"processor time with {kind} ÷ without{where}", "of it", more, target=f"≤ {MOST} of it"))
    return rows


def _environment(kind: Kind, new_database: Callable[[], str]) -> dict[str, str]:
    if kind == "off":
        return {}
    return {"PANEL_APP_STORES": "1"} | ({"DATABASE_URL": _plain(new_database())} if kind == "postgresql" else {})


def _plain(address: str) -> str:
    return make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)


async def _deliver(app: AppProcess, address: str, streams: int) -> float:
    """Seconds of the app's time from the first start until every token is at its page and every run is saved."""
    pages = [range(first, min(first + PANELS, streams)) for first in range(0, streams, PANELS)]
    async with httpx.AsyncClient(base_url=app.url, trust_env=False, timeout=60) as http:

        async def measured() -> dict[str, float]:
            found: dict[str, float] = (await http.get("/measured")).json()
            return found

        before = await measured()
        found = await asyncio.gather(*(follow(http, app.port, address, f"{time.time()}-{page.start}", len(page)) for page in pages))
        assert sum(len(lags) for lags in found) == streams * RATE * SECONDS
        while (after := await measured())["unsaved"]:  # noqa: ASYNC110  # another process saves
            await asyncio.sleep(0.1)
    return after["cpu_s"] - before["cpu_s"]


@contextmanager
def _place(kind: Kind, new_database: object) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield new_database() if kind == "postgresql" else folder  # type: ignore[operator]


def _measured(kind: Kind, address: str, place: str) -> tuple[float, float]:
    command = [sys.executable, "-m", "tests.benchmarks.storage_cost", kind, address, place]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    spent_s, saving_s = json.loads(done.stdout.splitlines()[-1])
    return spent_s, saving_s


class _Timed:
    """``save``, and the seconds of its thread's time that it has taken: what others do to the whole process's time on a busy machine
    they do not do to this.
    """

    def __init__(self, save: Callable[[Sequence[RunSnapshot]], None]) -> None:
        self._save = save
        self.spent_s = 0.0

    def __call__(self, runs: Sequence[RunSnapshot]) -> None:
        began = time.thread_time()
        try:
            self._save(runs)
        finally:
            self.spent_s += time.thread_time() - began


async def _stream(kind: Kind, address: str, place: str) -> tuple[float, float]:
    """Seconds of this process's time for every stream, from the first start to the last save, and of them the saving thread's; one run
    went before, and does not count.
    """
    keeper = None
    if kind != "off":
        database = Database.of(Path(place), None) if kind == "sqlite" else Database(make_url(place))
        keeper = RunKeeper(database)
        keeper.open()
    save = _Timed(keeper.save if keeper else lambda _runs: None)
    hub = Hub(on_change=save, find=keeper.find, beat=keeper.beat) if keeper else Hub()
    await hub.open()
    connection = Connection("bench", "local", address, "/v2/router/completions", SecretStr("bench"))
    await _warm(hub, connection)
    gc.collect()
    gc.freeze()  # as the app does: else one whole collection in a process's first seconds costs as much as all its saving
    began, saved_s = time.process_time(), save.spent_s
    ids = [hub.start({"model": "stamps", "prompt": "go", "stream": True}, connection) for _ in range(STREAMS)]
    runs = [found for one in ids if (found := hub.run(one))]
    while not all(one.status in ENDED for one in runs) or hub.storage_health.waiting:  # noqa: ASYNC110  # the loop itself is measured
        await asyncio.sleep(0.25)
    spent_s = time.process_time() - began
    assert [len(one.log) for one in runs] == [RATE * SECONDS] * STREAMS
    if keeper:
        assert keeper.runs.count() == STREAMS + 1
    await hub.close()
    return spent_s, save.spent_s - saved_s


async def _warm(hub: Hub, connection: Connection) -> None:
    """One run, stopped at its first token: what a process does once (build statements, import modules) is no stream's cost."""
    first = hub.start({"model": "stamps", "prompt": "go", "stream": True}, connection)
    while not ((run := hub.run(first)) and len(run.log)):  # noqa: ASYNC110  # as below
        await asyncio.sleep(0.01)
    hub.stop(first)
    while run.status not in ENDED or hub.storage_health.waiting:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_stream(sys.argv[1], sys.argv[2], sys.argv[3]))) + "\n")  # type: ignore[arg-type]
