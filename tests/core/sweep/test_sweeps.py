"""Sweeps against a real server: each call once, paused, resumed, limited, tried again after 429, and whole after ``kill -9``."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from core.storage.run_query import RunFilter
from core.sweep.axes import Axis
from core.sweep.cell_rows import as_csv, call_records, cell_rows
from core.sweep.plan import SweepPlan, SweepSettings
from core.sweep.progress import RESTARTED, SweepState
from core.sweep.sweeps import SweepRefused
from core.workspace import Workspace
from tests.core.hub.test_hub import connection_to, until, upstream
from tests.core.replay_upstream import ReplayUpstream, expected_text

__all__ = ["upstream"]

GRID = (Axis("temperature", (0, 0.2, 0.4, 0.6, 0.8, 1)), Axis("top_p", (0.2, 0.4, 0.6, 0.8, 1)))


def asked(model: str, *axes: Axis, **more: Any) -> SweepSettings:
    return SweepSettings({"model": model, "prompt": "p"}, axes or GRID, **more)


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    made = Workspace(Settings.from_environment({"PLAYGROUND_DATA_DIR": str(tmp_path)}))
    await made.open()
    yield made
    await made.close()


def seen(workspace: Workspace, sweep_id: str) -> SweepState:
    state = workspace.sweeps.state(sweep_id)
    assert state is not None
    return state


async def started(workspace: Workspace, settings: SweepSettings, upstream: ReplayUpstream) -> str:
    return await asyncio.to_thread(workspace.sweeps.start, settings, connection_to(upstream.base_url))


async def settled(workspace: Workspace, sweep_id: str) -> SweepState:
    await until(lambda: not seen(workspace, sweep_id).active, 30)
    return seen(workspace, sweep_id)


def sent(upstream: ReplayUpstream) -> Counter[tuple[float, float]]:
    return Counter((body["temperature"], body["top_p"]) for body in upstream.requests)


async def test_every_cell_is_sent_once_and_its_run_has_the_sweeps_tag(workspace: Workspace, upstream: ReplayUpstream) -> None:
    sweep_id = await started(workspace, asked("tokens=3", at_once=6, name="warmth"), upstream)
    state = await settled(workspace, sweep_id)
    assert (state.status, state.done, state.tries) == ("finished", 30, 30)
    assert set(sent(upstream).values()) == {1}
    assert len(sent(upstream)) == 30
    assert upstream.most_open <= 6
    await until(lambda: workspace.runs.count(RunFilter(tags=("sweep warmth",))) == 30)
    runs = await asyncio.to_thread(workspace.sweeps.runs_of, sweep_id)
    rows = cell_rows(state, runs)
    assert [row.statuses for row in rows] == [{"finished": 1}] * 30
    assert rows[7].values == {"temperature": "0.2", "top_p": "0.6"}
    assert rows[7].median("tokens out") == 3
    assert all(expected_text(3).startswith(call.answer_start.strip()) for row in rows for call in row.calls)
    assert as_csv(call_records(state, runs)).count("\r\n") == 31


async def test_paused_sweep_sends_nothing_until_it_is_resumed(workspace: Workspace, upstream: ReplayUpstream) -> None:
    sweep_id = await started(workspace, asked("tokens=3/first=0.05", at_once=2), upstream)
    await until(lambda: len(upstream.requests) >= 4)
    workspace.sweeps.pause(sweep_id)
    state = await settled(workspace, sweep_id)
    count = len(upstream.requests)
    assert (state.status, state.done) == ("paused", count)
    assert 4 <= count < 30
    await asyncio.to_thread(workspace.sweeps.resume, sweep_id, connection_to(upstream.base_url))
    assert (await settled(workspace, sweep_id)).status == "finished"
    assert set(sent(upstream).values()) == {1}
    assert len(sent(upstream)) == 30


async def test_sweep_that_several_tabs_resume_at_once_is_driven_once(workspace: Workspace, upstream: ReplayUpstream) -> None:
    sweep_id = await started(workspace, asked("tokens=3/first=0.05", at_once=2), upstream)
    await until(lambda: upstream.requests)
    workspace.sweeps.pause(sweep_id)
    await settled(workspace, sweep_id)
    resume = partial(asyncio.to_thread, workspace.sweeps.resume, sweep_id, connection_to(upstream.base_url))
    await asyncio.gather(*(resume() for _ in range(6)))
    state = await settled(workspace, sweep_id)
    assert (state.status, state.done, state.tries) == ("finished", 30, 30)
    assert set(sent(upstream).values()) == {1}


async def test_call_that_is_refused_with_429_is_tried_again_and_every_try_counts(workspace: Workspace, upstream: ReplayUpstream) -> None:
    sweep_id = await started(workspace, asked("tokens=3/rate=100/most=3/after=20", at_once=8, tries=10), upstream)
    state = await settled(workspace, sweep_id)
    assert state.status == "finished"
    assert state.counts["finished"] == 30
    assert upstream.refused > 0
    assert state.tries == 30 + upstream.refused == len(upstream.requests)
    cost = await asyncio.to_thread(workspace.sweeps.cost, sweep_id)
    await until(lambda: workspace.sweeps.cost(sweep_id).refused == upstream.refused)
    assert cost.known <= 30


async def test_limit_is_never_passed_and_can_be_raised(workspace: Workspace, upstream: ReplayUpstream) -> None:
    sweep_id = await started(workspace, asked("most=0/after=10", Axis("top_p", (0.1, 0.2)), most_calls=3, tries=5), upstream)
    state = await settled(workspace, sweep_id)
    assert (state.status, len(upstream.requests)) == ("paused", 3)
    assert "The limit of 3 calls is reached" in state.record.reason


async def test_failed_calls_are_left_as_they_are_and_sent_again_only_when_asked(workspace: Workspace, upstream: ReplayUpstream) -> None:
    sweep_id = await started(workspace, asked("tokens=2/cut", Axis("top_p", (0.1, 0.2))), upstream)
    state = await settled(workspace, sweep_id)
    assert (state.status, state.counts["failed"], len(upstream.requests)) == ("finished", 2, 2)
    await asyncio.to_thread(workspace.sweeps.resume, sweep_id, connection_to(upstream.base_url), again=True)
    await settled(workspace, sweep_id)
    assert len(upstream.requests) == 4


async def test_cancelled_sweep_stops_what_is_under_way_and_stays_cancelled(workspace: Workspace, upstream: ReplayUpstream) -> None:
    sweep_id = await started(workspace, asked("tokens=2/hold", at_once=3), upstream)
    await until(lambda: upstream.open == 3)
    workspace.sweeps.cancel(sweep_id)
    await until(lambda: seen(workspace, sweep_id).counts["stopped"] == 3)
    state = await settled(workspace, sweep_id)
    assert (state.status, state.counts["waiting"]) == ("cancelled", 27)
    await until(lambda: upstream.open == 0 and (workspace.sweeps.state(sweep_id) or state).record.ended_at is not None)
    with pytest.raises(SweepRefused):
        await asyncio.to_thread(workspace.sweeps.resume, sweep_id, connection_to(upstream.base_url))


async def test_click_does_not_wait_behind_a_sweep(workspace: Workspace, upstream: ReplayUpstream) -> None:
    await started(workspace, asked("tokens=2/hold", at_once=30), upstream)
    await until(lambda: upstream.open > 0)
    run_id = workspace.hub.start({"model": "tokens=3"}, connection_to(upstream.base_url))
    await until(lambda: (run := workspace.hub.snapshot(run_id)) is not None and run.status == "finished")


async def test_plan_with_a_problem_is_not_started(workspace: Workspace, upstream: ReplayUpstream) -> None:
    with pytest.raises(SweepRefused, match="more than the limit"):
        await started(workspace, asked("m", most_calls=3), upstream)
    assert await asyncio.to_thread(workspace.sweeps.newest) == ()


async def test_paused_sweep_goes_on_at_its_own_connection_only(workspace: Workspace, upstream: ReplayUpstream) -> None:
    sweep_id = await started(workspace, asked("most=0/after=10", Axis("top_p", (0.1, 0.2)), most_calls=2, tries=2), upstream)
    assert (await settled(workspace, sweep_id)).status == "paused"
    other = replace(connection_to("http://127.0.0.1:9"), kind="orq")
    with pytest.raises(SweepRefused, match="another connection"):
        await asyncio.to_thread(workspace.sweeps.resume, sweep_id, other, most_calls=4)


PROCESS = """
import asyncio, sys
from core.settings import Settings
from core.sweep.plan import SweepSettings
from core.workspace import Workspace
from tests.core.sweep.test_sweeps import asked
from tests.core.hub.test_hub import connection_to

async def main():
    workspace = Workspace(Settings.from_environment({"PLAYGROUND_DATA_DIR": sys.argv[1]}))
    await workspace.open()
    print(await asyncio.to_thread(workspace.sweeps.start, asked("tokens=3/first=0.05", at_once=4), connection_to(sys.argv[2])), flush=True)
    await asyncio.sleep(300)

asyncio.run(main())
"""


async def test_killed_sweep_is_paused_and_resumes_with_no_cell_twice_and_none_missing(tmp_path: Path, upstream: ReplayUpstream) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROCESS, str(tmp_path), upstream.base_url, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert process.stdout is not None
    sweep_id = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
    await until(lambda: len(upstream.requests) >= 12, 60)
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    before = sent(upstream)
    assert 12 <= sum(before.values()) < 30
    await until(lambda: upstream.open == 0)
    workspace = Workspace(Settings.from_environment({"PLAYGROUND_DATA_DIR": str(tmp_path)}))
    await workspace.open()
    try:
        state = await asyncio.to_thread(workspace.sweeps.state, sweep_id)
        assert state is not None
        assert (state.status, state.record.reason) == ("paused", RESTARTED)
        assert len(upstream.requests) == sum(before.values())  # a restart spends nothing by itself
        finished_before = {SweepPlan(state.record.plan.settings).title(call.number) for call in state.calls if call.status == "finished"}
        await asyncio.to_thread(workspace.sweeps.resume, sweep_id, connection_to(upstream.base_url))
        state = await settled(workspace, sweep_id)
        assert (state.status, state.counts["finished"]) == ("finished", 30)
        runs = [call.runs for call in state.calls]
        assert len({run_id for tries in runs for run_id in tries}) == sum(map(len, runs)) >= len(upstream.requests)

        def finished() -> Counter[int]:
            stored = workspace.sweeps.runs_of(sweep_id)
            return Counter(call.number for call in state.calls for run in map(stored.get, call.runs) if run and run.status == "finished")

        await until(lambda: sum(finished().values()) >= 30)  # runs are written a moment after their ends
        assert finished() == dict.fromkeys(range(30), 1)
        again = Counter(sent(upstream))
        assert len(again) == 30
        twice = {f"temperature {t:g} · top_p {p:g}" for (t, p), count in again.items() if count > 1}
        assert not twice & finished_before  # what had ended was not sent again; only what the kill cut was
        assert sum(count - 1 for count in again.values()) <= 4
    finally:
        await workspace.close()
