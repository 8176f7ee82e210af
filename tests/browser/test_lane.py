"""The lane under an answer, and the dialogs beside it, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Opener
from tests.support.app_process import AppProcess, running_app
from tests.support.playground_page import WITHIN_MS, PlaygroundPage
from tests.support.replay import Replay, Script

PROMPT = {"prompt": "A function definition", "max_tokens": 6, "stream": True}
HOSTILE = '<img src=x onerror="window.hacked=1">'


@pytest.fixture(scope="module")
def drafted() -> Iterator[AppProcess]:
    with running_app(script="tests/browser/drafted_app/app.py") as app:
        yield app


def opened(open_page: Opener, app: AppProcess, body: dict[str, Any], **options: Any) -> PlaygroundPage:
    """The Playground with ``body`` as its draft."""
    draft_id = httpx.post(f"{app.url}/drafts", json={**PROMPT, **body}, trust_env=False).text
    return open_page(app.url, **options).open(draft=draft_id)


def lane_of(page: PlaygroundPage) -> Locator:
    """The lane of a run that is started now, once it has ended."""
    page.run().panel.wait_until_ended()
    lane = page.keyed("lane-a").locator(".lane")
    lane.wait_for()
    page.idle()
    return lane


def steps(lane: Locator) -> list[str]:
    return [
        re.sub(r"^(from|at) [^:]*: ", "", title or "")
        for title in lane.locator("li.lane-step").evaluate_all("all => all.map(e => e.title)")
    ]


def test_lane_shows_attempts_fallback_and_stream_and_says_them(open_page: Opener, drafted: AppProcess) -> None:
    page = opened(open_page, drafted, {"model": "rehearsal/503", "fallbacks": [{"model": "rehearsal/slow-30ms"}]})
    expect(page.page.locator(".lane")).to_have_count(0)
    lane = lane_of(page)
    expect(lane.locator(".lane-said")).to_have_text("2 attempts on 2 models: 503, 200")
    told = " ".join(steps(lane))
    for part in (
        "Attempt 1 asked rehearsal/503: failed with 503",
        "After 503 the router went on to",
        "The first text came.",
        "Text came for",
    ):
        assert part in told
    assert lane.locator("ol.lane-bar").get_attribute("aria-label")
    boxes = lane.locator("li.lane-step").evaluate_all("all => all.map(e => e.getBoundingClientRect().width)")
    assert min(boxes) > 2, "the shortest step can be seen and pointed at"


def test_words_are_reached_and_opened_with_the_keyboard(open_page: Opener, drafted: AppProcess) -> None:
    lane = lane_of(opened(open_page, drafted, {"model": "local/pydoc"}))
    summary = lane.locator("summary")
    summary.focus()
    summary.press("Enter")
    expect(lane.locator(".lane-words > ol > li").last).to_be_visible()
    expect(lane.locator(".lane-words > ol > li").last).to_contain_text("The answer ended.")


def test_cache_miss_names_the_field_and_a_hit_its_age(open_page: Opener, drafted: AppProcess) -> None:
    body = {"model": "local/pydoc", "cache": {"type": "exact_match"}, "temperature": 0.25}
    expect(lane_of(opened(open_page, drafted, body)).locator(".lane-said")).to_contain_text("cache miss")
    page = opened(open_page, drafted, body | {"temperature": 0.26})
    expect(lane_of(page).locator(".lane-said")).to_have_text("cache miss — temperature changed since the last cached request")
    page.run()
    expect(page.keyed("lane-a").locator(".lane-said")).to_contain_text(re.compile(r"cache hit, .+ old"), timeout=WITHIN_MS)


def test_failed_run_has_its_lane_too(open_page: Opener, drafted: AppProcess) -> None:
    lane = lane_of(opened(open_page, drafted, {"model": "rehearsal/503"}))
    expect(lane.locator("li.lane-bad")).to_have_count(2)
    assert "The run failed." in steps(lane)[-1]


def test_stopped_run_has_its_lane_too(open_page: Opener, drafted: AppProcess) -> None:
    page = opened(open_page, drafted, {"model": "local/pydoc", "max_tokens": 2000})
    page.run().panel.wait_for_state("streaming")
    expect(page.page.locator(".lane")).to_have_count(0)
    page.stop().panel.wait_for_state("stopped")
    lane = page.keyed("lane-a").locator(".lane")
    lane.wait_for()
    assert "The run was stopped" in steps(lane)[-1]


def test_hostile_model_name_stays_text(open_page: Opener, drafted: AppProcess) -> None:
    page = opened(open_page, drafted, {"model": HOSTILE, "fallbacks": [{"model": HOSTILE}], "retry": {"count": 1}})
    lane = lane_of(page)
    assert HOSTILE in " ".join(steps(lane))
    page.keyed("rehearse-a").locator("button:visible").click()
    page.keyed("rehearsal-a").locator(".lane-bar").wait_for()
    page.idle()
    assert page.page.locator("img[src=x]").count() == 0
    assert page.page.evaluate("window.hacked") is None


def test_remote_router_is_drawn_from_what_was_seen_and_says_so(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of("one two three", headers={"x-router-attempts": "3"}, first_token_s=0.05))
    scripted.choose_model(model).type_prompt("go")
    lane = lane_of(scripted)
    expect(lane.locator("li.lane-inferred")).to_have_count(3)
    expect(lane.locator(".lane-said")).to_contain_text("3 attempts · This router tells no trace")
    expect(lane.locator(".lane-legend")).to_contain_text("inferred")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lane_and_dialogs_fit_a_phone(open_page: Opener, drafted: AppProcess, scheme: str) -> None:
    models = [{"model": "local/pydoc", "weight": 0.7}, {"model": "local/pydoc-3", "weight": 0.3}]
    body = {
        "model": "local/pydoc",
        "load_balancer": {"type": "weight_based", "models": models},
        "retry": {"count": 5, "on_codes": [429, 504]},
        "timeout": {"call_timeout": 20_000},
        "fallbacks": [{"model": "local/pydoc-1"}],
    }
    page = opened(open_page, drafted, body, viewport={"width": 400, "height": 800}, color_scheme=scheme)
    lane = lane_of(page)
    fits = (
        "(e) => e.getBoundingClientRect().left >= 0 && e.getBoundingClientRect().right <= innerWidth && e.scrollWidth <= e.clientWidth + 1"
    )
    assert lane.evaluate(fits)
    height = "(form) => form.getBoundingClientRect().height"
    form_px = page.keyed("form-a").evaluate(height)
    for button, inside, said in (
        ("rehearse-a", "rehearsal-a", "Most billed attempts: 12"),
        ("weights-a", "shares-a", "Too few runs to tell (n = 1)."),
    ):
        page.keyed(button).locator("button:visible").click()
        content = page.keyed(inside)
        expect(content).to_contain_text(said, timeout=WITHIN_MS)
        page.idle()
        assert content.evaluate(fits)
        page.page.get_by_role("dialog").get_by_label("Close").click()
        expect(content).to_have_count(0)
    assert page.keyed("form-a").evaluate(height) == form_px, "the form has lost its style"


def test_rehearsal_is_offered_when_routing_is_set_and_only_then(open_page: Opener, drafted: AppProcess) -> None:
    page = opened(open_page, drafted, {"model": "local/pydoc"})
    expect(page.keyed("rehearse-a")).to_have_count(0)
    page.open_group("Routing")
    page.keyed("a.retry").locator("label").first.click()
    expect(page.keyed("rehearse-a")).to_be_visible(timeout=WITHIN_MS)
    expect(page.keyed("weights-a")).to_have_count(0)
