"""The hub against a real server on a loopback port."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from pydantic import SecretStr

from core.connection import Connection
from core.hub.hub import Hub
from core.run import RunSnapshot
from tests.core.replay_upstream import ReplayUpstream, expected_text

CANARY = "sk-canary-5d1c"


async def until(condition: Callable[[], object], timeout_s: float = 45.0) -> None:
    """Wait for ``condition``; fails after ``timeout_s`` seconds."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # the conditions are of other tasks, threads and sockets
            await asyncio.sleep(0.002)


def connection_to(base_url: str) -> Connection:
    return Connection("replay", "local", base_url, "/v2/router/completions", SecretStr(CANARY), {"X-Team": "canary-header-77"})


@pytest.fixture
async def upstream() -> AsyncIterator[ReplayUpstream]:
    async with ReplayUpstream() as server:
        yield server


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    opened = Hub()
    await opened.open()
    yield opened
    await opened.close()


def taken(hub: Hub, run_id: str) -> RunSnapshot:
    snapshot = hub.snapshot(run_id)
    assert snapshot is not None
    return snapshot


async def ended(hub: Hub, run_id: str) -> RunSnapshot:
    await until(lambda: taken(hub, run_id).ended)
    return taken(hub, run_id)


async def test_a_run_ends_finished_with_text_reason_usage_and_what_the_answer_said(hub: Hub, upstream: ReplayUpstream) -> None:
    body = {"model": "tokens=50", "prompt": "ż"}
    run = await ended(hub, hub.start(body, connection_to(upstream.base_url), slot="b"))
    assert run.status == "finished"
    assert run.text == expected_text(50)
    assert run.choices[0].finish_reason == "length"
    assert run.usage is not None
    assert run.usage.completion_tokens == 50
    assert (run.slot, run.model, run.completion_id, run.request_id) == ("b", "replay/model", "cmpl-1", "req-1")
    assert run.headers == {"x-router-request-id": "req-1", "x-router-model": "replay/model"}
    assert run.raw.count("data: ") == 52
    assert not run.raw_truncated
    assert run.body == body == upstream.requests[0]
    assert run.sent == '{"model":"tokens=50","prompt":"ż"}'.encode()


async def test_timings_are_measured_from_the_start(hub: Hub, upstream: ReplayUpstream) -> None:
    run = await ended(hub, hub.start({"model": "tokens=20/rate=200/first=0.1"}, connection_to(upstream.base_url)))
    assert run.timings.queued_s is not None
    assert run.timings.first_token_s is not None
    assert run.timings.total_s is not None
    assert 0 <= run.timings.queued_s < 0.1 <= run.timings.first_token_s < run.timings.total_s
    assert run.timings.tokens_per_s == pytest.approx(200, rel=0.3)


async def test_an_answer_that_comes_whole_has_no_first_token_and_no_speed(hub: Hub, upstream: ReplayUpstream) -> None:
    run = await ended(hub, hub.start({"model": "tokens=20/whole", "stream": False}, connection_to(upstream.base_url)))
    assert (run.status, run.text) == ("finished", expected_text(20))
    assert run.timings.first_token_s is None
    assert run.timings.tokens_per_s is None
    assert run.timings.total_s is not None


async def test_start_makes_the_run_at_once_and_takes_a_copy_of_the_body(hub: Hub, upstream: ReplayUpstream) -> None:
    body = {"model": "tokens=1", "stop": ["x"]}
    run_id = hub.start(body, connection_to(upstream.base_url))
    assert taken(hub, run_id).status == "queued"
    body["stop"].append("changed later")  # type: ignore[attr-defined]
    assert (await ended(hub, run_id)).body["stop"] == ["x"]


async def test_any_thread_may_start_and_stop(hub: Hub, upstream: ReplayUpstream) -> None:
    ids: list[str] = []
    work = threading.Thread(target=lambda: ids.append(hub.start({"model": "tokens=3/hold"}, connection_to(upstream.base_url))))
    work.start()
    await asyncio.to_thread(work.join)
    await until(lambda: taken(hub, ids[0]).pieces == 3)
    assert await asyncio.to_thread(hub.stop, ids[0])
    assert (await ended(hub, ids[0])).status == "stopped"


async def test_stop_closes_the_upstream_connection_and_keeps_the_text(hub: Hub, upstream: ReplayUpstream) -> None:
    run_id = hub.start({"model": "tokens=7/hold"}, connection_to(upstream.base_url))
    await until(lambda: taken(hub, run_id).pieces == 7)
    assert hub.stop(run_id)
    run = await ended(hub, run_id)
    assert (run.status, run.text, run.error) == ("stopped", expected_text(7), None)
    await until(lambda: upstream.aborted == 1 and upstream.open == 0, 1.0)


async def test_stopping_what_has_ended_or_is_not_here_says_no(hub: Hub, upstream: ReplayUpstream) -> None:
    run_id = hub.start({"model": "tokens=1"}, connection_to(upstream.base_url))
    await ended(hub, run_id)
    assert not hub.stop(run_id)
    assert not hub.stop("nobody")


async def test_channel_follows_a_run_until_it_ends(hub: Hub, upstream: ReplayUpstream) -> None:
    assert not hub.channels.shows_a_run_that_goes_on("page")
    run_id = hub.start({"model": "tokens=3/hold"}, connection_to(upstream.base_url), channel="page")
    await until(lambda: taken(hub, run_id).pieces == 3)
    assert (hub.channels.shows_a_run_that_goes_on("page"), hub.channels.shows_a_run_that_goes_on("another page")) == (True, False)
    hub.stop(run_id)
    await ended(hub, run_id)
    assert not hub.channels.shows_a_run_that_goes_on("page")


async def test_runs_past_the_limit_wait_in_order_and_see_their_place(upstream: ReplayUpstream) -> None:
    hub = Hub(max_concurrent=1)
    await hub.open()
    ids = [hub.start({"model": "tokens=1/hold"}, connection_to(upstream.base_url)) for _ in range(4)]
    await until(lambda: taken(hub, ids[0]).pieces == 1)
    assert [taken(hub, run).queue_position for run in ids] == [None, 1, 2, 3]
    hub.stop(ids[1])
    await until(lambda: [taken(hub, run).queue_position for run in ids] == [None, None, 1, 2])
    assert taken(hub, ids[1]).status == "stopped"
    assert len(upstream.requests) == 1
    hub.stop(ids[0])
    await until(lambda: taken(hub, ids[2]).pieces == 1)
    assert [taken(hub, run).queue_position for run in ids] == [None, None, None, 1]
    await hub.close()
    assert [taken(hub, run).status for run in ids] == ["stopped", "stopped", "interrupted", "interrupted"]


async def test_a_refused_request_fails_with_what_the_router_said(hub: Hub, upstream: ReplayUpstream) -> None:
    run = await ended(hub, hub.start({"model": "status=429"}, connection_to(upstream.base_url)))
    assert run.status == "failed"
    assert run.error is not None
    assert (run.error.kind, run.error.status, run.error.code) == ("router_rejected", 429, "rate_limit_exceeded")
    assert run.error.retry_after_s == 7
    assert run.request_id == "req-no"
    assert "Slow down." in run.error.cause
    assert "Slow down." in run.raw


async def test_a_cut_stream_fails_and_keeps_its_text(hub: Hub, upstream: ReplayUpstream) -> None:
    run = await ended(hub, hub.start({"model": "tokens=9/cut"}, connection_to(upstream.base_url)))
    assert (run.status, run.text) == ("failed", expected_text(9))
    assert run.error is not None
    assert (run.error.kind, run.error.reason) == ("stream_broken", "cut")


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:9", "not a url", "http://[", "https://127.0.0.1:9"])
async def test_an_address_that_cannot_be_reached_fails_as_a_connection_problem(hub: Hub, base_url: str) -> None:
    run = await ended(hub, hub.start({"model": "m"}, connection_to(base_url)))
    assert run.error is not None
    assert run.error.kind == "connection_failed"


async def test_several_choices_keep_their_texts_apart(hub: Hub, upstream: ReplayUpstream) -> None:
    run = await ended(hub, hub.start({"model": "tokens=12/n=3", "n": 3}, connection_to(upstream.base_url)))
    assert {index: choice.text for index, choice in run.choices.items()} == dict.fromkeys(range(3), expected_text(12))


async def test_a_bug_ends_the_run_with_a_number_that_is_in_the_log_and_no_secret(
    upstream: ReplayUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(connection: Connection, _http: object) -> object:
        raise KeyError(f"Bearer {CANARY} and canary-header-77")

    hub = Hub(client=broken)  # type: ignore[arg-type]
    await hub.open()
    with caplog.at_level(logging.ERROR):
        run = await ended(hub, hub.start({"model": "tokens=1"}, connection_to(upstream.base_url)))
    await hub.close()
    assert run.error is not None
    assert run.error.kind == "bug"
    assert run.error.bug_id
    assert run.error.bug_id in caplog.text
    assert "KeyError" in caplog.text
    assert CANARY not in caplog.text + repr(run)
    assert "canary-header-77" not in caplog.text + repr(run)


async def test_ended_runs_go_oldest_first_and_running_ones_never(upstream: ReplayUpstream) -> None:
    hub = Hub(max_runs=3)
    await hub.open()
    connection = connection_to(upstream.base_url)
    running = hub.start({"model": "tokens=1/hold"}, connection)
    finished = [hub.start({"model": "tokens=1"}, connection) for _ in range(2)]
    for run_id in finished:
        await ended(hub, run_id)
    newest = hub.start({"model": "tokens=1"}, connection)
    await ended(hub, newest)
    await until(lambda: hub.snapshot(finished[0]) is None)
    assert taken(hub, running).status == "streaming"
    assert hub.snapshot(finished[1]) is not None
    assert hub.snapshot(newest) is not None
    await hub.close()


async def test_too_many_characters_evict_too(upstream: ReplayUpstream) -> None:
    hub = Hub(max_characters=40_000)
    await hub.open()
    ids = [hub.start({"model": "tokens=100"}, connection_to(upstream.base_url)) for _ in range(6)]
    await until(lambda: hub.snapshot(ids[0]) is None)
    await until(lambda: hub.load["running"] == 0)
    kept = [run for run in ids if hub.snapshot(run) is not None]
    assert kept == ids[-len(kept) :]
    assert 1 <= len(kept) <= 3
    await hub.close()


async def test_an_answer_without_end_is_cut_off_before_it_fills_the_memory(upstream: ReplayUpstream) -> None:
    hub = Hub(max_characters=2_000)
    await hub.open()
    run_id = hub.start({"model": "tokens=100000"}, connection_to(upstream.base_url))
    run = hub.run(run_id)
    assert run is not None
    await until(lambda: run.ended)
    assert run.error is not None
    assert run.error.kind == "answer_too_long"
    await until(lambda: upstream.open == 0)
    await hub.close()


async def test_changes_are_told_at_the_start_seldom_and_at_the_end(upstream: ReplayUpstream) -> None:
    seen: list[RunSnapshot] = []
    hub = Hub(on_change=seen.extend)
    await hub.open()
    await ended(hub, hub.start({"model": "tokens=120/rate=100"}, connection_to(upstream.base_url)))
    await hub.close()
    assert not seen[0].ended
    assert seen[-1].status == "finished"
    assert seen[-1].text == expected_text(120)
    assert len(seen) <= 4


async def test_a_store_that_fails_or_dawdles_hurts_no_stream(upstream: ReplayUpstream, caplog: pytest.LogCaptureFixture) -> None:
    let_go = threading.Event()

    def failing(_runs: Sequence[RunSnapshot]) -> None:
        let_go.wait(60)
        raise OSError("disk full")

    hub = Hub(on_change=failing)
    await hub.open()
    began = time.monotonic()
    run = await ended(hub, hub.start({"model": "tokens=30"}, connection_to(upstream.base_url)))
    assert (run.status, run.text) == ("finished", expected_text(30))
    assert time.monotonic() - began < 45
    let_go.set()
    await hub.close()
    assert "disk full" in caplog.text


async def test_a_closed_hub_takes_no_runs_and_one_hub_has_one_loop() -> None:
    hub = Hub()
    with pytest.raises(RuntimeError):
        hub.start({"model": "m"}, connection_to("http://127.0.0.1:9"))
    await hub.open()
    with pytest.raises(RuntimeError):
        await hub.open()
    await hub.close()
    with pytest.raises(RuntimeError):
        hub.start({"model": "m"}, connection_to("http://127.0.0.1:9"))
