"""Hostile names, prompts, values and outputs stay text in comparisons, votes, sweeps, code and imports."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from core.comparison.board import Board, BoardSlot
from core.comparison.record import Comparison
from core.outgoing import draft_of
from core.storage.comparison_repository import ComparisonRepository
from core.storage.database import Database
from tests.browser.conftest import Opener
from tests.browser.test_compare import Compare
from tests.browser.test_history import tick
from tests.browser.test_share import EVIL, HOSTILE, is_text
from tests.browser.test_sweep import pressed
from tests.support.app_process import AppProcess
from tests.support.conditions import eventually
from tests.support.playground_page import COLD_MS, WITHIN_MS, PlaygroundPage
from tests.support.replay import Replay, Script

MODEL = f"hostile/comparison {HOSTILE}"
BIG = HOSTILE + "A megabyte of <i>text</i>. " * 40_000
LINK = "hostile-comparison"


def stored(app: AppProcess) -> None:
    """A comparison whose every text is hostile, as another tab or a program may have left it."""
    asked = {"model": MODEL, "prompt": HOSTILE, "stop": [HOSTILE[:40]], "user": HOSTILE, "extra<b>": HOSTILE, "max_tokens": 5}
    slots = (BoardSlot(draft_of(asked), HOSTILE[:40]), BoardSlot(draft_of({**asked, "user": HOSTILE[::-1]}), f"{HOSTILE[:20]}<b>"))
    now = datetime.now(UTC)
    made = Comparison(LINK, Board(slots, HOSTILE), now, now, HOSTILE[:200], note=HOSTILE, tags=(HOSTILE[:50],), stored=True)
    with closing(Database.of(app.data_dir, None)) as database:
        ComparisonRepository(database).save([made])


def watched(page: PlaygroundPage) -> list[str]:
    """What the page asks for from now on, and the dialogs it opens."""
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url))
    page.page.on("dialog", lambda dialog: asked.append(f"http://{EVIL}/dialog/{dialog.message}"))
    return asked


@pytest.mark.takes(20)
def test_hostile_comparison_stays_text_in_the_list_the_slots_the_code_the_vote_and_the_sweep(
    scripted_playground: AppProcess, open_page: Opener, replay: Replay
) -> None:
    stored(scripted_playground)
    replay.add(Script.of(HOSTILE), name=MODEL)
    page = open_page(scripted_playground.url)
    asked = watched(page)
    page.expected_problems += ["/history/_stcore/", "/compare/_stcore/"]
    page.page.goto(f"{scripted_playground.url}/history")
    page.page.get_by_role("tab", name="Comparisons").click(timeout=COLD_MS)
    page.keyed("comparisons-bar").wait_for()
    page.keyed("comparisons.text").locator("input").fill("constructor")
    page.keyed("comparisons.text").locator("input").press("Enter")
    page.keyed("comparisons-bar").get_by_text("1–1 of 1 comparison").wait_for()
    tick(page.idle(), 0, table="comparisons")
    compare = Compare(page)
    is_text(page.page)
    compare.press("comparisons.share")
    expect(page.keyed("share-items")).to_contain_text("window.owned=1", timeout=WITHIN_MS)
    is_text(page.page)
    page.page.keyboard.press("Escape")
    compare.press("comparisons.marks")
    is_text(page.page)
    page.page.keyboard.press("Escape")
    page.idle()
    compare.press("comparisons.open")
    page.keyed("slot-compare-b").wait_for(timeout=WITHIN_MS)
    page.idle().run()
    for letter in "ab":
        compare.panel(letter).wait_until_ended()
    is_text(page.idle().page)

    compare.more("b", "code-open")
    expect(page.page.get_by_role("dialog").locator("code")).to_contain_text("window.owned=1", timeout=WITHIN_MS)
    is_text(page.page)
    page.page.keyboard.press("Escape")
    page.idle()

    compare.press("compare.checks").press("compare.vote").press("blind.run")
    expect(page.keyed("blind-answer-1").locator("code")).to_contain_text("window.owned=1", timeout=WITHIN_MS)
    is_text(page.page)
    compare.press("blind.pick.1").press("blind.reveal")
    expect(page.keyed("blind-revealed")).to_contain_text("window.owned=1", timeout=WITHIN_MS)
    is_text(page.page)
    compare.press("blind.leave")
    expect(page.keyed("compare-votes")).to_contain_text("was picked", timeout=WITHIN_MS)
    is_text(page.idle().page)

    compare.press("compare.sweep")
    is_text(page.page)
    page.keyed("sweep.file_box").locator("summary").click()
    rows = io.StringIO()
    csv.writer(rows).writerows([["prompt"], [HOSTILE.replace("\x00", "")], [BIG.replace("\x00", "")]])
    page.keyed("sweep.file").locator("input[type=file]").set_input_files(
        {"name": f"{HOSTILE[:20].replace('/', '')}.csv", "mimeType": "text/csv", "buffer": rows.getvalue().encode()}
    )
    page.keyed("sweep-rows").wait_for(timeout=WITHIN_MS)
    is_text(page.idle().page)
    compare.press("sweep.start")
    expect(page.page.get_by_text("finished", exact=True)).to_be_visible(timeout=WITHIN_MS)
    page.idle()
    eventually(lambda: pressed(page), what="the cell's panel")
    page.keyed("sweep.figures").locator("summary").click()
    page.keyed("sweep-files").wait_for(timeout=WITHIN_MS)
    is_text(page.idle().page)
    assert not [address for address in asked if EVIL in address.split("/share?")[0]]


def test_hostile_call_stays_text_in_the_report_of_an_import_and_in_the_code_of_it(local: PlaygroundPage) -> None:
    asked = watched(local)
    call = {"model": HOSTILE, "prompt": BIG, f"<b>{HOSTILE[:60]}": HOSTILE, "temperature": HOSTILE, "stop": [HOSTILE[:60]] * 9}
    local.keyed("import-a-open").locator("button:visible").click()
    local.keyed("import-file-a").locator("input[type=file]").set_input_files(
        {"name": "call.json", "mimeType": "application/json", "buffer": json.dumps(call).encode()}
    )
    local.keyed("import-report").wait_for(timeout=WITHIN_MS)
    expect(local.keyed("import-report")).to_contain_text("window.owned=1")
    is_text(local.idle().page)
    local.keyed("import-apply-a").locator("button:visible").click()
    local.keyed("imported-a").wait_for(timeout=WITHIN_MS)
    local.idle()
    local.keyed("code-a").locator("button").first.click()
    expect(local.page.get_by_test_id("stPopoverBody").locator("code")).to_contain_text("window.owned=1", timeout=WITHIN_MS)
    is_text(local.idle().page)
    assert not [address for address in asked if EVIL in address]
