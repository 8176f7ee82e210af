"""The Playground page through Streamlit's AppTest: from widgets to what leaves, and back to the page."""

from __future__ import annotations

import itertools
import json

import pytest

from core.hub.switchboard import HubFull
from core.workspace import opened_workspace
from tests.support.conditions import eventually
from tests.support.replay import Replay, Script
from tests.support.script_page import ScriptPage, talking_to


class Page(ScriptPage):
    """The shell with the Playground on it, talking to the scripted upstream."""

    SAYS = ("markdown", "caption")

    def __init__(self, replay: Replay, **query: str) -> None:
        super().__init__("shell.py", session=talking_to(replay.url), query=query)
        self.run()

    def edit(self, key: str, value: object) -> Page:
        """Change a widget; ``at`` has afterwards what was drawn, and may not be the whole page."""
        return super().set(key, value)

    def set(self, key: str, value: object) -> Page:
        self.edit(key, value)
        return self if self.is_whole else self.run()

    @property
    def is_whole(self) -> bool:
        """Whether all of the page was drawn by the last run."""
        return self.has("a.prompt")

    def say(self, model: str, prompt: str) -> Page:
        widget = self.at.get_by_key("a.model")
        states = self.at._tree.get_widget_states()
        states.widgets.add(id=widget.proto.id, string_value=model)
        self.at._run(states)
        return self.set("a.prompt", prompt)

    def finished(self) -> Page:
        """Wait for the run to end, then draw the page as the panel's trigger would."""
        hub, run = opened_workspace().hub, self.query("run")
        eventually(lambda: hub.snapshot(run).ended, what="the run's end")
        return self.run()


@pytest.fixture
def model(replay: Replay) -> str:
    return replay.add(Script.of("one two three"))


def test_what_the_widgets_hold_is_what_leaves(replay: Replay, model: str) -> None:
    page = Page(replay).say(model, "Say it").set("a.temperature", 0.5).set("a.max_tokens", 7).set("a.seed.null", True)
    page.click("run")
    assert replay.call(model).body == {
        "model": model,
        "prompt": "Say it",
        "max_tokens": 7,
        "seed": None,
        "temperature": 0.5,
        "stream": True,
    }


def test_finish_reason_usage_timings_and_model_are_shown_at_the_end(replay: Replay, model: str) -> None:
    page = Page(replay).say(model, "Say it").click("run").finished()
    assert "5 tokens (2 in, 3 out)" in page.words
    assert f"answered by **{model}**" in page.words
    assert "first token" in page.words
    assert ":green-badge[stop]" in page.words or "stop" in page.words


def test_run_without_a_prompt_sends_nothing_and_says_so(replay: Replay) -> None:
    page = Page(replay).click("run")
    assert "Nothing was sent" in page.words
    assert "run" not in page.at.query_params


def test_a_bad_value_turns_run_off_and_says_why(replay: Replay, model: str) -> None:
    page = Page(replay).say(model, "Say it").set("a.temperature", 3.0)
    assert page.at.get_by_key("run").disabled
    assert "Run is off" in page.words
    assert "temperature must be between 0 and 2, got 3" in page.words
    assert not page.set("a.temperature", 2.0).at.get_by_key("run").disabled


def test_an_edit_that_changes_nothing_else_redraws_its_group_alone(replay: Replay, model: str) -> None:
    page = Page(replay).say(model, "Say it").edit("a.temperature", 0.5)
    assert page.has("a.top_p")
    assert not any(map(page.has, ("a.prompt", "run", "a.max_tokens", "presets.a.save", "rehearse-a")))


def test_an_edit_that_turns_run_off_redraws_its_group_and_the_bar(replay: Replay, model: str) -> None:
    page = Page(replay).say(model, "Say it").edit("a.temperature", 3.0)
    assert page.at.get_by_key("run").disabled
    assert "temperature must be between 0 and 2, got 3" in page.words
    assert not any(map(page.has, ("a.prompt", "a.max_tokens", "presets.a.save")))
    assert not page.edit("a.temperature", 2.0).at.get_by_key("run").disabled


def test_an_edit_of_routing_redraws_its_group_and_the_ways_to_try_it(replay: Replay, model: str) -> None:
    page = Page(replay).say(model, "Say it")
    page.at.session_state["a.group.routing"] = True
    page.run().edit("a.retry", True)
    assert all(map(page.has, ("a.retry.count", "rehearse-a")))
    assert not any(map(page.has, ("a.prompt", "run", "a.max_tokens", "presets.a.save")))
    assert not page.edit("a.retry", False).has("rehearse-a")
    assert not page.run().has("rehearse-a")


def test_an_edit_of_what_fills_the_prompt_redraws_the_whole_page(replay: Replay, model: str) -> None:
    page = Page(replay).say(model, "Say {{it}}").set("a.placeholder.it", "hello")
    assert page.is_whole
    assert "no value" not in page.words


def test_an_edit_while_the_wire_is_shown_redraws_what_it_shows(replay: Replay, model: str) -> None:
    page = Page(replay).say(model, "Say it")
    page.at.session_state["wire-a"] = True
    page.run().edit("a.temperature", 0.5)
    assert not page.is_whole
    assert any('"temperature": 0.5' in element.value for element in page.at.code)


def test_an_edit_that_was_drawn_in_part_is_there_after_a_reload(replay: Replay, model: str) -> None:
    page = Page(replay).say(model, "Say it")
    address = page.query("draft")
    assert not page.edit("a.temperature", 0.5).is_whole
    assert Page(replay, draft=address).at.get_by_key("a.temperature").value == 0.5


def test_a_press_of_run_right_after_an_edit_sends_the_edit(replay: Replay, model: str) -> None:
    page = Page(replay).say(model, "Say it").edit("a.temperature", 3.0).edit("a.temperature", 1.5)
    assert not page.is_whole
    assert page.click("run").is_whole
    assert replay.call(model).body["temperature"] == 1.5


def test_prompt_and_settings_are_still_there_after_a_failed_run(replay: Replay) -> None:
    refusing = replay.add(Script.refusal(429, "rate_limit_exceeded", "slow down", retry_after="2"))
    page = Page(replay).say(refusing, "Keep me").set("a.top_p", 0.3).click("run").finished()
    assert page.at.get_by_key("a.prompt").value == "Keep me"
    assert page.at.get_by_key("a.top_p").value == 0.3


def test_a_new_session_finds_draft_and_run_by_the_address(replay: Replay, model: str) -> None:
    first = Page(replay).say(model, "Find me").set("a.temperature", 0.25).click("run").finished()
    address = {name: first.query(name) for name in ("draft", "run")}
    second = Page(replay, **address)
    assert second.at.get_by_key("a.prompt").value == "Find me"
    assert second.at.get_by_key("a.temperature").value == 0.25
    assert f"answered by **{model}**" in second.words


def test_two_sessions_on_one_address_do_not_write_over_each_other(replay: Replay, model: str) -> None:
    first = Page(replay).say(model, "mine")
    second = Page(replay, draft=first.query("draft")).set("a.prompt", "yours")
    assert first.at.query_params["draft"] != second.at.query_params["draft"]
    assert Page(replay, draft=first.query("draft")).at.get_by_key("a.prompt").value == "mine"


def test_a_run_that_is_gone_is_said_to_be_gone(replay: Replay) -> None:
    page = Page(replay, run="long-forgotten")
    assert "not found" in page.at.info[0].value


def test_on_the_wire_shows_exactly_what_leaves(replay: Replay, model: str) -> None:
    page = Page(replay).say(model, 'Äpfel 🍎 und "Birnen"')
    page.at.session_state["wire-a"] = True
    page.run()
    shown = [element.value for element in page.at.code]
    page.click("run")
    sent = replay.call(model).sent_body.decode()
    assert sent in shown
    assert json.loads(next(text for text in shown if text.startswith("{\n"))) == json.loads(sent)


def test_a_second_press_while_running_makes_no_second_call(replay: Replay) -> None:
    held = replay.add(Script.of("one two three", hold_after=1))
    page = Page(replay).say(held, "Once").click("run")
    assert page.at.get_by_key("run").disabled
    replay.call(held)
    page.click("stop")
    page.finished()
    assert len(replay.calls(held)) == 1


EXTRAS = {
    '{"logit_bias": {"50256": -100}}': {"logit_bias": {"50256": -100}},
    '{"orq": {"future": true}}': {"orq": {"future": True}},
}


@pytest.mark.parametrize(("text", "expected"), EXTRAS.items())
def test_extra_fields_leave_as_typed_and_are_marked(replay: Replay, model: str, text: str, expected: dict[str, object]) -> None:
    page = Page(replay).say(model, "Say it")
    page.at.session_state["a.group.extra"] = True
    page.run().set("a.extra", text)
    assert "1 extra field" in page.words
    page.click("run")
    assert expected.items() <= replay.call(model).body.items()


def test_conflicting_twins_are_named_before_the_run(replay: Replay, model: str) -> None:
    page = Page(replay).say(model, "Say it")
    for group, key in (("cache_and_timeout", "a.timeout"), ("orq_twins", "a.orq.timeout")):
        page.at.session_state[f"a.group.{group}"] = True
        page.run().set(key, True)
    for count, key in zip(itertools.count(1), ("a.timeout.call_timeout", "a.orq.timeout.call_timeout"), strict=False):
        page.set(key, float(count))
    assert "timeout wins" in page.words


def test_a_fault_of_the_page_shows_a_sentence_and_a_number_and_no_traceback(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(replay)
    monkeypatch.setattr(type(opened_workspace()), "models", lambda *_: 1 / 0)
    page.run()
    assert "report it with the number" in page.at.error[0].value
    assert "ZeroDivisionError" not in page.words + page.at.error[0].value


def test_a_hub_that_takes_no_more_says_so_at_the_press(replay: Replay, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(replay).say(model, "Say it")

    def full(*_: object, **__: object) -> None:
        raise HubFull("Too many pages are open on this server.", "Close some.")

    monkeypatch.setattr(opened_workspace().hub, "start", full)
    page.click("run")
    assert "Nothing was sent** — Too many pages are open on this server. Close some." in page.words


def test_the_local_routers_models_are_described_where_one_is_picked(replay: Replay) -> None:
    page = Page(replay)
    page.at.session_state["session.connection"] = {"kind": "local"}
    assert "looks 7 tokens back" in page.run().words
    page.say("rehearsal/cut-after-20", "x")
    assert "Closes the connection after 20 tokens" in page.words


def test_a_model_that_nobody_lists_says_so_where_it_is_picked(replay: Replay, model: str) -> None:
    page = Page(replay).say("nobody/knows", "go")
    assert "Orq does not list this model; it is asked for as it is written." in page.words
    listed = next(option for option in page.at.get_by_key("a.model").options if option != "nobody/knows")
    assert "does not list" not in page.say(listed, "go").words
