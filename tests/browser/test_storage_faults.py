"""Storage that is full, locked or gone, as somebody at a browser meets it: streams go on, one banner says so, all is written afterwards."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from core.storage.database import FILE_NAME, Database
from core.storage.draft_repository import DraftRepository
from core.storage.run_repository import RunRepository
from tests.browser.conftest import Opener
from tests.conftest import REPLAY_KEY
from tests.support.app_process import running_app
from tests.support.conditions import eventually
from tests.support.playground_page import WITHIN_MS, PlaygroundPage
from tests.support.postgres import postgres_server
from tests.support.replay import Replay, Script
from tests.support.storage_faults import fill, locked, small_disk

LOCKED_S = 60.0
BACK_MS = 45_000
"""A save that failed again and again is tried every 15 s, and the page looks every 5 s."""
NUMBERS = " ".join(map(str, range(1, 321)))
"""Text in which a piece lost or doubled shows."""


def banner(page: PlaygroundPage) -> Locator:
    return page.page.get_by_test_id("stAlert").filter(has_text="are not being saved")


def link(page: PlaygroundPage, name: str) -> None:
    """Go to another page of the playground."""
    page.page.get_by_test_id("stTopNav").get_by_role("link", name=name).click()
    page.idle()


def ran(page: PlaygroundPage, replay: Replay, text: str) -> str:
    """A run that says ``text`` to its end; its id."""
    page.choose_model(replay.add(Script.of(text))).type_prompt("go").run()
    page.panel.wait_for_exact_text(text).wait_until_ended()
    return page.idle().query["run"]


def stored_texts(database: Database, *run_ids: str) -> list[str | None]:
    runs = RunRepository(database)
    return [found.snapshot.text if (found := runs.find(run_id)) and found.snapshot.ended else None for run_id in run_ids]


def on(replay: Replay, data_dir: Path, **more: str) -> Mapping[str, str]:
    """The environment of an app whose upstream is the replay."""
    return {"ORQ_API_KEY": REPLAY_KEY, "ORQ_BASE_URL": replay.url, "PLAYGROUND_DATA_DIR": str(data_dir), **more}


@pytest.mark.takes(14)
def test_full_disk_is_said_while_text_comes_in_and_everything_is_written_when_there_is_room(
    replay: Replay, open_page: Opener, tmp_path: Path
) -> None:
    model = replay.add(Script.of(NUMBERS, hold_after=100))
    with small_disk(tmp_path / "disk", 24) as disk, running_app(environment=on(replay, disk)) as app:
        page = open_page(app.url).open()
        first = ran(page, replay, "before the disk was full")
        page.choose_model(model).type_prompt("count").run()
        page.panel.wait_for_text(" 99")
        with closing(Database.of(disk, None)) as database:
            eventually(lambda: stored_texts(database, first) != [None], what="the first run to be stored")
        filler = fill(disk, disk / FILE_NAME)
        page.idle().panel.mark()
        replay.release(model)  # what comes now cannot be saved
        page.panel.wait_for_exact_text(NUMBERS).wait_until_ended()
        expect(banner(page)).to_contain_text("the disk is full", timeout=BACK_MS)
        assert page.panel.untouched()
        second = page.idle().query["run"]
        third = ran(page, replay, "while the disk was full")
        page.reload().panel.wait_for_exact_text("while the disk was full")
        page.type_prompt("typed while the disk was full").set_field("max_tokens", 33)
        expect(banner(page)).to_have_count(1)
        filler.unlink()
        expect(banner(page)).to_have_count(0, timeout=BACK_MS)
        draft = page.query["draft"]
        with closing(Database.of(disk, None)) as database:
            assert stored_texts(database, first, second, third) == ["before the disk was full", NUMBERS, "while the disk was full"]
            kept = eventually(lambda: DraftRepository(database).find(draft), what="the draft to be stored")
        assert kept["body"]["prompt"] == "typed while the disk was full"
        page.page.close()


@pytest.mark.takes(75)
def test_database_that_another_process_locks_for_a_minute_gets_everything_afterwards(
    replay: Replay, open_page: Opener, tmp_path: Path
) -> None:
    """The stream goes on for as long as the lock is held."""
    model = replay.add(Script.of(NUMBERS, tokens_per_s=len(NUMBERS.split()) / (LOCKED_S + 10)))
    with running_app(environment=on(replay, tmp_path)) as app:
        page, other = open_page(app.url).open(), open_page(app.url).open()
        page.choose_model(model).type_prompt("count").run()
        page.panel.wait_for_text("1 2")
        page.idle().panel.mark()
        with locked(tmp_path / FILE_NAME):
            until = time.monotonic() + LOCKED_S
            expect(banner(page)).to_contain_text("locked by another program", timeout=BACK_MS)  # nobody touched the page
            second = ran(other, replay, "while it was locked")
            expect(banner(other)).to_have_count(1, timeout=BACK_MS)
            third = stopped(other, replay)
            link(other, "History")  # reading goes on: what was stored is listed, what was not is not lost
            expect(other.keyed("history.text")).to_be_visible(timeout=WITHIN_MS)
            other.page.go_back()
            other.ready().panel.wait_for_exact_text("this much")
            page.page.wait_for_timeout(max(until - time.monotonic(), 0.0) * 1_000)
        expect(banner(page)).to_have_count(0, timeout=BACK_MS)
        page.panel.wait_for_exact_text(NUMBERS, within_ms=BACK_MS).wait_until_ended()
        assert page.panel.untouched()
        with closing(Database.of(tmp_path, None)) as database:
            run_ids = (page.query["run"], second, third)
            eventually(lambda: None not in stored_texts(database, *run_ids), what="every run to be stored")
            assert stored_texts(database, *run_ids) == [NUMBERS, "while it was locked", "this much"]
        assert len(replay.calls(model)) == 1


def stopped(page: PlaygroundPage, replay: Replay) -> str:
    """A run that was stopped after two words; its id."""
    model = replay.add(Script.of("this much and no more", hold_after=2))
    page.choose_model(model).type_prompt("go").run()
    page.panel.wait_for_exact_text("this much").root.locator(".panel-stop").click()
    page.panel.wait_for_state("stopped")
    return page.idle().query["run"]


@pytest.mark.takes(20)
def test_postgresql_that_is_restarted_in_the_middle_of_a_stream_gets_all_of_it(replay: Replay, open_page: Opener, tmp_path: Path) -> None:
    model = replay.add(Script.of(NUMBERS, hold_after=100))
    with postgres_server() as server:
        address = server.new_database()
        named = address.set(drivername="postgresql").render_as_string(hide_password=False)
        with running_app(environment=on(replay, tmp_path, DATABASE_URL=named)) as app, closing(Database(address)) as database:
            page = open_page(app.url).open()
            first = ran(page, replay, "before it went")
            page.choose_model(model).type_prompt("count").run()
            page.panel.wait_for_text(" 100")
            second = page.idle().query["run"]
            eventually(lambda: RunRepository(database).count() == 2, what="both runs to be stored")
            server.stop()
            third = ran(other := open_page(app.url).open(), replay, "while it was gone")
            expect(banner(other)).to_contain_text("does not answer", timeout=BACK_MS)
            page.reload().panel.wait_for_text(" 100")
            link(other, "History")
            expect(other.page.get_by_text("The history cannot be read. The PostgreSQL server does not answer.")).to_be_visible(
                timeout=BACK_MS
            )
            server.start()
            expect(banner(other)).to_have_count(0, timeout=BACK_MS)
            replay.release(model)
            page.panel.wait_for_exact_text(NUMBERS).wait_until_ended()
            eventually(lambda: None not in stored_texts(database, first, second, third), what="every run to be stored")
            assert stored_texts(database, first, second, third) == ["before it went", NUMBERS, "while it was gone"]
            link(other, "History")
            expect(other.keyed("history-bar")).to_contain_text("1–3 of 3 runs", timeout=WITHIN_MS)
            assert len(replay.calls(model)) == 1
