"""Stop, in its three ways: the upstream call ends, what arrived stays, and it is marked as stopped."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.support.conditions import eventually
from tests.support.playground_page import WITHIN_MS, PlaygroundPage
from tests.support.replay import Replay, Script

WAYS: dict[str, Callable[[PlaygroundPage], object]] = {
    "button": lambda page: page.stop(),
    "escape": lambda page: page.page.keyboard.press("Escape"),
    "escape in the prompt": lambda page: page.prompt.press("Escape"),
    "panel": lambda page: page.panel.root.locator(".panel-stop").click(),
}


def test_stop_ends_the_call_and_keeps_what_arrived(scripted: PlaygroundPage, replay: Replay) -> None:
    for number, (way, stop) in enumerate(WAYS.items()):
        model = replay.add(Script.of(f"answer {number} and no more", hold_after=2))
        scripted.choose_model(model).type_prompt("go").run()
        scripted.panel.wait_for_exact_text(f"answer {number}")
        scripted.idle()
        expect(scripted.stop_button).to_be_enabled()
        stop(scripted)
        scripted.panel.wait_for_state("stopped").wait_for_exact_text(f"answer {number}")
        assert eventually(lambda asked=model: replay.call(asked).ended, what=f"the call to end by {way}") == "client_left"
        scripted.idle()
        expect(scripted.run_button).to_be_enabled()
        expect(scripted.stop_button).to_be_disabled()


def test_stopped_run_is_still_stopped_after_a_reload(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of("this much and no more", hold_after=2))
    scripted.choose_model(model).type_prompt("go").run()
    scripted.panel.wait_for_exact_text("this much")
    scripted.idle().stop()
    scripted.panel.wait_for_state("stopped")
    scripted.idle().reload()
    scripted.panel.wait_for_exact_text("this much").wait_for_state("stopped")


def test_run_can_be_stopped_before_its_first_token(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of("never said", hold_after=0))
    scripted.choose_model(model).type_prompt("go").run()
    scripted.panel.wait_for_state("waiting")
    replay.call(model)
    scripted.idle().stop()
    scripted.panel.wait_for_state("stopped")
    assert scripted.panel.output().count() == 0 or "never" not in scripted.panel.text()


def test_two_tabs_stop_one_run_once_and_both_show_it(scripted: PlaygroundPage, replay: Replay, open_page: Opener) -> None:
    model = replay.add(Script.of("this much and no more", hold_after=2))
    scripted.choose_model(model).type_prompt("go").run()
    scripted.panel.wait_for_exact_text("this much")
    tabs = [scripted, open_page(scripted.base_url, same_as=scripted).open(**scripted.idle().query)]
    tabs[1].panel.wait_for_exact_text("this much")
    for tab in tabs:  # as two hands do, neither waiting for what the other's click does
        tab.panel.root.locator(".panel-stop").dispatch_event("click")
    for tab in tabs:
        tab.panel.wait_for_state("stopped").wait_for_exact_text("this much")
        expect(tab.run_button).to_be_enabled(timeout=WITHIN_MS)
        expect(tab.panel.state).not_to_contain_text("not stopped")
    assert eventually(lambda: replay.call(model).ended) == "client_left"
    assert len(replay.calls(model)) == 1


def test_stopped_run_goes_on_from_its_text(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of("this much and no more", hold_after=2))
    scripted.choose_model(model).type_prompt("go ").run()
    scripted.panel.wait_for_exact_text("this much")
    scripted.idle().stop()
    scripted.panel.wait_for_state("stopped")
    replay.add(Script.of(" and the rest"), name=model)
    scripted.keyed("a.continue").locator("button:visible").click()
    scripted.panel.wait_for_exact_text(" and the rest").wait_until_ended()
    assert replay.call(model).body["prompt"] == "go this much"
