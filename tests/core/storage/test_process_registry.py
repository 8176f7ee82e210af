"""Telling runs that were left behind from runs of a process that works beside us."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.hub.hub import Hub
from core.run import ChoiceText
from core.storage.database import Database
from core.storage.process_registry import SILENT_S, ProcessRegistry
from core.storage.run_keeper import RunKeeper
from tests.core.storage.samples import START, run


@dataclass
class Watch:
    """A clock that is set by hand."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time


def test_live_process_of_this_machine_is_there_and_a_dead_one_is_not(database: Database) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead, alive = ProcessRegistry(database, pid=child.pid), ProcessRegistry(database, pid=os.getppid())
    us = ProcessRegistry(database)
    for one in (dead, alive, us):
        one.beat()
    assert us.gone([dead.id, alive.id, us.id, "unknown"]) == {dead.id, "unknown"}
    us.forget([dead.id])
    assert us.gone([alive.id]) == frozenset()


def test_our_number_under_another_name_is_from_before_a_restart(database: Database) -> None:
    before, us = ProcessRegistry(database, pid=1), ProcessRegistry(database, pid=1)
    before.beat()
    assert us.gone([before.id]) == {before.id}


def test_process_of_another_machine_is_gone_when_it_was_silent_for_long(database: Database) -> None:
    watch = Watch()
    there, us = ProcessRegistry(database, host="elsewhere", now=watch), ProcessRegistry(database, now=watch)
    there.beat()
    watch.time += timedelta(seconds=SILENT_S)
    assert us.gone([there.id]) == frozenset()
    watch.time += timedelta(seconds=1)
    assert us.gone([there.id]) == {there.id}


def test_start_ends_what_a_killed_process_left_and_spares_what_another_one_does(database: Database) -> None:
    killed = RunKeeper(database, registry=ProcessRegistry(database, pid=2**22 + 1))
    beside = RunKeeper(database, registry=ProcessRegistry(database, host="elsewhere"))
    left, lives = run(status="streaming", text="half"), run(status="streaming", text="going on")
    killed.save([left])
    beside.save([lives])
    us = RunKeeper(database)
    us.open()
    ended, going = us.find(left.id), us.find(lives.id)
    assert ended is not None
    assert going is not None
    assert (ended.status, ended.text) == ("interrupted", "half")
    assert going.status == "streaming"


def test_run_of_another_process_is_shown_as_far_as_that_one_has_saved_it(database: Database) -> None:
    beside, us = RunKeeper(database, registry=ProcessRegistry(database, host="elsewhere")), RunKeeper(database)
    lives = run(status="streaming", text="going")
    beside.save([lives])
    us.open()
    hub = Hub(find=us.find)
    assert hub.snapshot(lives.id) is None
    for text in ("going", "going on"):
        beside.save([replace(lives, choices={0: ChoiceText(text, None)})])
        seen = hub.elsewhere(lives.id)
        assert seen is not None
        assert (seen.status, seen.text) == ("streaming", text)
    beside.save([replace(lives, status="finished")])
    assert hub.elsewhere(lives.id) is None
    assert hub.elsewhere("nowhere") is None
    ended = hub.snapshot(lives.id)
    assert ended is not None
    assert ended.status == "finished"
