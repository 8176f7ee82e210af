"""Light and dark, a telephone's width, the keyboard alone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.support.app_process import AppProcess
from tests.support.conditions import eventually
from tests.support.playground_page import PlaygroundPage
from tests.support.replay import Replay, Script

PHONE = {"viewport": {"width": 400, "height": 800}}

# The colours of an element's text and of what lies behind it, through shadow roots, as [r, g, b] of 0…255 (text over a see-through
# background is taken as it is: themes here have opaque pages).
COLORS = """
(element) => {
  const rgb = (color) => {
    const context = new OffscreenCanvas(1, 1).getContext('2d');
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  let behind = element, color;
  do {
    color = rgb(getComputedStyle(behind).backgroundColor);
    behind = behind.parentElement ?? behind.getRootNode().host;
  } while (behind && color[3] < 255);
  return { text: rgb(getComputedStyle(element).color).slice(0, 3), behind: color.slice(0, 3) };
}
"""
FOCUSED = """
() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  const keys = [element?.tagName.toLowerCase()];
  for (let at = element; at; at = at.parentElement ?? at.getRootNode().host) keys.push(...(at.classList ?? []));
  return keys;
}
"""


def luminance(rgb: list[int]) -> float:
    """Relative luminance as WCAG 2.2 defines it, 0 for black to 1 for white."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (value / 255 for value in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colors: dict[str, list[int]]) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21; text needs 4.5."""
    darker, lighter = sorted((luminance(colors["text"]), luminance(colors["behind"])))
    return (lighter + 0.05) / (darker + 0.05)


def overflow(page: Page) -> list[Any]:
    """What sticks out of the viewport to the right: nothing, where there is no need to scroll sideways."""
    found: list[Any] = page.evaluate(
        """() => [document.scrollingElement, ...document.querySelectorAll('[data-testid=stMain], [data-testid=stBottom]')]
             .filter((element) => element.scrollWidth > element.clientWidth + 1)
             .map((element) => [element.tagName, element.dataset.testid, element.scrollWidth, element.clientWidth])"""
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(scripted_playground: AppProcess, replay: Replay, open_page: Opener, scheme: str) -> None:
    model = replay.add(Script.of("can you read this"))
    page = open_page(scripted_playground.url, color_scheme=scheme).open().choose_model(model).type_prompt("go").run()
    page.panel.wait_for_exact_text("can you read this").wait_until_ended()
    page.idle()
    page.page.mouse.move(0, 0)  # under the pointer, Run has other colours
    expect(page.run_button).to_be_enabled()
    for element in (page.panel.output(), page.panel.state, page.prompt, page.run_button.locator("p").first):
        colors = element.evaluate(COLORS)
        assert contrast(colors) >= 4.5, (element, colors)
    page.keyed("wire-a").locator("button").first.click()
    code = page.page.locator("[data-testid=stPopoverBody] .token")
    code.first.wait_for()
    for colors in (one.evaluate(COLORS) for one in code.all()):
        assert contrast(colors) >= 4.5, colors
    is_dark = luminance(page.panel.output().evaluate(COLORS)["behind"]) < 0.2
    assert is_dark == (scheme == "dark")


def test_at_400_px_everything_fits_and_run_and_stop_are_in_reach(
    scripted_playground: AppProcess, replay: Replay, open_page: Opener
) -> None:
    model = replay.add(Script.of("one " + "unbrokenword" * 30 + " end", hold_after=2))
    page = open_page(scripted_playground.url, **PHONE, has_touch=True).open().choose_model(model).open_groups()
    assert not overflow(page.page)
    page.type_prompt("go")
    expect(page.run_button).to_be_in_viewport(ratio=1)
    page.run_button.tap()
    page.panel.wait_for_text("unbrokenword")
    page.idle()
    assert not overflow(page.page)
    expect(page.stop_button).to_be_in_viewport(ratio=1)
    page.stop_button.tap()
    page.panel.wait_for_state("stopped")
    box = page.panel.root.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 400


def test_fields_keep_their_ends_where_the_form_is_narrow(scripted_playground: AppProcess, open_page: Opener) -> None:
    page = open_page(scripted_playground.url, viewport={"width": 1000, "height": 900}).open()
    form = page.page.locator("[class*=st-key-form-] [data-testid=stHorizontalBlock]:has(> [data-testid=stColumn])")
    form.first.wait_for()
    cut = """rows => rows.flatMap(row => [...row.querySelectorAll("label, input, button")]
        .filter(part => part.getBoundingClientRect().right > row.getBoundingClientRect().right + 1).map(part => part.outerHTML))"""
    assert form.evaluate_all(cut) == []
    page.page.set_viewport_size({"width": 700, "height": 900})
    page.idle()
    assert form.evaluate_all(cut) == []


def test_at_400_px_on_the_wire_opens_where_it_can_be_read(scripted_playground: AppProcess, open_page: Opener) -> None:
    page = open_page(scripted_playground.url, **PHONE).open().set_field("frequency_penalty", "9")
    expect(page.run_button).to_be_disabled()  # why, is told in two lines of the bar
    page.keyed("wire-a").locator("button").first.click()
    expect(page.page.locator("[data-testid=stPopoverBody]").get_by_text("POST")).to_be_in_viewport()
    expect(page.page.locator("[data-testid=stPopoverBody] code").nth(1)).to_be_in_viewport()


def focus_by_tab(page: PlaygroundPage, tag: str, css_class: str, *, most: int = 120) -> None:
    """Press Tab until the focus is on an element of this kind inside (or with) this class."""
    for _ in range(most):
        page.page.keyboard.press("Tab")
        if {tag, css_class} <= set(page.page.evaluate(FOCUSED)):
            return
    raise AssertionError(f"no {tag} in {css_class} was reached with {most} times Tab; focus is in {page.page.evaluate(FOCUSED)}")


def test_keyboard_alone_is_enough(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of("one two three", hold_after=2))
    keyboard = scripted.page.keyboard
    focus_by_tab(scripted, "input", "st-key-a-model")
    keyboard.press("Control+A")
    keyboard.type(model)
    keyboard.press("Enter")
    expect(scripted.model).to_have_value(model)
    scripted.idle()
    focus_by_tab(scripted, "textarea", "st-key-a-prompt")
    keyboard.type("typed by hand")
    keyboard.press("Control+Enter")
    scripted.panel.wait_for_exact_text("one two")
    assert replay.call(model).body["prompt"] == "typed by hand"
    scripted.idle()
    keyboard.press("Escape")
    scripted.panel.wait_for_state("stopped")
    scripted.idle()
    focus_by_tab(scripted, "button", "panel-copy")
    focus_by_tab(scripted, "button", "st-key-run")
    focus_by_tab(scripted, "input", "stCheckbox")
    switch = scripted.page.locator("[data-testid=stCheckbox] > label[data-focus-visible]")
    assert switch.evaluate("(label) => getComputedStyle(label).outlineStyle") == "solid", "one sees where the keyboard is"


def test_screen_readers_get_whole_sentences(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of("First sentence. Second one", hold_after=3))
    scripted.choose_model(model).type_prompt("go").run()
    scripted.panel.wait_for_exact_text("First sentence. Second")
    live = scripted.panel.root.locator("[aria-live=polite]")
    eventually(lambda: "First sentence." in " ".join(live.all_text_contents()), what="the first sentence to be announced")
    assert "Second" not in " ".join(live.all_text_contents())
    replay.release(model)
    scripted.panel.wait_until_ended()
