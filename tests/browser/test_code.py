"""Out as code and in again: what was set is run as a program, and the program's call fills a fresh session's draft."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from core.snippets import language
from tests.browser.conftest import Opener
from tests.conftest import REPLAY_KEY
from tests.core.snippets.running import run
from tests.support.app_process import AppProcess
from tests.support.playground_page import PlaygroundPage
from tests.support.replay import Replay, Script


def on_the_wire(page: PlaygroundPage) -> str:
    page.keyed(f"wire-{page.slot}").locator("button").first.click()
    exact = page.page.get_by_test_id("stPopoverBody").get_by_role("tab", name="Exact bytes")
    exact.click()
    text = page.page.get_by_test_id("stPopoverBody").locator("[role=tabpanel]:visible code").inner_text()
    page.page.keyboard.press("Escape")
    return text


def test_what_was_set_runs_as_a_program_and_comes_back_from_it(
    scripted_playground: AppProcess, replay: Replay, scripted: PlaygroundPage, open_page: Opener
) -> None:
    model = replay.add(Script.of("one two"))
    prompt = 'It\'s "a" test of $HOME\nand of `two` lines \\ 👩‍👩‍👧'
    scripted.choose_model(model).type_prompt(prompt).idle()
    scripted.set_field("temperature", 0.25).set_field("seed", 7)
    scripted.keyed("code-a").locator("button").first.click()
    code = scripted.page.get_by_test_id("stPopoverBody").locator("code").inner_text()
    assert REPLAY_KEY not in code
    scripted.page.keyboard.press("Escape")
    run(language("curl"), code.replace("\xa0", " "))
    assert replay.call(model).body == {"model": model, "prompt": prompt, "temperature": 0.25, "seed": 7, "max_tokens": 200, "stream": True}

    fresh = open_page(scripted_playground.url).open()
    fresh.choose_model(model).type_prompt("before").idle()
    fresh.keyed("import-a-open").locator("button:visible").click()
    fresh.keyed("import-text-a").locator("textarea").fill(code)
    fresh.keyed("import-text-a").locator("textarea").press("Control+Enter")
    # Ctrl+Enter reads what was pasted and runs nothing, though it is Run's shortcut on the page below.
    expect(fresh.keyed("import-report")).to_contain_text(re.compile("temperature.*understood"))
    expect(fresh.keyed("import-a")).to_contain_text("Removed: the header Authorization")
    assert len(replay.calls(model)) == 1
    expect(fresh.page.get_by_text("Nothing was sent")).to_have_count(0)
    fresh.keyed("import-apply-a").locator("button:visible").click()
    expect(fresh.prompt).to_have_value(prompt)
    fresh.idle()
    assert on_the_wire(fresh) == on_the_wire(scripted)
    fresh.keyed("import-undo-a").locator("button:visible").click()
    expect(fresh.prompt).to_have_value("before")
