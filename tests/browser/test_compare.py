"""The Compare page in a browser: slots that stream beside each other, and what people do meanwhile."""

from __future__ import annotations

import os
import re
import secrets
import signal
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.share.snapshot import SharedComparison
from core.storage.comparison_repository import ComparisonRepository
from core.storage.database import Database
from core.storage.run_repository import RunRepository
from core.storage.share_repository import ShareRepository
from tests.browser.conftest import Opener
from tests.browser.test_history import listed, open_directly, search, tick
from tests.conftest import REPLAY_KEY
from tests.core.storage.samples import body, run
from tests.support.app_process import AppProcess, running_app
from tests.support.conditions import eventually
from tests.support.playground_page import COLD_MS, WITHIN_MS, Panel, PlaygroundPage
from tests.support.replay import Replay, Script

NUMBERS = " ".join(map(str, range(1, 201)))
"""Text in which a piece lost or doubled shows."""

GONE = "ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|WebSocket|Failed to fetch|No response received|not responding"
"""What a browser says of an app that has ended."""


@dataclass
class Compare:
    """The Compare page; ``page`` drives its slot B."""

    page: PlaygroundPage

    def slot(self, letter: str) -> PlaygroundPage:
        self.page.slot = f"compare-{letter}"
        return self.page

    def panel(self, letter: str) -> Panel:
        return Panel(self.page.page, f"compare-{letter}")

    def press(self, key: str) -> Compare:
        self.page.keyed(key).locator("button:visible").first.click()
        self.page.idle()
        return self

    def settings(self, letter: str) -> PlaygroundPage:
        """The slot with its settings open, those for sampling among them."""
        self.press(f"edit-compare-{letter}")
        page = self.slot(letter)
        if not page.widget("temperature").count():
            page.keyed(f"form-compare-{letter}").locator("summary:has-text('Sampling')").click()
            page.widget("temperature").wait_for()
        return page.idle()

    def prompt(self, text: str) -> Compare:
        self.page.keyed("compare.prompt").locator("textarea").fill(text)
        return self

    def models(self, **models: str) -> Compare:
        for letter, model in models.items():
            self.slot(letter).choose_model(model)
        return self

    def more(self, letter: str, action: str) -> Compare:
        return self.press(f"more-compare-{letter}").press(f"{action}-compare-{letter}")

    def chips(self, letter: str) -> list[str]:
        shown = self.page.keyed(f"chips-compare-{letter}").locator("[data-testid=stPopoverButton]:visible")
        return [re.sub(r"\s*expand_more\s*", "", text).strip() for text in shown.all_inner_texts()]

    def wait_for_chips(self, letter: str, *expected: str) -> None:
        """An edit in the settings redraws its group first, and the page after it."""
        eventually(lambda: self.chips(letter) == list(expected), what=f"the chips {expected} at {letter}")


@pytest.fixture
def compare(scripted_playground: AppProcess, open_page: Opener) -> Compare:
    """The page with two slots, on the scripted upstream."""
    page = open_page(scripted_playground.url).open()
    page.expected_problems.append("/compare/_stcore/")  # Streamlit looks for its own addresses beneath a page's, too
    page.page.get_by_role("link", name="Compare").click()
    page.keyed("slot-compare-b").wait_for()
    return Compare(page.idle())


def test_one_press_of_back_goes_to_the_page_before(compare: Compare, replay: Replay) -> None:
    page, link = compare.page, compare.page.query["compare"]
    page.page.get_by_role("link", name="Playground").click()
    page.keyed("a.prompt").wait_for()
    page.idle().choose_model(replay.add(Script.of("said"))).type_prompt("go").run().panel.wait_until_ended()
    assert "run" in page.idle().query  # which is no place of its own
    page.page.go_back()
    page.keyed("slot-compare-b").wait_for(timeout=COLD_MS)
    assert page.idle().query == {"compare": link}
    page.page.go_back()
    page.keyed("a.prompt").wait_for(timeout=COLD_MS)
    assert {"draft", "run"} >= set(page.idle().query) >= {"draft"}


def test_two_slots_stream_at_once_while_widgets_are_clicked(compare: Compare, replay: Replay) -> None:
    first, second = (replay.add(Script.of("one two three four", hold_after=2)) for _ in range(2))
    compare.prompt("go").models(a=first, b=second).page.run()
    for letter in "ab":
        compare.panel(letter).wait_for_exact_text("one two").wait_for_state("streaming")
    compare.page.idle()
    compare.panel("a").mark()
    compare.panel("b").mark()
    compare.settings("b").set_field("temperature", 0.9)
    compare.press("edit-compare-b")
    assert compare.panel("a").untouched()
    assert compare.panel("b").untouched()
    replay.release(first)
    compare.panel("a").wait_for_exact_text("one two three four").wait_until_ended()
    compare.panel("b").wait_for_exact_text("one two")
    replay.release(second)
    compare.panel("b").wait_for_exact_text("one two three four").wait_until_ended()
    assert (len(replay.calls(first)), len(replay.calls(second))) == (1, 1)


def test_eight_slots_stream_on_one_event_stream_and_each_shows_its_own_text(compare: Compare, replay: Replay) -> None:
    opened: list[str] = []
    compare.page.page.on("request", lambda request: opened.append(request.url) if "/events" in request.url else None)
    model = replay.add(Script.of(NUMBERS, tokens_per_s=100))
    compare.prompt("count").models(a=model, b=model)
    for _ in range(6):
        compare.press("compare.add")
    compare.page.run()
    for letter in "abcdefgh":
        compare.panel(letter).wait_for_exact_text(NUMBERS).wait_until_ended()
    assert len(replay.calls(model)) == 8
    assert len(opened) <= 1, "the page's one stream was open before"
    expect(compare.page.keyed("compare-figures").locator("tbody tr")).to_have_count(8, timeout=WITHIN_MS)


@pytest.mark.takes(14)
def test_eight_slots_go_on_through_clicks_a_stop_a_failure_and_a_reload(compare: Compare, replay: Replay) -> None:
    good, stopped = replay.add(Script.of(NUMBERS, hold_after=50)), replay.add(Script.of("uno dos tres", hold_after=1))
    refusing = replay.add(Script.refusal(503, "service_unavailable", "not now"))
    compare.prompt("count").models(a=good, b=good)
    for _ in range(6):
        compare.press("compare.add")
    compare.models(g=stopped, h=refusing).page.run()
    streaming = "abcdef"
    for letter in streaming:
        compare.panel(letter).wait_for_text(" 50").wait_for_state("streaming")
    compare.panel("h").wait_for_state("503")
    compare.panel("g").wait_for_exact_text("uno")
    compare.page.idle()
    for letter in streaming:
        compare.panel(letter).mark()
    compare.press("more-compare-b").settings("c").set_field("temperature", 0.9)
    compare.press("edit-compare-c").press("stop-compare-g").panel("g").wait_for_state("stopped").wait_for_exact_text("uno")
    compare.wait_for_chips("c", "temperature not sent → 0.9")
    assert all(compare.panel(letter).untouched() for letter in streaming), "no click redraws a panel"
    compare.page.idle().reload()
    for letter in streaming:
        compare.panel(letter).wait_for_exact_text(" ".join(map(str, range(1, 51))))
    compare.panel("h").wait_for_state("503")
    compare.panel("g").wait_for_state("stopped").wait_for_exact_text("uno")
    expect(compare.page.keyed("compare.prompt").locator("textarea")).to_have_value("count")
    compare.wait_for_chips("c", "temperature not sent → 0.9")
    compare.wait_for_chips("h", f"model {good} → {refusing}")
    replay.release(good)
    for letter in streaming:
        compare.panel(letter).wait_for_exact_text(NUMBERS).wait_until_ended().wait_for_state("finished")
    expect(compare.page.keyed("run").locator("button:visible").first).to_be_enabled(timeout=WITHIN_MS)
    assert [len(replay.calls(model)) for model in (good, stopped, refusing)] == [6, 1, 1], "nothing was sent twice"


def test_chips_are_right_after_an_edit_a_duplicate_and_a_move(compare: Compare) -> None:
    compare.settings("b").set_field("temperature", 0.9)
    compare.wait_for_chips("b", "temperature not sent → 0.9")
    compare.more("b", "duplicate")
    compare.wait_for_chips("c", "temperature not sent → 0.9")
    compare.more("b", "left")
    compare.wait_for_chips("b", "temperature sent → not sent")
    compare.wait_for_chips("c")


def test_difference_is_edited_where_it_is_shown(compare: Compare) -> None:
    compare.settings("b").set_field("temperature", 0.9)
    compare.press("edit-compare-b").press("chip-compare-b.temperature")
    compare.page.set_field("temperature", 1.5)
    compare.wait_for_chips("b", "temperature not sent → 1.5")


def test_repeats_are_counted_and_can_be_turned_through(compare: Compare, replay: Replay) -> None:
    model = replay.add(Script.of("always the same"))
    compare.prompt("go").models(a=model, b=model)
    box = compare.page.keyed("compare.repeats").locator("input")
    box.fill("4")
    box.press("Tab")
    compare.page.idle().run()
    expect(compare.page.keyed("compare-noise")).to_contain_text("No difference between B and A", timeout=WITHIN_MS)
    expect(compare.page.keyed("repeats-compare-b")).to_contain_text("4 of 4")
    compare.press("chevron_left-compare-b")
    expect(compare.page.keyed("repeats-compare-b")).to_contain_text("3 of 4")
    compare.panel("b").wait_for_exact_text("always the same")
    assert len(replay.calls(model)) == 8


@pytest.mark.takes(17)
def test_comparison_is_exported_and_after_a_kill_reopened_from_the_history_as_it_was(
    replay: Replay, open_page: Opener, tmp_path: Path
) -> None:
    models = [replay.add(Script.of(text)) for text in ("one answer", "another answer")]
    environment = {"ORQ_API_KEY": REPLAY_KEY, "ORQ_BASE_URL": replay.url, "PLAYGROUND_DATA_DIR": str(tmp_path)}
    with running_app(environment=environment) as app:
        page = opened_compare(open_page(app.url), app.url)
        compare = Compare(page).prompt("go").models(a=models[0], b=models[1])
        compare.more("b", "duplicate").settings("c").set_field("temperature", 0.9)
        compare.press("edit-compare-c")
        page.run()
        for letter in "abc":
            compare.panel(letter).wait_until_ended()
        box = page.keyed("compare.name").locator("input")
        box.fill("Warm or cold")
        box.press("Enter")
        page.idle()
        compare.press("compare.export")
        with page.page.expect_download() as download:
            page.keyed("compare.export.md").locator("button").click()
        said = Path(download.value.path()).read_text(encoding="utf-8")
        assert download.value.suggested_filename == "comparison-warm-or-cold.md"
        assert all(part in said for part in ("# Warm or cold", "one answer", "another answer", "temperature not sent → 0.9"))
        assert REPLAY_KEY not in said
        link = page.query["compare"]
        eventually(lambda: stored_name(tmp_path) == "Warm or cold", what="the name in storage")
        os.kill(app.process.pid, signal.SIGKILL)
        app.process.wait()
        page.page.close()
    with running_app(environment=environment) as app:
        page = open_page(app.url)
        page.page.goto(f"{app.url}/history")
        page.expected_problems.append(f"/history/_stcore/|{GONE}")
        page.page.get_by_role("tab", name="Comparisons").click(timeout=COLD_MS)
        page.keyed("comparisons-bar").wait_for()
        tick(page.idle(), 0, table="comparisons")
        marks = Compare(page).press("comparisons.marks").page.page.get_by_label("Name", exact=True)
        marks.fill("Warm, or cold")
        marks.press("Enter")
        eventually(lambda: stored_name(tmp_path) == "Warm, or cold", what="the new name in storage")
        page.page.keyboard.press("Escape")
        page.idle()
        Compare(page).press("comparisons.delete")
        page.page.get_by_text("1 comparison deleted. The runs are still there.").wait_for()
        assert stored_name(tmp_path) == ""
        Compare(page).press("comparisons.undo")
        page.keyed("comparisons-bar").get_by_text("1–1 of 1 comparison").wait_for()
        tick(page, 0, table="comparisons")
        shared = shared_from_the_list(page, tmp_path)
        assert [slot.name for slot in shared.slots] == ["", "", ""]
        assert [run.choices[0].text for slot in shared.slots for run in slot.runs] == ["one answer", "another answer", "another answer"]
        page.keyed("comparisons.open").locator("button:visible").first.click()
        page.keyed("slot-compare-c").wait_for()
        compare = Compare(page.idle())
        assert page.query["compare"] == link
        expect(page.keyed("compare.name").locator("input")).to_have_value("Warm, or cold")
        compare.panel("a").wait_for_exact_text("one answer")
        compare.panel("c").wait_for_exact_text("another answer")
        compare.wait_for_chips("c", f"model {models[0]} → {models[1]}", "temperature not sent → 0.9")
        expect(page.keyed("compare-figures").locator("tbody tr")).to_have_count(3, timeout=WITHIN_MS)


def shared_from_the_list(page: PlaygroundPage, folder: Path) -> SharedComparison:
    """Share the ticked comparison of the History; what is behind the link that the sheet shows."""
    page.keyed("comparisons.share").locator("button:visible").first.click()
    sheet = page.page.get_by_role("dialog")
    expect(sheet).to_contain_text("Warm, or cold", timeout=WITHIN_MS)
    page.idle().keyed("share.make").locator("button:visible").first.click()
    code = sheet.locator("[data-testid=stCode]").filter(has_text="/share?s=").first
    expect(code).to_be_visible(timeout=WITHIN_MS)
    link = (code.text_content() or "").strip()
    page.page.keyboard.press("Escape")
    sheet.wait_for(state="hidden")
    page.idle()
    with closing(Database.of(folder, None)) as database:
        content = ShareRepository(database).read(link.rpartition("=")[2]).content
    assert isinstance(content, SharedComparison)
    assert content.name == "Warm, or cold"
    return content


def opened_compare(page: PlaygroundPage, url: str) -> PlaygroundPage:
    """The Compare page by its address, two slots drawn."""
    page.page.goto(f"{url}/compare")
    page.expected_problems.append(f"/compare/_stcore/|{GONE}")
    page.keyed("slot-compare-b").wait_for(timeout=COLD_MS)
    return page.idle()


def stored_name(folder: Path) -> str:
    """The name of the one comparison that is stored there."""
    with closing(Database.of(folder, None)) as database:
        rows, _ = ComparisonRepository(database).page()
    return rows[0].name if rows else ""


def test_runs_ticked_in_the_history_open_beside_each_other(playground: AppProcess, open_page: Opener) -> None:
    word = f"tapir{secrets.token_hex(4)}"
    texts = {1: "one answer", 2: "another answer"}
    with closing(Database.of(playground.data_dir, None)) as database:
        sent = {seed: body(prompt=f"{word} one", seed=seed) for seed in texts}
        RunRepository(database).save([run(id=f"{word}-{seed}", asked=sent[seed], text=text) for seed, text in texts.items()])
    page = open_directly(open_page(playground.url))
    search(page, word)
    listed(page, 2)
    for row in (0, 1):
        tick(page, row)
    page.keyed("history.compare").locator("button:visible").click()
    compare = Compare(page)
    found = [compare.panel(letter).wait_until_ended().output().text_content() for letter in "ab"]
    assert sorted(found) == sorted(texts.values())
    first, second = (seed for text in found for seed in texts if texts[seed] == text)
    compare.wait_for_chips("b", f"seed {first} → {second}")
    expect(page.keyed("compare.prompt").locator("textarea")).to_have_value(f"{word} one")
    expect(page.keyed("compare-answer")).to_contain_text("diverges at character")


def test_page_is_never_wider_than_the_window(compare: Compare) -> None:
    page = compare.press("compare.add").page
    for width, rows in ((1400, 1), (800, 2), (400, 1)):  # three beside each other, two on a small screen, one row to push on a phone
        page.page.set_viewport_size({"width": width, "height": 900})
        page.idle()
        boxes = [page.keyed(f"slot-compare-{letter}").bounding_box() for letter in "abc"]
        assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert page.page.get_by_test_id("stMain").evaluate("main => main.scrollWidth <= main.clientWidth"), width
        assert len({round(box["y"]) for box in boxes if box}) == rows, width
        assert compare.panel("a").root.is_visible()
        bar = page.page.get_by_test_id("stBottom").bounding_box()
        assert bar is not None
        assert bar["height"] < (260 if width == 400 else 100), "the bar at the bottom is one line, on a phone a few"


def test_settings_stay_in_sight_whichever_rows_slot_they_are_of(compare: Compare) -> None:
    page = compare.page
    for _ in range(4):
        compare.press("compare.add")
    compare.press("edit-compare-f")
    expect(page.page.get_by_text("Settings of F")).to_be_in_viewport(timeout=WITHIN_MS)
    page.page.mouse.move(300, 500)
    page.page.mouse.wheel(0, -20_000)
    expect(page.keyed("compare.name")).to_be_in_viewport(timeout=WITHIN_MS)
    expect(page.page.get_by_text("Settings of F")).to_be_in_viewport(timeout=WITHIN_MS)
