"""What survives the end of the process: runs with their text, drafts, and a way to go on."""

from __future__ import annotations

import os
import secrets
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.run import ChoiceText
from core.storage.database import Database
from core.storage.draft_repository import DraftRepository
from core.storage.run_keeper import RunKeeper
from core.storage.run_repository import RunRepository
from tests.browser.conftest import Opener
from tests.conftest import REPLAY_KEY
from tests.core.storage.samples import run
from tests.support.app_process import AppProcess, running_app
from tests.support.conditions import eventually
from tests.support.playground_page import WITHIN_MS
from tests.support.replay import Replay, Script


@pytest.mark.takes(30)
def test_killed_process_leaves_an_interrupted_run_that_goes_on_and_drafts_that_were_not_sent(
    replay: Replay, open_page: Opener, tmp_path: Path
) -> None:
    model = replay.add(Script.of("one two three four", hold_after=3))
    environment = {"ORQ_API_KEY": REPLAY_KEY, "ORQ_BASE_URL": replay.url, "PLAYGROUND_DATA_DIR": str(tmp_path)}
    with running_app(environment=environment) as app:
        page = open_page(app.url)
        page.expected_problems += [
            "ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|WebSocket|Failed to fetch|Failed to load|No response received|not responding"
        ]
        page.open().choose_model(model).type_prompt("count ").set_field("top_p", 0.25).run()
        page.panel.wait_for_exact_text("one two three")
        link = page.idle().query
        unsent = open_page(app.url, same_as=page)
        unsent.expected_problems = page.expected_problems
        unsent.open().type_prompt("not sent yet").set_field("max_tokens", 33).reload()
        expect(unsent.prompt).to_have_value("not sent yet", timeout=WITHIN_MS)
        draft = unsent.query["draft"]
        database = Database.of(tmp_path, None)
        stored = RunRepository(database)
        eventually(lambda: (found := stored.find(link["run"])) and found.snapshot.text == "one two three", what="the text to be stored")
        eventually(lambda: DraftRepository(database).find(draft), what="the draft to be stored")
        database.close()
        os.kill(app.process.pid, signal.SIGKILL)
        app.process.wait()
        page.page.close()
        unsent.page.close()
    with running_app(environment=environment) as app:
        page = open_page(app.url).open(**link)
        page.panel.wait_for_exact_text("one two three").wait_for_state("interrupted")
        expect(page.prompt).to_have_value("count ")
        expect(page.widget("top_p").locator("input").first).to_have_value("0.25")
        replay.add(Script.of("four"), name=model)
        page.keyed("a.continue").locator("button:visible").click()
        page.panel.wait_for_exact_text("four").wait_until_ended()
        expect(page.prompt).to_have_value("count one two three", timeout=WITHIN_MS)
        sent = replay.calls(model)[-1].body
        assert (sent["prompt"], sent["top_p"], sent["max_tokens"]) == ("count one two three", 0.25, 200)
        again = open_page(app.url, same_as=page).open(draft=draft)
        expect(again.prompt).to_have_value("not sent yet", timeout=WITHIN_MS)
        expect(again.widget("max_tokens").locator("input").first).to_have_value("33", timeout=WITHIN_MS)
    assert REPLAY_KEY.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())


def test_run_that_another_process_is_at_is_followed_until_its_end(scripted_playground: AppProcess, open_page: Opener) -> None:
    database = Database.of(scripted_playground.data_dir, None)
    beside, mine = RunKeeper(database), run(status="streaming", text="one two", id=secrets.token_urlsafe(12))
    beside.save([mine])
    page = open_page(scripted_playground.url).open(run=mine.id)
    told = page.keyed("elsewhere-a")
    expect(told).to_contain_text("Another process of the playground is at this run (streaming)", timeout=WITHIN_MS)
    expect(told.locator("code")).to_have_text("one two", timeout=WITHIN_MS)
    expect(page.prompt).to_have_value(str(mine.body["prompt"]))
    beside.save([replace(mine, choices={0: ChoiceText("one two three", None)})])
    expect(told.locator("code")).to_have_text("one two three", timeout=WITHIN_MS)
    beside.save([replace(mine, status="finished", choices={0: ChoiceText("one two three four", "stop")})])
    page.panel.wait_for_exact_text("one two three four").wait_for_state("finished")
    expect(told).to_have_count(0, timeout=WITHIN_MS)
    database.close()


@pytest.mark.takes(11)
def test_banner_says_that_runs_are_not_saved_until_they_are(replay: Replay, open_page: Opener, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "playground.db").mkdir()
    model = replay.add(Script.of("kept all the same"))
    environment = {"ORQ_API_KEY": REPLAY_KEY, "ORQ_BASE_URL": replay.url, "PLAYGROUND_DATA_DIR": str(tmp_path / "data")}
    with running_app(environment=environment) as app:
        page = open_page(app.url).open().choose_model(model).type_prompt("go").run()
        page.panel.wait_for_exact_text("kept all the same").wait_until_ended()
        page.idle()
        banner = page.page.get_by_test_id("stAlert").filter(has_text="are not being saved")
        expect(banner).to_contain_text("cannot be opened", timeout=WITHIN_MS)
        (tmp_path / "data" / "playground.db").rmdir()
        expect(banner).to_have_count(0, timeout=WITHIN_MS)
        database = Database.of(tmp_path / "data", None)
        found = RunRepository(database).find(page.query["run"])
        assert found is not None
        assert found.snapshot.text == "kept all the same"
        database.close()
