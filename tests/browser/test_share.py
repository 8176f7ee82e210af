"""Sharing in a browser: from the sheet to a stranger's browser and back into use; and that whatever is shared stays text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from core.comparison.board import Board, BoardSlot
from core.outgoing import draft_of
from core.prices.pricing import PriceList
from core.run import ChoiceText, RunError
from core.share.freezing import freeze
from core.share.subject import comparison_subject, preset_subject, run_subject
from core.storage.database import Database
from core.storage.run_query import RunFilter
from core.storage.run_repository import RunRepository
from core.storage.share_repository import ShareRepository
from tests.browser.conftest import Opener
from tests.browser.test_history import listed, open_directly, search, tick
from tests.conftest import REPLAY_KEY
from tests.core.storage.samples import run
from tests.support.app_process import AppProcess
from tests.support.conditions import eventually
from tests.support.playground_page import COLD_MS, WITHIN_MS, PlaygroundPage
from tests.support.replay import Replay, Script

SECRET = "canary prompt about seven purple herons"
USER = "canary-user-71"
EVIL = "evil.invalid"
HOSTILE = (
    f'<img src="http://{EVIL}/a.png" onerror="window.owned=1"><script>window.owned=1</script><svg onload="window.owned=1"></svg>'
    f"</code></pre></div><b id=owned>bold</b> ![i](http://{EVIL}/b.png) [l](javascript:window.owned=1) <http://{EVIL}/c> **b** $x^2$ "
    "| a | b | :red[x] :material/home: \u202e\u2066rtl\u2069 \x1b[31mansi\x1b[0m \x00\x07\x7f `code` ``` # h\n# heading\n- list\n"
    "&lt;img src=x onerror=window.owned=1&gt; {{constructor.constructor('window.owned=1')()}}"
)


@pytest.fixture
def shares(scripted_playground: AppProcess) -> Iterator[ShareRepository]:
    """What was shared from the app, beside it."""
    with closing(Database.of(scripted_playground.data_dir, None)) as database:
        yield ShareRepository(database)


def press(page: PlaygroundPage, key: str) -> None:
    page.keyed(key).locator("button:visible").first.click()


def look(page: PlaygroundPage, link: str) -> PlaygroundPage:
    """Open a link, as a mail program does."""
    page.expected_problems.append("/share/_stcore/")
    page.page.goto(link)
    page.keyed("share-actions").wait_for(timeout=COLD_MS)
    return page.idle()


@pytest.mark.takes(12)
def test_run_shared_with_two_things_switched_off_is_opened_by_a_stranger_forked_and_run(
    scripted: PlaygroundPage, scripted_playground: AppProcess, open_page: Opener, replay: Replay
):
    model = replay.add(Script.of(f"Once {USER} said {REPLAY_KEY}: {SECRET}. And the cranes flew on."))
    scripted.open_group("Identity and trace").set_field("user", USER)
    scripted.choose_model(model).type_prompt(SECRET).run()
    scripted.panel.wait_until_ended()
    run_id = scripted.idle().query["run"]
    press(scripted, "share.open")
    items = scripted.keyed("share-items")
    expect(items).to_contain_text(SECRET, timeout=WITHIN_MS)
    expect(scripted.keyed("share.item.identity").get_by_role("switch")).not_to_be_checked()
    scripted.keyed("share.item.prompt").locator("label").first.click()
    expect(scripted.keyed("share.item.prompt").get_by_role("switch")).not_to_be_checked()
    press(scripted.idle(), "share.make")
    code = scripted.page.get_by_role("dialog").locator("[data-testid=stCode]").filter(has_text="/share?s=").first
    expect(code).to_be_visible(timeout=WITHIN_MS)
    link = (code.text_content() or "").strip()
    assert link.startswith(f"{scripted_playground.url}/share?s=")
    with closing(Database.of(scripted_playground.data_dir, None)) as database:
        runs = RunRepository(database)
        eventually(lambda: (found := runs.find(run_id)) and found.snapshot.ended, what="the run to be stored")
        runs.delete(RunFilter(ids=(run_id,)))

    received: list[str] = []
    guest = open_page(scripted_playground.url, fresh=True)
    guest.page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(repr(data))))
    guest.page.on("response", lambda response: received.append(response.url))
    look(guest, link)
    expect(guest.keyed("share-run")).to_contain_text("And the cranes flew on.", timeout=WITHIN_MS)
    expect(guest.page.get_by_text("Left out by whoever shared it: Prompt, Identity and user, Base URL")).to_be_visible()
    seen = guest.page.content() + "".join(received) + link
    assert "cranes flew on" in "".join(received)
    assert not [secret for secret in (SECRET, USER, REPLAY_KEY, run_id, "purple herons") if secret in seen]
    assert len(replay.calls(model)) == 1
    press(guest, "share.fork")
    guest.keyed("preset-detail").wait_for(timeout=COLD_MS)
    press(guest.idle(), "preset.open")
    guest.ready().type_prompt("Something else").run()
    guest.panel.wait_for_text("And the cranes flew on.")
    assert replay.calls(model)[1].body == {"model": model, "prompt": "Something else", "max_tokens": 200, "stream": True}

    scripted.page.goto(f"{scripted_playground.url}/share")
    scripted.expected_problems.append("/share/_stcore/")
    row = scripted.keyed(f"share-row-{link.rpartition('=')[2]}")
    expect(row).to_contain_text("1 visit", timeout=COLD_MS)
    row.get_by_role("button", name="Take back").click()
    expect(row).to_contain_text("revoked", timeout=WITHIN_MS)
    guest.page.goto(link)
    expect(guest.keyed("share-problem")).to_contain_text("took it back", timeout=COLD_MS)


@pytest.mark.takes(12)
def test_hostile_names_prompts_and_outputs_stay_text_on_every_page(
    scripted_playground: AppProcess, open_page: Opener, replay: Replay, shares: ShareRepository
):
    big = HOSTILE + ("A megabyte of <i>text</i>. " * 40_000)
    asked = {"model": f"hostile/{HOSTILE}", "prompt": f"{HOSTILE} okapi", "name": HOSTILE, "stop": [HOSTILE[:40]], "extra<b>": HOSTILE}
    error = RunError("router_rejected", HOSTILE, HOSTILE, status=400, code=HOSTILE)
    told = {"status": "failed", "error": error, "system_fingerprint": HOSTILE, "created_at": datetime.now(UTC)}
    hostile = run(asked=asked, text=big, model=HOSTILE, **told)
    again = run(asked=asked | {"seed": 1}, choices={0: ChoiceText(HOSTILE, HOSTILE), 1: ChoiceText(HOSTILE, "stop")}, model=HOSTILE)
    board = Board(tuple(BoardSlot(draft_of(one.body), f"{HOSTILE[:20]}<b>") for one in (hostile, again)), prompt=asked["prompt"])
    comparison = comparison_subject(board, [[hostile], [again]], PriceList(), name=HOSTILE)
    preset = preset_subject(draft_of(asked), name=HOSTILE, description=HOSTILE, tags=(HOSTILE[:50],))
    snapshots = [freeze(subject) for subject in (run_subject(hostile), comparison, preset)]
    links = [f"{scripted_playground.url}/share?s={shares.add(snapshot, HOSTILE).id}" for snapshot in snapshots]
    with closing(Database.of(scripted_playground.data_dir, None)) as database:
        RunRepository(database).save([hostile])
    replay.add(Script.of(HOSTILE), name=asked["model"])

    page = open_page(scripted_playground.url, fresh=True)
    asked_for: list[str] = []
    page.page.on("request", lambda request: asked_for.append(request.url))
    page.page.on("dialog", lambda dialog: asked_for.append(f"http://{EVIL}/dialog/{dialog.message}"))
    for link in links:
        look(page, link)
        expect(page.page.get_by_text("window.owned=1").first).to_be_attached(timeout=WITHIN_MS)
        is_text(page.page)
    page.page.set_viewport_size({"width": 400, "height": 800})
    page.idle()
    is_text(page.page)
    page.page.set_viewport_size({"width": 1360, "height": 900})
    press(page, "share.fork")
    page.keyed("preset-detail").wait_for(timeout=COLD_MS)
    is_text(page.idle().page)
    look(page, links[2])
    press(page, "share.playground")
    page.ready().run()
    page.panel.wait_until_ended()
    is_text(page.idle().page)
    press(page, "share.open")
    expect(page.keyed("share-items")).to_be_visible(timeout=WITHIN_MS)
    is_text(page.idle().page)
    look(page, links[1])
    press(page, "share.compare")
    page.ready()
    is_text(page.page)
    page.expected_problems.append("/share/_stcore/")
    page.page.goto(f"{scripted_playground.url}/share")
    page.keyed("share-list").wait_for(timeout=COLD_MS)
    is_text(page.idle().page)
    open_directly(page)
    search(page, "okapi megabyte")
    listed(page, 1)
    tick(page, 0)
    page.keyed("history-run").wait_for(timeout=WITHIN_MS)
    is_text(page.idle().page)
    assert not [address for address in asked_for if EVIL in address.split("/share?")[0]]


def is_text(page: Page) -> None:
    """Nothing was run, no element came out of a text, no image was asked for, and the page is no wider than it was."""
    found = page.evaluate(
        """() => {
          const all = [...document.querySelectorAll('*')];
          const main = document.querySelector('[data-testid=stMain]');
          return {
            owned: window.owned ?? null,
            elements: all.filter((one) => one.id === 'owned' || one.getAttribute('onerror') || one.getAttribute('onload')
              || ['src', 'href'].some((name) => /^javascript:|evil[.]invalid/.test(one.getAttribute(name) || ''))
            ).map((one) => one.outerHTML.slice(0, 200)),
            katex: document.querySelectorAll('.katex').length,
            headings: all.filter((one) => /^H[1-6]$/.test(one.tagName) && one.textContent.trim() === 'heading').length,
            wider: main.scrollWidth - main.clientWidth,
            overridden: getComputedStyle(document.body).direction,
          };
        }"""
    )
    assert found == {"owned": None, "elements": [], "katex": 0, "headings": 0, "wider": 0, "overridden": "ltr"}, (page.url, found)
