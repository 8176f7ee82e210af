"""A person who clicks at random while answers stream, and a process that is killed now and then: no run is lost, doubled or left open.

``BROWSER_SOAK_RUNS=100`` makes it longer, ``SOAK_SEED=…`` repeats one. ``tests/soak`` does it to the routes, thousands of times.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.run import ENDED
from core.storage.database import Database
from core.storage.run_repository import RunRepository
from core.write_behind import INTERVAL_S
from tests.browser.conftest import Opener
from tests.conftest import REPLAY_KEY
from tests.support.app_process import AppProcess, running_app
from tests.support.conditions import eventually
from tests.support.playground_page import RUNNING_STATES, PlaygroundPage
from tests.support.replay import Call, Replay, Script

RUNS = int(os.environ.get("BROWSER_SOAK_RUNS", "4"))
SEED = os.environ.get("SOAK_SEED") or secrets.token_hex(4)
RUNS_A_KILL = 3
ON_THE_WAY_S = 1.0
"""What left the upstream so shortly before a stop may still be on its way through busy processes."""
SAVING_S = 2.0
"""What a save may take on a busy machine, beyond the second that a change may wait."""
GONE = "ERR_|WebSocket|Failed to fetch|Failed to load|No response received|not responding|net::"


@dataclass
class Seen:
    """One run as its person saw it: the text at its end, and from when on (``time.monotonic``) the rest need not be there."""

    id: str
    whole: str
    text: str = ""
    state: str = ""
    ended_from: float = float("inf")
    calls: list[Call] = field(default_factory=list)
    did: list[str] = field(default_factory=list)


class Person:
    """A browser page, the app behind it, and what is done to both."""

    def __init__(self, replay: Replay, open_page: Opener, environment: Mapping[str, str], stack: ExitStack) -> None:
        self.rng = random.Random(SEED)
        self.replay, self.open_page, self.environment, self.stack = replay, open_page, environment, stack
        self.model = replay.add(Script.of("first"))
        self.app: AppProcess = stack.enter_context(running_app(environment=environment))
        self.page = self.opened()
        self.page.open().choose_model(self.model).type_prompt("soak")
        self.runs: list[Seen] = []

    def opened(self) -> PlaygroundPage:
        page: PlaygroundPage = self.open_page(self.app.url)
        page.expected_problems.append(GONE)
        return page

    def one(self) -> None:
        """Start a run, do some of everything while it streams, and look at it when it has ended."""
        number = len(self.runs)
        whole = " ".join(f"{number}-{word}" for word in range(self.rng.randint(20, 120)))
        self.replay.add(Script.of(whole, tokens_per_s=self.rng.choice((15, 40))), name=self.model)
        before = self.page.query.get("run")
        self.page.run()
        self.page.page.wait_for_url(lambda url: "run=" in url and (before is None or before not in url))
        seen = Seen(self.page.query["run"], whole)
        self.runs.append(seen)
        actions = self.rng.choices((self.reload, self.leave, self.fiddle, self.second_tab, self.stop), k=self.rng.randint(1, 3))
        for action in [*actions, self.kill] if number % RUNS_A_KILL == 1 else actions:
            seen.did.append(action.__name__)
            action(seen)
        expect(self.page.panel.state).not_to_be_empty()
        expect(self.page.panel.state).not_to_contain_text(RUNNING_STATES)
        self.page.idle()
        seen.text, seen.state = self.page.panel.text(), self.page.panel.state.inner_text()
        seen.calls = self.replay.calls(self.model)

    def reload(self, _seen: Seen) -> None:
        self.page.reload()

    def leave(self, _seen: Seen) -> None:
        """To the History and back, by the navigation and the browser's own button."""
        self.page.page.get_by_role("link", name="History", exact=True).click()
        self.page.keyed("history.text").locator("input").wait_for()
        self.page.page.go_back()
        self.page.ready()

    def fiddle(self, _seen: Seen) -> None:
        self.page.set_field("max_tokens", self.rng.randint(20, 400))

    def second_tab(self, seen: Seen) -> None:
        """A second tab with the link, which may stop the run."""
        other = self.open_page(self.app.url, same_as=self.page)
        other.expected_problems.append(GONE)
        other.open(run=seen.id)
        expect(other.panel.state).not_to_be_empty()
        if self.rng.random() < 0.3:
            self.stop(seen, other)
        other.page.close()

    def stop(self, seen: Seen, page: PlaygroundPage | None = None) -> None:
        """Stop, where there is still something to stop."""
        page = page or self.page
        if page.stop_button.count() and page.stop_button.is_enabled():
            seen.ended_from = min(seen.ended_from, time.monotonic() - ON_THE_WAY_S)
            page.stop_button.click(force=True)

    def kill(self, seen: Seen) -> None:
        """``kill -9``, a new process with the same data, and the link in a new page."""
        eventually(lambda: self.stored(seen.id), what="the run to be stored")
        link = self.page.query
        seen.ended_from = min(seen.ended_from, time.monotonic() - INTERVAL_S - SAVING_S)
        os.kill(self.app.process.pid, signal.SIGKILL)
        self.app.process.wait()
        self.page.page.close()
        self.app = self.stack.enter_context(running_app(environment=self.environment))
        self.page = self.opened().open(**link)

    def stored(self, run_id: str) -> bool:
        database = Database.of(Path(self.environment["PLAYGROUND_DATA_DIR"]), None)
        try:
            return RunRepository(database).find(run_id) is not None
        finally:
            database.close()


@pytest.mark.takes(40)
def test_random_clicks_reloads_stops_and_kills_lose_and_double_nothing(replay: Replay, open_page: Opener, tmp_path: Path) -> None:
    print(f"SOAK_SEED={SEED} BROWSER_SOAK_RUNS={RUNS}")
    environment = {"ORQ_API_KEY": REPLAY_KEY, "ORQ_BASE_URL": replay.url, "PLAYGROUND_DATA_DIR": str(tmp_path)}
    with ExitStack() as stack:
        person = Person(replay, open_page, environment, stack)
        for _ in range(RUNS):
            person.one()
    database = Database.of(tmp_path, None)
    stored = {run.snapshot.id: run.snapshot for run in RunRepository(database).stream()}
    database.close()
    assert stored.keys() == {seen.id for seen in person.runs}
    for seen in person.runs:
        (call,) = seen.calls
        found = stored[seen.id]
        assert found.status in ENDED, seen
        assert found.status in seen.state.lower(), seen
        assert seen.text == found.text, seen
        due = "".join(piece for sent_at, _, piece in call.sent if sent_at < seen.ended_from)
        assert seen.whole.startswith(found.text), seen
        assert found.text.startswith(due), (seen, due)
        print(found.status, len(found.text), "of", len(seen.whole), ", ".join(seen.did))
