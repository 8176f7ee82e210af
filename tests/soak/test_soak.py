"""Many runs against an upstream that is slow, cut, refusing or broken, with stops, readers that come and go, and kills of the process.

``SOAK_RUNS=2000`` makes it longer, ``SOAK_SEED=…`` repeats one.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from core.run import ENDED, RunSnapshot
from core.signing import Signer
from core.storage.database import Database
from core.storage.run_repository import RunRepository
from core.write_behind import INTERVAL_S
from tests.soak.process import SECRET
from tests.soak.readers import ChannelReader, PollReader, Reader, RunReader
from tests.support.app_process import ROOT, clean_environment, free_port
from tests.support.conditions import comes_true
from tests.support.replay import Call, Replay, Script, replaying

RUNS = int(os.environ.get("SOAK_RUNS", "100"))
SEED = os.environ.get("SOAK_SEED") or secrets.token_hex(4)
RUNS_A_KILL = 60
AT_ONCE = 24
ON_THE_WAY_S = 0.5
"""What left the upstream so shortly before a stop may still be on its way through two busy processes."""
SAVING_S = 1.0
"""What a save may take, beyond the second that a change may wait; more of it on a machine that others use (``patience_s``)."""


@dataclass
class SoakRun:
    """One run that was asked for, and what was seen of it. Times are ``time.monotonic()``."""

    model: str
    script: Script
    id: str = ""
    started_at: float = 0.0
    stop_asked_at: float | None = None
    readers: list[Reader] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """What it is, for the tally."""
        return f"refused {self.script.status}" if self.script.status != 200 else self.script.ending

    def delivered(self, choice: int) -> int:
        """The most characters of a choice that any reader had."""
        return max((reader.reached.get(choice, 0) for reader in self.readers), default=0)


class Soak:
    """The runs, the process that runs them, and the people around them."""

    def __init__(self, replay: Replay, folder: Path, http: httpx.AsyncClient) -> None:
        self.rng = random.Random(SEED)
        self.replay = replay
        self.folder = folder
        self.http = http
        self.signer = Signer(SECRET)
        self.process: subprocess.Popen[bytes] | None = None
        self.up = asyncio.Event()
        self.kills: list[float] = []
        self.runs: list[SoakRun] = []
        self.numbers = itertools.count()

    # The process

    async def launch(self) -> None:
        """Start the process, on another port each time since somebody else may take one that is left, and wait until it answers."""
        port = free_port()
        self.http.base_url = f"http://127.0.0.1:{port}"  # type: ignore[assignment]
        command = [sys.executable, "-m", "tests.soak.process", str(self.folder), self.replay.url, str(port)]
        with (self.folder / "output.log").open("ab") as output:
            self.process = await asyncio.to_thread(
                subprocess.Popen, command, cwd=ROOT, env=clean_environment(), stdout=output, stderr=output
            )
        async with asyncio.timeout(60):
            while not await self.state():
                assert self.process.poll() is None, (self.folder / "output.log").read_text()
                await asyncio.sleep(0.02)
        self.up.set()

    async def kill(self) -> None:
        """``kill -9``, and start it again."""
        assert self.process is not None
        self.up.clear()
        self.kills.append(time.monotonic())
        self.process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(self.process.wait)
        await self.launch()

    async def end(self) -> None:
        """Wait until all is saved, and ask the process to stop."""
        assert self.process is not None
        deadline = time.monotonic() + 30
        while (state := await self.state()).get("running") or state.get("queued") or state.get("waiting") or not state:
            assert time.monotonic() < deadline, state
            await asyncio.sleep(0.02)
        assert (state["lost"], state["saving"]) == (0, True)
        self.process.terminate()
        await asyncio.to_thread(self.process.wait, 20)

    async def state(self) -> dict[str, Any]:
        with suppress(httpx.TransportError):
            return dict((await self.http.get("/soak/state")).json())
        return {}

    # The people

    async def go(self) -> None:
        """All runs, ``AT_ONCE`` at a time, with a kill now and then."""
        await self.launch()
        await asyncio.gather(self.keep_killing(), *(self.keep_running() for _ in range(AT_ONCE)))
        await self.end()

    async def keep_killing(self) -> None:
        for number in range(RUNS_A_KILL // 2, RUNS, RUNS_A_KILL):
            await comes_true(lambda number=number: len(self.runs) > number, within_s=120)  # type: ignore[misc]
            await asyncio.sleep(self.rng.uniform(0.0, 2.5))
            await self.kill()

    async def keep_running(self) -> None:
        while next(self.numbers) < RUNS:
            script = some_script(self.rng)
            run = SoakRun(self.replay.add(script), script)
            self.runs.append(run)
            async with asyncio.timeout(120):
                await self.one(run)

    async def one(self, run: SoakRun) -> None:
        """Start a run, watch it from some pages, perhaps stop it; until every page has seen its end."""
        channel = secrets.token_urlsafe(6)
        body = {"model": run.model, "prompt": "soak", "stream": self.rng.random() > 0.05}
        await self.up.wait()
        run.started_at = time.monotonic()
        try:
            answer = await self.http.post("/soak/start", json={"body": body, "channel": channel, "slot": "a"})
        except httpx.TransportError:
            return  # killed while it answered: nobody knows the run's id, and it may be there or not
        run.id = answer.json()["run"]
        people: list[Awaitable[None]] = []
        for make in self.rng.choices((self.run_reader, self.poll_reader, self.channel_reader), k=self.rng.choice((1, 1, 2, 3))):
            run.readers.append(make(run, channel))
            people.append(run.readers[-1].follow())
        if self.rng.random() < 0.3:
            people.append(self.stop(run, after_s=self.rng.uniform(0.0, 1.0), tabs=self.rng.choice((1, 2))))
        await asyncio.gather(*people)

    async def stop(self, run: SoakRun, after_s: float, tabs: int) -> None:
        await asyncio.sleep(after_s)
        await self.up.wait()
        run.stop_asked_at = time.monotonic()
        address = f"/api/runs/{run.id}/stop?token={self.signer.run_token(run.id)}"
        await asyncio.gather(*(self.http.post(address) for _ in range(tabs)), return_exceptions=True)

    def run_reader(self, run: SoakRun, _channel: str) -> Reader:
        address = f"/api/runs/{run.id}/events?token={self.signer.run_token(run.id)}"
        return RunReader(address, http=self.http, rng=self.rng, app_is_up=self.up.wait)

    def poll_reader(self, run: SoakRun, _channel: str) -> Reader:
        address = f"/api/runs/{run.id}/delta?token={self.signer.run_token(run.id)}"
        return PollReader(address, http=self.http, rng=self.rng, app_is_up=self.up.wait)

    def channel_reader(self, run: SoakRun, channel: str) -> Reader:
        async def show() -> bool:
            asked = {"run": run.id, "channel": channel, "slot": "a"}
            return bool((await self.http.post("/soak/show", json=asked)).json()["known"])

        address = f"/api/channels/{channel}/events?token={self.signer.channel_token(channel)}"
        return ChannelReader(address, run.id, show, http=self.http, rng=self.rng, app_is_up=self.up.wait)


def some_script(rng: random.Random) -> Script:
    """What an upstream may do. Every word of a text is another, so that one lost, doubled or out of place shows."""
    if rng.random() < 0.05:
        return Script.refusal(rng.choice((400, 429, 500)), "no", "Not today.")
    texts = [" ".join(f"{choice}-{word}" for word in range(rng.randint(1, 120))) for choice in range(rng.choice((1, 1, 1, 2, 3)))]
    rate = rng.choice((0.0, 0.0, 0.0, rng.uniform(60, 400), rng.uniform(20, 60)))
    ending = rng.choices(("done", "cut", "error_frame", "malformed", "no_done"), (80, 8, 5, 3, 4))[0]
    return Script.choices(*texts, tokens_per_s=rate, first_token_s=rng.choice((0.0, 0.0, rng.uniform(0, 0.8))), ending=ending)


# What must be true afterwards


def check(soak: Soak, stored: Sequence[RunSnapshot]) -> Counter[str]:
    """AssertionError for the first run that lost, doubled or made up something; else a tally."""
    by_id = {run.id: run for run in stored}
    by_model = Counter(str(run.body["model"]) for run in stored)
    assert len(by_id) == len(stored)
    assert all(run.status in ENDED for run in stored), Counter(run.status for run in stored)
    assert max(by_model.values()) == 1, by_model.most_common(1)
    tally: Counter[str] = Counter()
    for run in soak.runs:
        calls = soak.replay.calls(run.model)
        assert len(calls) <= 1, f"{run.model} was asked {len(calls)} times"
        found = by_id.get(run.id)
        whole = {choice: run.script.text(choice) for choice in range(3)}
        for reader in run.readers:
            for choice, text in reader.texts.items():
                assert whole[choice].startswith(text), (run.id, type(reader).__name__, choice, text)
        if found is None:
            assert not run.id or not due(calls, before=lost_from(soak, run)), f"{run.id} is nowhere"
            tally["nowhere" if run.id else "not acknowledged"] += 1
            continue
        check_one(soak, run, found, calls, whole)
        tally[found.status] += 1
        tally[f"upstream: {run.kind}"] += 1
    return tally


def check_one(soak: Soak, run: SoakRun, found: RunSnapshot, calls: list[Call], whole: dict[int, str]) -> None:
    texts = {choice: text for choice, (text, _) in found.choices.items()}
    for choice, text in texts.items():
        assert whole[choice].startswith(text), (run.id, choice, text)
    for reader in run.readers:
        if reader.status == found.status:
            shown = {choice: text for choice, text in reader.texts.items() if text}
            assert shown == {choice: text for choice, text in texts.items() if text}, (run.id, type(reader).__name__)
    if found.status in ("finished", "failed"):
        before = float("inf")
    elif found.status == "stopped":
        assert run.stop_asked_at is not None
        before = run.stop_asked_at - ON_THE_WAY_S
    else:
        before = lost_from(soak, run)
    for choice, text in due(calls, before).items():
        have = max(len(texts.get(choice, "")), run.delivered(choice))
        assert have >= len(text), f"{found.status} run {run.id} ({run.kind}) lost {text[have:]!r} of choice {choice}"


@cache
def patience_s() -> float:
    """What a save may have taken, by how many processes share a core."""
    return SAVING_S + 0.25 * os.getloadavg()[0] / (os.cpu_count() or 1)


def lost_from(soak: Soak, run: SoakRun) -> float:
    """From when on the first kill after a run's start may have lost what came."""
    return next((kill for kill in soak.kills if kill > run.started_at), float("inf")) - INTERVAL_S - patience_s()


def due(calls: list[Call], before: float) -> dict[int, str]:
    """What the upstream had sent before a moment, by choice."""
    texts: dict[int, str] = {}
    for sent_at, choice, piece in (piece for call in calls for piece in call.sent):
        if sent_at < before:
            texts[choice] = texts.get(choice, "") + piece
    return texts


def unsaved(soak: Soak, stored: Sequence[RunSnapshot]) -> Iterator[float]:
    """For each run that was begun and is nowhere: how long before the kill, in seconds."""
    kept = {run.id for run in stored}
    for run in soak.runs:
        if run.id and run.id not in kept:
            yield lost_from(soak, run) + INTERVAL_S + patience_s() - run.started_at


def lags(soak: Soak, stored: Sequence[RunSnapshot]) -> Iterator[float]:
    """For each run that a kill ended and that lost something: how long before the kill the first lost piece was sent, in seconds."""
    by_id = {run.id: run for run in stored}
    for run in soak.runs:
        found = by_id.get(run.id)
        kill = lost_from(soak, run) + INTERVAL_S + patience_s()
        if found is None or found.status != "interrupted":
            continue
        have = {choice: len(text) for choice, (text, _) in found.choices.items()}
        for sent_at, choice, piece in (piece for call in soak.replay.calls(run.model) for piece in call.sent):
            have[choice] = have.get(choice, 0) - len(piece)
            if have[choice] < 0 and sent_at < kill:
                yield kill - sent_at
                break


async def test_runs_readers_stops_and_kills_leave_every_run_ended_whole_and_once(tmp_path: Path) -> None:
    print(f"SOAK_SEED={SEED} SOAK_RUNS={RUNS}")
    began = time.monotonic()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    with replaying() as replay:
        async with httpx.AsyncClient(timeout=20, trust_env=False, limits=limits) as http:
            soak = Soak(replay, tmp_path, http)
            try:
                await soak.go()
            finally:
                if soak.process is not None:
                    soak.process.kill()
                    soak.process.wait()
    database = Database.of(tmp_path, None)
    stored = [run.snapshot for run in RunRepository(database).stream()]
    database.close()
    tally = check(soak, stored)
    connections = sum(reader.connections for run in soak.runs for reader in run.readers)
    readers = sum(len(run.readers) for run in soak.runs)
    print(f"{len(stored)} stored of {len(soak.runs)} asked for, {len(soak.kills)} kills, {readers} readers with {connections} connections")
    print(dict(tally))
    print(f"lost at a kill: at most the last {max(lags(soak, stored), default=0):.2f} s of a text")
    print(
        f"begun and not stored: at most {max(unsaved(soak, stored), default=0):.2f} s before a kill; took {time.monotonic() - began:.0f} s"
    )
    assert tally["finished"] > RUNS / 6  # on a busy machine kills find most of them under way
    assert tally["stopped"]
    assert tally["failed"]
    assert tally["interrupted"]
