"""The hub's queue against a real server: limits per connection, background calls, backing off on 429."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from core.calls import places
from core.connection import Connection
from core.hub.channels import state_of
from core.hub.hub import Hub, new_run_id
from tests.core.hub.test_hub import connection_to, ended, taken, until
from tests.core.replay_upstream import ReplayUpstream


@pytest.fixture
async def upstream() -> AsyncIterator[ReplayUpstream]:
    async with ReplayUpstream() as server:
        yield server


async def opened(limit: int) -> Hub:
    hub = Hub(limit=lambda connection: limit)
    await hub.open()
    return hub


async def in_background(hub: Hub, connection: Connection, model: str) -> str:
    place = await hub.place(connection)
    return hub.start({"model": model}, connection, place=place, run_id=new_run_id())


async def test_each_connection_has_a_limit_and_a_queue_of_its_own(upstream: ReplayUpstream) -> None:
    async with ReplayUpstream() as other:
        hub = await opened(2)
        here = [hub.start({"model": "tokens=1/hold"}, connection_to(upstream.base_url)) for _ in range(4)]
        there = hub.start({"model": "tokens=1"}, connection_to(other.base_url))
        assert (await ended(hub, there)).status == "finished"
        assert [taken(hub, run).queue_position for run in here] == [None, None, 1, 2]
        traffic = hub.traffic(connection_to(upstream.base_url))
        assert (traffic.running, traffic.waiting, traffic.limit) == (2, 2, 2)
        await hub.close()


async def test_a_click_never_waits_behind_background_calls(upstream: ReplayUpstream) -> None:
    hub = await opened(4)
    connection = connection_to(upstream.base_url)
    many = [asyncio.create_task(in_background(hub, connection, "tokens=1/hold")) for _ in range(20)]
    await until(lambda: upstream.open == 3)
    click = hub.start({"model": "tokens=1"}, connection)
    run = await ended(hub, click)
    assert (run.status, upstream.open) == ("finished", 3)
    assert run.timings.queued_s is not None
    assert run.timings.queued_s < 0.5
    assert hub.traffic(connection).waiting == 17
    for task in many:
        task.cancel()
    await asyncio.gather(*many, return_exceptions=True)
    await hub.close()


async def test_a_raised_limit_lets_those_who_wait_in(upstream: ReplayUpstream) -> None:
    limits = {"now": 1}
    hub = Hub(limit=lambda connection: limits["now"])
    await hub.open()
    runs = [hub.start({"model": "tokens=1/hold"}, connection_to(upstream.base_url)) for _ in range(3)]
    await until(lambda: upstream.open == 1)
    limits["now"] = 3
    hub.limits_changed()
    await until(lambda: upstream.open == 3)
    assert [taken(hub, run).queue_position for run in runs] == [None, None, None]
    await hub.close()


async def test_queued_runs_are_sent_fewer_at_a_time_after_a_429_and_all_in_the_end(upstream: ReplayUpstream) -> None:
    hub = await opened(16)
    connection = connection_to(upstream.base_url)
    model = "tokens=3/rate=40/most=4/after=50"
    runs = [hub.start({"model": model}, connection) for _ in range(60)]
    await until(lambda: hub.traffic(connection).allowed < 16)
    snapshots = [await ended(hub, run) for run in runs]
    failed = [run for run in snapshots if run.status == "failed"]
    assert {run.error.status for run in failed if run.error} == {429}  # shown as it is: nothing is tried again by the hub
    assert len(failed) == upstream.refused
    assert upstream.most_open <= 4
    assert len(failed) < 35, "without backing off, twelve of each sixteen would be refused"
    await hub.close()


async def test_a_second_click_after_a_429_says_why_it_waits_and_goes_out_though_the_first_goes_on(
    upstream: ReplayUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "RECOVERS_S", 0.3)
    hub = await opened(8)
    connection = connection_to(upstream.base_url)
    refused = await ended(hub, hub.start({"model": "most=0/after=200"}, connection))
    assert refused.status == "failed"
    first = hub.start({"model": "tokens=1/hold"}, connection)
    second = hub.start({"model": "tokens=1"}, connection)
    await until(lambda: taken(hub, second).queue_position == 1)
    run = hub.run(second)
    assert run is not None
    state = state_of(run)
    assert (state["queue"], state["wait"]["running"], state["wait"]["allowed"], state["wait"]["slowed"]) == (1, 1, 1, True)
    assert abs(state["wait"]["until"] - time.time()) < 3
    assert (await ended(hub, second)).status == "finished"
    assert "wait" not in state_of(run)
    assert not taken(hub, first).ended
    await hub.close()


async def test_background_calls_wait_for_as_long_as_the_router_asked(upstream: ReplayUpstream) -> None:
    hub = await opened(8)
    connection = connection_to(upstream.base_url)
    refused = await in_background(hub, connection, "most=0/after=1500")
    began = time.monotonic()
    run = await ended(hub, refused)
    assert run.error is not None
    assert run.error.retry_after_s == 1.5
    click = await ended(hub, hub.start({"model": "tokens=1"}, connection))
    assert (click.status, time.monotonic() - began < 1.5) == ("finished", True)
    await in_background(hub, connection, "tokens=1")
    assert time.monotonic() - began >= 1.4
    await hub.close()


async def test_a_place_that_nobody_takes_goes_to_the_next_and_a_closed_hub_gives_none(upstream: ReplayUpstream) -> None:
    hub = await opened(2)
    connection = connection_to(upstream.base_url)
    place = await hub.place(connection)
    waiting = asyncio.create_task(hub.place(connection))
    await asyncio.sleep(0)
    assert hub.places(connection, 3) == []
    hub.free(place)
    hub.free(await waiting)
    assert len(hub.places(connection, 3)) == 1
    last = asyncio.create_task(hub.place(connection))
    await asyncio.sleep(0)
    await hub.close()
    with pytest.raises(asyncio.CancelledError):
        await last


async def test_the_end_of_a_run_can_be_waited_for_and_its_id_and_tags_given(upstream: ReplayUpstream) -> None:
    hub = await opened(2)
    connection = connection_to(upstream.base_url)
    run_id = new_run_id()
    assert hub.start({"model": "tokens=2/rate=50"}, connection, run_id=run_id, tags=["sweep one"]) == run_id
    await asyncio.wait_for(hub.ended(run_id), 10)
    run = taken(hub, run_id)
    assert (run.status, run.tags) == ("finished", ("sweep one",))
    await hub.ended(run_id)
    await hub.ended("nobody")
    await hub.close()
