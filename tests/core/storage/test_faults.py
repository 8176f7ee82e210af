"""Storage that is full, locked or gone: streams go on, nothing is lost, the cause is told, and all is written afterwards."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from core.errors import StorageRefused
from core.hub.hub import Hub
from core.storage import database as database_module
from core.storage.database import FILE_NAME, Database
from core.storage.run_keeper import RunKeeper
from tests.core.hub.test_hub import CANARY, connection_to, ended, taken, until
from tests.core.replay_upstream import ReplayUpstream, expected_text
from tests.support.postgres import PostgresServer
from tests.support.storage_faults import locked, room, small_disk


@pytest.fixture
async def upstream() -> AsyncIterator[ReplayUpstream]:
    async with ReplayUpstream() as server:
        yield server


@pytest.fixture
async def hub_on() -> AsyncIterator[Callable[[Database], Hub]]:
    hubs: list[tuple[Hub, Database]] = []

    def made(database: Database, **limits: int) -> Hub:
        keeper = RunKeeper(database)
        hub = Hub(on_change=keeper.save, find=keeper.find, beat=keeper.beat, **limits)  # type: ignore[arg-type]
        hubs.append((hub, database))
        return hub

    yield made
    for hub, database in hubs:
        await hub.close()
        database.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    with small_disk(tmp_path / "disk", 4) as folder:
        yield folder


def stored_text(database: Database, run_id: str) -> str | None:
    found = RunKeeper(database).runs.find(run_id)
    return found.snapshot.text if found else None


async def test_full_disk_loses_nothing_and_is_written_when_there_is_room(
    tmp_path: Path, hub_on: Callable[[Database], Hub], upstream: ReplayUpstream
) -> None:
    database, pages = Database.of(tmp_path, None), {"most": 1}
    database.open()
    assert database._engine is not None

    @event.listens_for(database._engine, "begin")
    def _limit(connection) -> None:  # type: ignore[no-untyped-def]
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages['most']}")

    hub = hub_on(database)
    await hub.open()
    run = await ended(hub, hub.start({"model": "tokens=3000", "prompt": "x" * 100_000}, connection_to(upstream.base_url)))
    assert (run.status, run.text) == ("finished", expected_text(3000))
    await until(lambda: not hub.storage_health.ok)
    assert hub.storage_health.cause == "The disk is full."
    assert hub.storage_health.waiting == 1
    pages["most"] = 1_000_000
    await until(lambda: hub.storage_health.ok)
    assert stored_text(database, run.id) == run.text


async def test_file_system_without_room_loses_nothing_and_is_written_when_there_is_some(
    disk: Path, hub_on: Callable[[Database], Hub], upstream: ReplayUpstream
) -> None:
    database = Database.of(disk, None)
    hub = hub_on(database)
    await hub.open()
    first = await ended(hub, hub.start({"model": "tokens=5"}, connection_to(upstream.base_url)))
    await until(lambda: hub.storage_health.waiting == 0)
    (disk / "filler").write_bytes(b"x" * (room(disk) - 8_192))
    run = await ended(hub, hub.start({"model": "tokens=3000", "prompt": "x" * 300_000}, connection_to(upstream.base_url)))
    assert (run.status, run.text) == ("finished", expected_text(3000))
    await until(lambda: not hub.storage_health.ok)
    assert hub.storage_health.cause == "The disk is full."
    later = await ended(hub, hub.start({"model": "tokens=300", "prompt": "x" * 300_000}, connection_to(upstream.base_url)))
    await until(lambda: hub.storage_health.waiting == 2)
    (disk / "filler").unlink()
    await until(lambda: hub.storage_health.ok and hub.storage_health.waiting == 0)
    assert [stored_text(database, each.id) for each in (first, run, later)] == [expected_text(count) for count in (5, 3000, 300)]


async def test_lock_that_outlasts_many_tries_loses_nothing_of_runs_that_go_on_and_begin(
    tmp_path: Path, hub_on: Callable[[Database], Hub], upstream: ReplayUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute of the real waits is seven tries; here they take milliseconds."""
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 10)
    database = Database.of(tmp_path, None)
    hub = hub_on(database)
    assert hub._changes is not None
    hub._changes._retries_s = (0.01, 0.02, 0.04)
    await hub.open()
    going = hub.start({"model": "tokens=4000/hold"}, connection_to(upstream.base_url))
    await until(lambda: taken(hub, going).pieces == 4000)
    database.open()
    with locked(tmp_path / FILE_NAME):
        run = await ended(hub, hub.start({"model": "tokens=2000/n=2", "n": 2}, connection_to(upstream.base_url)))
        await until(lambda: hub._changes._failures >= 20)
        assert not hub.storage_health.ok
        hub.stop(going)
        await ended(hub, going)
    await until(lambda: hub.storage_health.ok and hub.storage_health.waiting == 0)
    assert (stored_text(database, run.id), stored_text(database, going)) == (expected_text(2000), expected_text(4000))
    assert hub.storage_health.lost == 0


async def test_lock_of_another_process_is_waited_out(
    tmp_path: Path, hub_on: Callable[[Database], Hub], upstream: ReplayUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 50)
    database = Database.of(tmp_path, None)
    hub = hub_on(database)
    await hub.open()
    database.open()
    with locked(tmp_path / FILE_NAME):
        run = await ended(hub, hub.start({"model": "tokens=20"}, connection_to(upstream.base_url)))
        await until(lambda: not hub.storage_health.ok)
        assert "locked by another program" in hub.storage_health.cause
        assert taken(hub, run.id).text == expected_text(20)
    await until(lambda: hub.storage_health.ok)
    assert stored_text(database, run.id) == expected_text(20)


async def test_database_that_cannot_be_opened_at_the_start_is_used_as_soon_as_it_can(
    tmp_path: Path, hub_on: Callable[[Database], Hub], upstream: ReplayUpstream
) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    database = Database.of(tmp_path / "data", None)
    RunKeeper(database).open()
    hub = hub_on(database)
    await hub.open()
    run = await ended(hub, hub.start({"model": "tokens=5"}, connection_to(upstream.base_url)))
    await until(lambda: not hub.storage_health.ok)
    assert hub.snapshot("another") is None
    (tmp_path / "data").unlink()
    await until(lambda: hub.storage_health.ok)
    assert stored_text(database, run.id) == expected_text(5)


async def test_postgresql_that_is_stopped_and_started_again_gets_everything(
    postgres: PostgresServer, hub_on: Callable[[Database], Hub], upstream: ReplayUpstream
) -> None:
    database = Database(postgres.new_database())
    hub = hub_on(database)
    await hub.open()
    first = await ended(hub, hub.start({"model": "tokens=5"}, connection_to(upstream.base_url)))
    await until(lambda: hub.storage_health.waiting == 0)
    postgres.stop()
    try:
        second = await ended(hub, hub.start({"model": "tokens=300/rate=400"}, connection_to(upstream.base_url)))
        await until(lambda: not hub.storage_health.ok)
        assert "does not answer" in hub.storage_health.cause
    finally:
        postgres.start()
    await until(lambda: hub.storage_health.ok)
    assert stored_text(database, first.id) == expected_text(5)
    assert stored_text(database, second.id) == expected_text(300)


async def test_runs_that_are_not_stored_stay_in_memory_up_to_twice_the_limit(upstream: ReplayUpstream) -> None:
    blocked = threading.Event()
    hub = Hub(max_runs=2, on_change=lambda _runs: blocked.wait(20) and None)
    await hub.open()
    ids = []
    for _ in range(5):
        ids.append(hub.start({"model": "tokens=1"}, connection_to(upstream.base_url)))
        await until(lambda: taken(hub, ids[-1]).ended)
    await until(lambda: hub.load["runs"] == 4)
    assert [run_id for run_id in ids if hub.snapshot(run_id) is not None] == ids[1:]
    assert hub.storage_health.lost == 1
    blocked.set()
    await until(lambda: hub.storage_health.waiting == 0)
    await hub.close()


async def test_run_that_left_the_memory_comes_back_from_storage_and_is_replayed(
    tmp_path: Path, hub_on: Callable[..., Hub], upstream: ReplayUpstream
) -> None:
    hub = hub_on(Database.of(tmp_path, None), max_runs=1)
    await hub.open()
    first = await ended(hub, hub.start({"model": "tokens=12/n=2", "n": 2}, connection_to(upstream.base_url)))
    await until(lambda: hub.storage_health.waiting == 0)
    await ended(hub, hub.start({"model": "tokens=1"}, connection_to(upstream.base_url)))
    await until(lambda: hub.run(first.id) is None)
    assert hub.snapshot(first.id) == first
    hub.attach("channel", "a", first.id)
    shown = hub.channels.channel("channel").slots["a"].run
    texts, reached = shown.log.since(0)
    assert texts == {0: expected_text(12), 1: expected_text(12)}
    assert reached == first.pieces == 24
    assert not hub.stop(first.id)


async def test_key_typed_for_a_connection_is_nowhere_in_the_database(
    tmp_path: Path, hub_on: Callable[[Database], Hub], upstream: ReplayUpstream
) -> None:
    hub = hub_on(Database.of(tmp_path, None))
    await hub.open()
    for model in ("tokens=5", "status=429", "tokens=9/cut"):
        await ended(hub, hub.start({"model": model}, connection_to(upstream.base_url)))
    await until(lambda: hub.storage_health.waiting == 0)
    runs = RunKeeper(Database.of(tmp_path, None)).runs
    kept = "".join(str(run.to_json()) for run in runs.stream())
    assert kept.count("playground.run/1") == 3
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())  # noqa: ASYNC240  # small, and nothing else runs
    for secret in (CANARY, "canary-header-77"):
        assert secret.encode() not in files
        assert secret not in kept


async def test_stop_from_two_pages_stops_once(tmp_path: Path, hub_on: Callable[[Database], Hub], upstream: ReplayUpstream) -> None:
    database = Database.of(tmp_path, None)
    hub = hub_on(database)
    await hub.open()
    run_id = hub.start({"model": "tokens=7/hold"}, connection_to(upstream.base_url))
    for page in ("one", "two"):
        hub.attach(page, "a", run_id)
    await until(lambda: taken(hub, run_id).pieces == 7)
    threads = [threading.Thread(target=hub.stop, args=(run_id,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    run = await ended(hub, run_id)
    for thread in threads:
        thread.join()
    assert (run.status, run.text) == ("stopped", expected_text(7))
    assert not hub.stop(run_id)
    assert {hub.channels.channel(page).slots["a"].run.status for page in ("one", "two")} == {"stopped"}
    await until(lambda: upstream.aborted == 1)
    await until(lambda: hub.storage_health.waiting == 0)
    assert stored_text(database, run_id) == expected_text(7)


def test_newer_database_is_refused_at_the_start(tmp_path: Path) -> None:
    database = Database.of(tmp_path, None)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(StorageRefused):
        RunKeeper(Database.of(tmp_path, None)).open()
