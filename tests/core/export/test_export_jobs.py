"""Exports are written beside everything else, can be watched, and are taken over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette

from core.errors import StorageUnavailable
from core.export.export_jobs import KEPT_S, Export, ExportJobs
from core.export.export_routes import export_routes
from core.export.run_files import read_runs
from core.storage.run_query import RunFilter
from core.storage.run_record import StoredRun
from tests.core.storage import samples
from tests.support.conditions import eventually


class Runs:
    """Two runs; the second one waits until it may come."""

    def __init__(self) -> None:
        self.all = [StoredRun.of(samples.run()), StoredRun.of(samples.run())]
        self.may_come = threading.Event()
        self.problem: Exception | None = None

    def count(self, which: RunFilter | None = None) -> int:
        return 2

    def packed(self, which: RunFilter | None = None, *, lines: bool = True) -> Iterator[StoredRun]:
        yield self.all[0]
        assert self.may_come.wait(10)
        if self.problem:
            raise self.problem
        yield self.all[1]


@pytest.fixture
def runs() -> Runs:
    return Runs()


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def jobs(runs: Runs, now: list[float]) -> Iterator[ExportJobs]:
    made = ExportJobs(runs, clock=lambda: now[0])
    yield made
    made.close()


def ended(jobs: ExportJobs, export_id: str) -> Export:
    return eventually(lambda: (found := jobs.find(export_id)) and found.ended and found)


async def test_progress_can_be_watched_and_the_file_taken(jobs: ExportJobs, runs: Runs):
    export_id = jobs.start(RunFilter(), "jsonl", "history")
    eventually(lambda: jobs.find(export_id).written == 1)
    assert (jobs.find(export_id).total, jobs.find(export_id).ended) == (2, False)
    transport = httpx.ASGITransport(Starlette(routes=export_routes(jobs)))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as browser:
        assert (await browser.get(f"/api/exports/{export_id}")).status_code == 404
        runs.may_come.set()
        assert ended(jobs, export_id).written == 2
        answer = await browser.get(f"/below/a/path/api/exports/{export_id}")
    assert list(read_runs(answer.content)) == runs.all
    assert 'filename="history.jsonl"' in answer.headers["content-disposition"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_storage_that_fails_in_the_middle_is_said(jobs: ExportJobs, runs: Runs):
    runs.problem = StorageUnavailable("The disk is full.", "Free some space.")
    runs.may_come.set()
    assert ended(jobs, jobs.start(RunFilter(), "csv", "history")).problem == "The disk is full. Free some space."


def test_bug_ends_the_export_with_a_sentence(jobs: ExportJobs, runs: Runs):
    runs.problem = RuntimeError("secret")
    runs.may_come.set()
    assert ended(jobs, jobs.start(RunFilter(), "csv", "history")).problem == "The file could not be written. Try again."


def test_file_goes_away_after_an_hour_though_nobody_exports_again(jobs: ExportJobs, runs: Runs, now: list[float]):
    runs.may_come.set()
    old = ended(jobs, jobs.start(RunFilter(), "jsonl", "history"))
    now[0] = KEPT_S + 1
    assert jobs.find(old.id) is None
    assert not old.path.exists()


def test_file_that_takes_more_than_an_hour_to_write_is_kept_for_an_hour_from_then_on(jobs: ExportJobs, runs: Runs, now: list[float]):
    export_id = jobs.start(RunFilter(), "jsonl", "history")
    now[0] = KEPT_S + 1
    assert jobs.find(export_id) is not None
    runs.may_come.set()
    assert ended(jobs, export_id).path.exists()
    now[0] += KEPT_S + 1
    assert jobs.find(export_id) is None


def test_closing_leaves_no_file(jobs: ExportJobs, runs: Runs):
    runs.may_come.set()
    done = ended(jobs, jobs.start(RunFilter(), "jsonl", "history"))
    jobs.close()
    assert not done.path.exists()
