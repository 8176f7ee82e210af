"""What people do while text comes in, none of which may disturb it."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.support.app_process import AppProcess
from tests.support.playground_page import WITHIN_MS, PlaygroundPage
from tests.support.proxies import buffering, cutting, failing
from tests.support.replay import Replay, Script

NUMBERS = " ".join(map(str, range(1, 321)))
"""Text in which a piece lost or doubled shows."""
GONE_S = 30.0


@pytest.mark.takes(8)
def test_widget_clicks_leave_the_panel_as_it_is_and_the_stream_running(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of("one two three four", hold_after=2))
    scripted.choose_model(model).type_prompt("go").open_group("Routing").open_group("Identity and trace").run()
    scripted.panel.wait_for_exact_text("one two")
    scripted.idle().panel.mark()
    for block in ("orq.thread", "retry", "orq.thread"):
        scripted.widget(block).locator("label").first.click()
        scripted.idle()
    scripted.set_field("max_tokens", 50)
    assert scripted.panel.untouched()
    assert not replay.call(model).ended
    replay.release(model)
    scripted.panel.wait_for_exact_text("one two three four").wait_until_ended()
    assert scripted.panel.untouched()
    assert len(replay.calls(model)) == 1


def test_run_goes_on_while_another_page_is_looked_at(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of(NUMBERS, tokens_per_s=60))
    scripted.choose_model(model).type_prompt("count").run()
    scripted.panel.wait_for_text(" 9")
    for name in ("Connections", "Playground"):
        scripted.page.get_by_test_id("stTopNav").get_by_role("link", name=name).click()
        scripted.idle()
    scripted.ready().panel.wait_for_exact_text(NUMBERS).wait_until_ended()
    expect(scripted.prompt).to_have_value("count")
    assert len(replay.calls(model)) == 1


def test_reload_in_the_middle_loses_and_doubles_nothing(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of(NUMBERS, hold_after=100))
    scripted.choose_model(model).type_prompt("count").run()
    scripted.panel.wait_for_text(" 100")
    scripted.idle().reload()
    scripted.panel.wait_for_exact_text(" ".join(map(str, range(1, 101))))
    expect(scripted.prompt).to_have_value("count")
    expect(scripted.model).to_have_value(model)
    replay.release(model)
    scripted.panel.wait_for_exact_text(NUMBERS).wait_until_ended()
    assert len(replay.calls(model)) == 1


def test_reload_while_pieces_are_flying_loses_and_doubles_nothing(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of(NUMBERS, tokens_per_s=100))
    scripted.choose_model(model).type_prompt("count").run()
    scripted.panel.wait_for_text(" 30")
    scripted.reload()
    scripted.panel.wait_for_text(" 200")
    scripted.page.reload()
    scripted.panel.wait_for_exact_text(NUMBERS).wait_until_ended()
    assert len(replay.calls(model)) == 1


def test_second_tab_on_the_same_link_follows_the_same_run(scripted: PlaygroundPage, replay: Replay, open_page: Opener) -> None:
    model = replay.add(Script.of("one two three four", hold_after=2))
    scripted.choose_model(model).type_prompt("go").run()
    scripted.panel.wait_for_exact_text("one two")
    second = open_page(scripted.base_url, same_as=scripted)
    second.open(**scripted.idle().query)
    second.panel.wait_for_exact_text("one two")
    scripted.page.close()
    replay.release(model)
    second.panel.wait_for_exact_text("one two three four").wait_until_ended()
    assert len(replay.calls(model)) == 1


def test_another_browser_with_the_link_follows_the_same_run(scripted: PlaygroundPage, replay: Replay, open_page: Opener) -> None:
    model = replay.add(Script.choices(NUMBERS, NUMBERS[::-1], hold_after=90))
    scripted.choose_model(model).type_prompt("go").run()
    scripted.panel.wait_for_exact_text(" ".join(map(str, range(1, 46))))
    other = open_page(scripted.base_url).open(**scripted.idle().query)
    other.panel.wait_for_exact_text(" ".join(map(str, range(1, 46))))
    replay.release(model)
    for page in (scripted, other):
        page.panel.wait_until_ended().wait_for_exact_text(NUMBERS).wait_for_exact_text(NUMBERS[::-1], choice=1)
    assert len(replay.calls(model)) == 1


def test_run_goes_on_without_any_browser(scripted: PlaygroundPage, replay: Replay, open_page: Opener) -> None:
    model = replay.add(Script.of("one two three four", hold_after=2))
    scripted.choose_model(model).type_prompt("go").run()
    scripted.panel.wait_for_exact_text("one two")
    link = scripted.idle().query
    scripted.page.context.close()
    replay.release(model)
    later = open_page(scripted.base_url).open(**link)
    later.panel.wait_for_exact_text("one two three four").wait_until_ended()
    assert len(replay.calls(model)) == 1


def test_behind_a_proxy_that_buffers_text_still_comes_before_the_end(
    scripted_playground: AppProcess, replay: Replay, open_page: Opener
) -> None:
    model = replay.add(Script.of("one two three four", hold_after=2))
    with buffering(scripted_playground.port) as proxy:
        page = open_page(proxy.url).open().choose_model(model).type_prompt("go").run()
        page.panel.wait_for_exact_text("one two")
        assert any("/events" in path for path in proxy.held)
        assert any("/delta" in path for path in proxy.held)
        replay.release(model)
        page.panel.wait_for_exact_text("one two three four").wait_until_ended()
        page.page.close()


def test_stop_works_behind_a_proxy_that_buffers(scripted_playground: AppProcess, replay: Replay, open_page: Opener) -> None:
    model = replay.add(Script.of("one two three four", hold_after=2))
    with buffering(scripted_playground.port) as proxy:
        page = open_page(proxy.url).open().choose_model(model).type_prompt("go").run()
        page.panel.wait_for_exact_text("one two").root.locator(".panel-stop").click()
        page.panel.wait_for_state("stopped").wait_for_exact_text("one two")
        page.page.close()


@pytest.mark.takes(10)
def test_behind_a_proxy_that_cuts_every_three_seconds_nothing_is_lost_or_doubled(
    scripted_playground: AppProcess, replay: Replay, open_page: Opener
) -> None:
    model = replay.add(Script.of(NUMBERS, tokens_per_s=40))
    with cutting(scripted_playground.port, every_s=3.0) as proxy:
        page = open_page(proxy.url)
        page.expected_problems += ["net::ERR_", "WebSocket", "websocket", "EventSource", "disconnected from server"]
        page.open().choose_model(model).type_prompt("count").run()
        page.panel.wait_for_exact_text(NUMBERS).wait_until_ended()
        assert proxy.cut >= 2
        assert len(replay.calls(model)) == 1
        page.page.close()


@pytest.mark.takes(45)
def test_network_that_is_gone_for_half_a_minute_loses_and_doubles_nothing(
    scripted_playground: AppProcess, replay: Replay, open_page: Opener
) -> None:
    """Two browsers: the connections of one are reset, through those of the other nothing goes; both streams go on meanwhile."""
    port = scripted_playground.port
    with failing(port) as resetting, failing(port) as silent:
        pages = [follower(open_page(proxy.url), replay) for proxy in (resetting, silent)]
        resetting.down(resets=True)
        silent.down(resets=False)
        until = time.monotonic() + GONE_S
        lost = pages[0].panel.state
        expect(lost).to_contain_text("connection lost, trying again", timeout=WITHIN_MS)
        seen = [page.panel.text() for page in pages]
        pages[1].page.wait_for_timeout(max(until - time.monotonic(), 0.0) * 1_000)
        assert [page.panel.text() for page in pages] == seen
        expect(lost).to_contain_text("connection lost, trying again")
        resetting.up()
        silent.up()
        for page in pages:
            page.panel.wait_for_exact_text(NUMBERS, within_ms=45_000).wait_for_state("finished")
            expect(page.run_button).to_be_enabled(timeout=WITHIN_MS)
            assert page.panel.untouched()
            assert len(replay.calls(page.model.input_value())) == 1
            page.page.close()


def follower(page: PlaygroundPage, replay: Replay) -> PlaygroundPage:
    """A page whose run goes on for longer than the network will be gone."""
    page.expected_problems += [
        "net::ERR_",
        "WebSocket",
        "websocket",
        "EventSource",
        "Failed to fetch",
        "when disconnected",
        "No response received",
        "not responding",
    ]
    model = replay.add(Script.of(NUMBERS, tokens_per_s=len(NUMBERS.split()) / (GONE_S + 15)))
    page.open().choose_model(model).type_prompt("count").run()
    page.panel.wait_for_text("1 2 3")
    page.idle().panel.mark()
    return page
