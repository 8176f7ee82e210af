"""A run from the press of Run to its end, on a scripted upstream: what is shown is what came."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from tests.support.conditions import eventually
from tests.support.playground_page import WITHIN_MS, PlaygroundPage
from tests.support.replay import Replay, Script

HOSTILE = (
    '<img src="x" onerror="window.hacked = 1"> <script>window.hacked = 2</script> </div></body> '
    "[x](javascript:alert(1)) $x^2$ `code` **bold**"
)
MANY_SCRIPTS = "👩‍👩‍👧‍👦 family 🇩🇪 flag 👍🏽 skin\n\nمرحبا بالعالم، كيف الحال؟\nשלום עולם\n漢字 かな 한글 e\u0301 🤖"


def test_text_is_on_the_page_while_the_model_is_still_talking(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of("one two three four", hold_after=2))
    scripted.choose_model(model).type_prompt("go").run()
    scripted.panel.wait_for_exact_text("one two").wait_for_state("streaming")
    assert not replay.call(model).ended
    replay.release(model)
    scripted.panel.wait_for_exact_text("one two three four").wait_until_ended()


def test_summary_tells_finish_reason_usage_timings_and_the_model_that_answered(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of("one two three", finish_reason="length", first_token_s=0.05))
    scripted.choose_model(model).type_prompt("two words").run()
    summary = scripted.keyed("summary-a")
    for part in ("length", "5 tokens (2 in, 3 out)", "first token", "total", model):
        expect(summary).to_contain_text(part, timeout=WITHIN_MS)


def test_what_leaves_is_what_was_typed(scripted: PlaygroundPage, replay: Replay) -> None:
    model, prompt = replay.add(Script()), '  "Zitat" \\ Zeile 1\nZeile 2 🙂 {{name}}  '
    scripted.choose_model(model).type_prompt(prompt).run()
    scripted.panel.wait_for_exact_text("ok")
    body = replay.call(model).body
    assert (body["model"], body["prompt"], body["stream"]) == (model, prompt, True)
    assert set(body) == {"model", "prompt", "stream", "max_tokens"}, "only what is set is sent"


def test_prompt_just_typed_runs_by_ctrl_enter_once(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of("said", hold_after=1))
    scripted.choose_model(model).prompt.press_sequentially("typed a moment ago")
    scripted.prompt.press("Control+Enter")
    scripted.panel.wait_for_exact_text("said")
    scripted.idle()
    assert [call.body["prompt"] for call in replay.calls(model)] == ["typed a moment ago"]
    replay.release(model)
    scripted.panel.wait_until_ended()


def test_double_click_on_run_makes_one_call(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of("only once", hold_after=2))
    scripted.choose_model(model).type_prompt("go").run_button.dblclick()
    scripted.panel.wait_for_exact_text("only once")
    scripted.idle()
    replay.release(model)
    scripted.panel.wait_until_ended()
    scripted.idle()
    assert len(replay.calls(model)) == 1


def test_second_run_takes_the_place_of_the_first(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of("first answer"))
    scripted.choose_model(model).type_prompt("go").run()
    scripted.panel.wait_for_exact_text("first answer").wait_until_ended()
    replay.add(Script.of("second"), name=model)
    scripted.idle().run()
    scripted.panel.wait_for_exact_text("second").wait_until_ended()


def test_three_choices_have_a_tab_each_with_all_of_their_text(scripted: PlaygroundPage, replay: Replay) -> None:
    texts = ("alpha beta gamma", "un deux", "eins zwei drei vier")
    model = replay.add(Script.choices(*texts))
    scripted.choose_model(model).type_prompt("go").set_field("n", 3).run()
    scripted.panel.wait_until_ended()
    assert replay.call(model).body["n"] == 3
    tabs = scripted.panel.root.get_by_role("tab")
    expect(tabs).to_have_count(3)
    for choice, text in enumerate(texts):
        tabs.nth(choice).click()
        expect(scripted.panel.output(choice)).to_be_visible()
        scripted.panel.wait_for_exact_text(text, choice)


def test_model_text_is_shown_as_it_came(scripted: PlaygroundPage, replay: Replay) -> None:
    for text in (HOSTILE, MANY_SCRIPTS, "a  b\n\n\n   c\td"):
        scripted.choose_model(replay.add(Script.of(text))).type_prompt("go").run()
        scripted.panel.wait_for_exact_text(text).wait_until_ended()
        scripted.idle()
        output = scripted.panel.output()
        assert scripted.page.evaluate("window.hacked") is None, text
        assert output.evaluate("(element) => element.querySelector('img, script, a, b, strong, code') === null"), text
        assert output.evaluate("(element) => getComputedStyle(element).whiteSpace").startswith(("pre", "break-spaces")), text


def test_right_to_left_text_is_laid_out_from_the_right(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.of("مرحبا بالعالم"))
    scripted.choose_model(model).type_prompt("go").run()
    scripted.panel.wait_for_exact_text("مرحبا بالعالم").wait_until_ended()
    gaps = scripted.panel.output().evaluate(
        """(element) => {
          const range = document.createRange();
          range.selectNodeContents(element);
          const text = range.getClientRects()[0], box = element.getBoundingClientRect();
          return [text.left - box.left, box.right - text.right];
        }"""
    )
    assert gaps[0] > gaps[1], "the free space is on the left"


def test_refused_run_says_why_and_what_next_and_keeps_the_prompt(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script.refusal(429, "rate_limit_exceeded", "Too many requests from the test", retry_after="7"))
    scripted.choose_model(model).type_prompt("keep me").run()
    scripted.panel.wait_for_state("429").wait_for_state("7")
    scripted.idle()
    expect(scripted.prompt).to_have_value("keep me")
    expect(scripted.run_button).to_be_enabled()


def test_broken_stream_keeps_its_text_and_says_how_it_broke(scripted: PlaygroundPage, replay: Replay) -> None:
    for ending in ("cut", "malformed", "error_frame"):
        came, kept = f"this much came before {ending}", f"keep me through {ending}"
        scripted.choose_model(replay.add(Script.of(came, ending=ending))).type_prompt(kept).run()
        scripted.panel.wait_for_exact_text(came).wait_until_ended().wait_for_state("failed")
        scripted.idle()
        expect(scripted.prompt).to_have_value(kept)
        expect(scripted.run_button).to_be_enabled()


def test_nothing_is_sent_without_a_prompt_and_the_page_says_so(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script())
    scripted.choose_model(model).run()
    expect(scripted.keyed("preflight-a")).to_contain_text("prompt", timeout=WITHIN_MS)
    scripted.idle()
    assert not replay.calls(model)


def test_on_the_wire_is_what_left(scripted: PlaygroundPage, replay: Replay) -> None:
    model = replay.add(Script())
    scripted.choose_model(model).type_prompt('say "é" 🙂').run()
    scripted.panel.wait_for_exact_text("ok").wait_until_ended()
    scripted.idle()
    scripted.keyed("wire-a").locator("button").first.click()
    shown = scripted.page.get_by_test_id("stCode").filter(has_text='"model"').first
    shown.wait_for()
    text = shown.locator("code").inner_text()
    assert json.loads(text) == replay.call(model).body


def test_local_router_streams_without_an_account(local: PlaygroundPage) -> None:
    local.type_prompt("A function definition").run()
    local.panel.wait_for_state("streaming")
    before = len(local.panel.text())
    eventually(lambda: len(local.panel.text()) > before, what="the text to grow")
    local.panel.wait_until_ended()
    expect(local.keyed("summary-a")).to_contain_text("answered by local/pydoc", timeout=WITHIN_MS)


def test_rehearsed_failure_says_why_and_what_next(local: PlaygroundPage) -> None:
    local.choose_model("rehearsal/429").type_prompt("keep me").run()
    local.panel.wait_for_state("429")
    expect(local.prompt).to_have_value("keep me")
