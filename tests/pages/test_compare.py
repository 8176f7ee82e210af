"""The Compare page through Streamlit's AppTest: from slots to what leaves, and back to the page."""

from __future__ import annotations

import re
import secrets
from decimal import Decimal
from typing import Any

import pytest

from components.compare import desk
from core.calls.times import CallTimes
from core.comparison.board import MOST_SLOTS, opened
from core.comparison.record import Comparison
from core.preset.content import DraftContent
from core.preset.preset import Label, NewPreset
from core.prices.pricing import FIRST_PRICES, Price
from core.storage.run_query import RunFilter
from core.workspace import opened_workspace
from tests.support.conditions import eventually
from tests.support.replay import Replay, Script
from tests.support.script_page import ScriptPage, talking_to


class Page(ScriptPage):
    """The Compare page, talking to the scripted upstream; its slots are made of ``bodies``."""

    SAYS = ("markdown", "caption", "error", "info")

    def __init__(self, replay: Replay, *bodies: dict[str, Any], link: str = "") -> None:
        if bodies:
            link = f"test-{secrets.token_urlsafe(8)}"
            made = opened(bodies, ["" for _ in bodies]).to_dict()
            opened_workspace().drafts.save(link, {**made, "slots": [{**slot, "runs": []} for slot in made["slots"]]})
        super().__init__("compare.py", session=talking_to(replay.url), query={desk.LINK: link} if link else None)
        self.run()

    @property
    def link(self) -> str:
        return self.query(desk.LINK)

    @property
    def board(self) -> Any:
        return self.comparison.board.to_dict()

    @property
    def comparison(self) -> Comparison:
        found = opened_workspace().comparisons.find(self.at.session_state["session.comparison_id"])
        assert found is not None
        return found

    @property
    def tables(self) -> str:
        return "\n".join(element.proto.body for element in self.at.get("html"))

    def runs(self, place: int) -> list[str]:
        return list(self.board["slots"][place]["runs"])

    def finished(self) -> Page:
        """Wait for the ends of all runs, then draw the page as the panels' triggers would."""
        hub = opened_workspace().hub
        ids = [run for slot in self.board["slots"] for run in slot["runs"]]
        eventually(lambda: all(hub.snapshot(run).ended for run in ids), what="the ends of the runs")
        return self.run()


def body(model: str, **fields: Any) -> dict[str, Any]:
    return {"model": model, "prompt": "Say it", "stream": True, **fields}


@pytest.fixture
def model(replay: Replay) -> str:
    return replay.add(Script.of("one two three"))


def test_every_slot_sends_what_it_is_set_to_and_the_shared_prompt(replay: Replay, model: str) -> None:
    page = Page(replay, body(model, temperature=0.2), body(model, temperature=0.9)).set("compare.prompt", "Say this")
    page.click("run").finished()
    sent = sorted((call.body for call in replay.calls(model)), key=lambda one: one["temperature"])
    assert sent == [body(model, temperature=t, prompt="Say this") for t in (0.2, 0.9)]


def test_prompt_of_its_own_leaves_with_its_slot_only(replay: Replay, model: str) -> None:
    page = Page(replay, body(model), body(model)).open("more-compare-b").set("own-compare-b", True)
    page.set("compare-b.prompt", "Mine").set("compare.prompt", "Everybody's").click("run").finished()
    assert sorted(call.body["prompt"] for call in replay.calls(model)) == ["Everybody's", "Mine"]


def test_repeats_send_a_seed_that_counts_up(replay: Replay, model: str) -> None:
    page = Page(replay, body(model, seed=5), body(model)).set("compare.repeats", 3)
    assert "2 slots × 3 repeats = 6 calls" in page.words
    page.click("run").finished()
    seeds = [call.body.get("seed") for call in replay.calls(model)]
    assert sorted(seed for seed in seeds if seed is not None) == [5, 6, 7]
    assert seeds.count(None) == 3
    assert "Too few repeats to tell B from A (k = 3)" in page.words


def test_slots_that_always_say_something_else_are_told_apart_at_five_repeats(replay: Replay, model: str) -> None:
    other = replay.add(Script.of("quite another answer"))
    page = Page(replay, body(model), body(other), body(model)).set("compare.repeats", 5).click("run").finished()
    assert "B differs from A by more than they differ from themselves (k = 5" in page.words
    assert "No difference between C and A beyond run-to-run noise (k = 5" in page.words
    assert "<del>" in page.tables


def test_outputs_are_shown_side_by_side_and_only_where_they_differ(replay: Replay) -> None:
    equal = " ".join(f"word{number}" for number in range(20))
    one, other = replay.add(Script.of(f"{equal} old\n<b>end")), replay.add(Script.of(f"{equal} new\n<b>end"))
    page = Page(replay, body(one), body(other)).click("run").finished()
    assert "<del>old</del><ins>new</ins>" in page.tables
    page.set("compare.view", "Side by side").set("compare.only", True).set("compare.space", True)
    assert (
        '<div class="name">A</div><div class="name">B</div><div class="fold-row"><span class="fold">… 15 equal words …</span></div>'
        in page.tables
    )
    assert "·<wbr><del>old</del>¶\n</div><div>" in page.tables
    assert "<div>&lt;b&gt;end</div><div>&lt;b&gt;end</div>" in page.tables
    assert "2 distinct answers of 2" in [box.label for box in page.at.expander]


def test_slot_that_was_edited_after_it_ran_says_so_until_it_is_as_it_was_or_runs_again(replay: Replay, model: str) -> None:
    cached = body(model, cache={"type": "exact_match", "ttl": 60}, seed=5)
    page = Page(replay, cached, body(model, temperature=0.2)).set("compare.repeats", 2).click("run").finished()
    assert "Edited since it ran" not in page.words, "neither the seed that counted up nor the cache that was bypassed is an edit"
    page.click("edit-compare-b").open("compare-b.group.sampling").set("compare-b.temperature", 0.9)
    assert page.words.count("Edited since it ran") == 1
    assert "Edited since it ran" not in page.set("compare-b.temperature", 0.2).words
    page.set("compare-b.temperature", 0.9).click("run").finished()
    assert "Edited since it ran" not in page.words


def test_a_slot_alone_runs_alone(replay: Replay, model: str) -> None:
    other = replay.add(Script.of("other"))
    page = Page(replay, body(model), body(other)).click("run-compare-b").finished()
    assert (len(replay.calls(model)), len(replay.calls(other))) == (0, 1)
    assert (page.runs(0), len(page.runs(1))) == ([], 1)


def test_one_slot_that_fails_leaves_the_others_alone(replay: Replay, model: str) -> None:
    refusing = replay.add(Script.refusal(503, "service_unavailable", "not now"))
    page = Page(replay, body(model), body(refusing), body(model)).click("run").finished()
    hub = opened_workspace().hub
    assert [hub.snapshot(page.runs(place)[0]).status for place in range(3)] == ["finished", "failed", "finished"]
    assert "0 of 1" in page.tables


def test_nothing_is_sent_while_a_slot_cannot_run_and_the_page_says_which(replay: Replay, model: str) -> None:
    page = Page(replay, body(model), body(model, temperature=3))
    assert page.at.get_by_key("run").disabled
    assert "Run is off** — B: temperature must be between 0 and 2" in page.words


def test_press_without_a_prompt_sends_nothing_and_says_so(replay: Replay, model: str) -> None:
    page = Page(replay, {"model": model}, {"model": model}).click("run")
    assert "Nothing was sent" in page.words
    assert not replay.calls(model)


def test_chips_say_what_differs_after_edit_duplicate_and_move(replay: Replay, model: str) -> None:
    page = Page(replay, body(model, temperature=0.2), body(model, temperature=0.2))
    assert "Set like A" in page.words
    page.click("edit-compare-b").open("compare-b.group.sampling").set("compare-b.temperature", 0.9)
    assert paths(page) == {"compare-b": ["temperature"]}
    page.open("more-compare-b").click("duplicate-compare-b")
    assert paths(page) == {"compare-b": ["temperature"], "compare-c": ["temperature"]}
    page.open("more-compare-b").click("left-compare-b")
    assert paths(page) == {"compare-b": ["temperature"]}, "the baseline is the warm one now, and so is C"


def paths(page: Page) -> dict[str, list[str]]:
    """The chips, by slot, from what each would send."""
    found: dict[str, list[str]] = {}
    for place in range(MOST_SLOTS):
        key = desk.slot_key(place)
        for block in page.at.get("popover"):
            name = block.proto.popover.label
            if f"chip-{key}." in block.proto.id:
                found.setdefault(key, []).append(name.split(" ")[0].replace("\\", ""))
    return found


def test_difference_is_edited_in_its_chip_and_set_back(replay: Replay, model: str) -> None:
    page = Page(replay, body(model, temperature=0.2), body(model, temperature=0.9))
    page.open("chip-compare-b.temperature").set("compare-b.temperature", 1.5)
    assert page.board["slots"][1]["draft"]["body"]["temperature"] == 1.5
    page.open("chip-compare-b.temperature").click("same-compare-b.temperature")
    assert page.board["slots"][1]["draft"]["body"]["temperature"] == 0.2
    assert "Set like A" in page.words


def test_several_changes_are_warned_of_and_split_into_a_ladder(replay: Replay, model: str) -> None:
    page = Page(replay, body(model), body(model, temperature=1, top_p=0.5))
    assert "B changes 2 things against A" in page.words
    page.click("ladder-compare-b")
    assert [slot["name"] for slot in page.board["slots"]] == ["", "temperature", "top_p", ""]


def test_slots_that_change_several_things_share_one_warning(replay: Replay, model: str) -> None:
    alike = [body(model, temperature=1, top_p=one) for one in (0.5, 0.6)]
    page = Page(replay, body(model), *alike, body(model, seed=1), body(model, temperature=1, top_p=0.5, n=2))
    assert "B and C change 2 things against A] (temperature, top_p); :orange[" in page.words
    assert "E changes 3 things against A" in page.words
    assert page.words.count("cannot be put down to one of them") == 1
    page.open("compare.ladder").click("ladder-compare-c")
    assert [slot["name"] for slot in page.board["slots"]] == ["", "", "temperature", "top_p", "", "", ""]


def test_settings_begin_with_the_groups_that_were_open_last(replay: Replay, model: str) -> None:
    page = Page(replay, body(model), body(model), body(model)).click("edit-compare-b")
    assert "compare-b.temperature" not in page.at.session_state
    page.open("compare-b.group.sampling").click("edit-compare-c")
    assert "compare-c.temperature" in page.at.session_state
    assert "compare-c.max_tokens" not in page.at.session_state


def test_cache_that_would_copy_answers_is_bypassed_unless_it_is_kept(replay: Replay, model: str) -> None:
    cached = body(model, cache={"type": "exact_match", "ttl": 60})
    page = Page(replay, cached, body(model)).set("compare.repeats", 2)
    assert "A would send the same request more than once with the exact-match cache on" in page.words
    page.click("run").finished()
    assert not any("cache" in call.body for call in replay.calls(model))
    page.set("compare.cache", "Keep it").click("run").finished()
    assert sum("cache" in call.body for call in replay.calls(model)) == 2


def test_new_session_finds_slots_names_prompts_and_runs_by_the_address(replay: Replay, model: str) -> None:
    first = Page(replay, body(model), body(model, seed=3)).open("more-compare-b").set("name-compare-b", "seeded").click("run").finished()
    second = Page(replay, link=first.link)
    assert "B · seeded" in second.words
    assert [second.runs(0), second.runs(1)] == [first.runs(0), first.runs(1)]
    assert second.words.count(f"answered by **{model}**") == 2
    assert second.link == first.link
    assert second.comparison == first.comparison, "opening it changes nothing"


def test_two_tabs_follow_each_other_and_an_edit_of_an_old_state_goes_on_in_a_copy(replay: Replay, model: str) -> None:
    first = Page(replay, body(model), body(model)).set("compare.name", "Pair")
    second = Page(replay, link=first.link)
    first.set("compare.prompt", "Mine")
    assert second.run().at.get_by_key("compare.prompt").value == "Mine"
    first.set("compare.prompt", "Mine again")
    second.set("compare.prompt", "Theirs")
    assert "goes on in a copy" in second.words
    assert (second.link != first.link, second.comparison.name, second.board["prompt"]) == (True, "Pair (copy)", "Theirs")
    assert (first.run().board["prompt"], first.comparison.name) == ("Mine again", "Pair")
    assert "copy" not in second.run().words


def test_link_to_nothing_says_so_and_begins_anew(replay: Replay) -> None:
    page = Page(replay, link="nothing-here")
    assert "was not found" in page.words
    assert len(page.board["slots"]) == 2


def test_comparison_that_was_run_is_listed_in_the_history_under_its_name_and_one_that_was_not_is_not(replay: Replay, model: str) -> None:
    page = Page(replay, body(model), body(replay.add(Script.of("two"))))
    listed = opened_workspace().listed_comparisons
    assert not page.comparison.stored
    page.click("run").finished().set("compare.name", f"Named {model}")
    opened_workspace().comparisons.flush()
    (row,), count = listed.page(f"named {model}")
    assert (row.id, row.name, row.slots, row.runs, count) == (page.link, f"Named {model}", 2, (*page.runs(0), *page.runs(1)), 1)


def test_line_before_the_run_tells_calls_tokens_range_of_costs_and_time_by_earlier_runs(replay: Replay, model: str) -> None:
    workspace = opened_workspace()
    workspace.prices.replace([Price(model, Decimal(1), Decimal(2)), *FIRST_PRICES])
    try:
        page = Page(replay, body(model, max_tokens=1000), body(model, max_tokens=1000, seed=1)).set("compare.repeats", 3)
        assert "at most 6,000 tokens out" in page.words
        assert "$0.000006 – $0.012" in page.words, "a token for four bytes of the prompt, up to one for each and all of max_tokens"
        # How many at once: fewer than 6 for a while after another test's 429, for the server is the same.
        assert re.search(r"time unknown for A, B, [1-6] at once", page.words)
        page.click("run").finished()
        eventually(lambda: set(workspace.runs.statuses(page.runs(0)).values()) == {"finished"}, what="runs in storage")
        workspace.call_times = CallTimes(workspace.runs)
        assert re.search(r"about \d+(\.\d)? s, [1-6] at once", page.run().words)
    finally:
        workspace.prices.reset()


def test_line_before_the_run_says_nothing_of_costs_while_there_is_no_prompt_to_reckon_with(replay: Replay, model: str) -> None:
    page = Page(replay, body(model, max_tokens=1000) | {"prompt": ""})
    assert "at most 1,000 tokens out" in page.words
    assert "cost" not in page.words


def test_above_the_budget_run_asks_once_more_and_an_unknown_cost_is_above_it(replay: Replay, model: str) -> None:
    page = Page(replay, body(model), body(model)).open("compare.budget").set("compare.budget_usd", 0.5)
    try:
        page.click("run")
        assert "has a cost that is not known; the budget is $0.5." in page.words
        page.click("compare.run_not")
        assert "the budget is" not in page.words
        page.click("run-compare-b").click("compare.run_anyway").finished()
        assert (len(replay.calls(model)), page.runs(0), len(page.runs(1))) == (1, [], 1)
        opened_workspace().prices.replace([Price(model, Decimal(1), Decimal(2)), *FIRST_PRICES])
        assert "the budget is" not in page.click("run").finished().words
        assert len(replay.calls(model)) == 3
    finally:
        opened_workspace().comparison_budget.set(None)
        opened_workspace().prices.reset()


def test_deleted_comparison_says_so_where_it_is_still_open_and_an_edit_brings_it_back(replay: Replay, model: str) -> None:
    page = Page(replay, body(model), body(model)).click("run").finished()
    assert "in History" in page.words
    opened_workspace().comparisons.delete([page.link])
    assert "deleted; an edit brings it back" in page.run().words
    assert Page(replay, link=page.link).comparison.deleted_at is not None, "looking at it is no edit"
    assert "in History" in page.set("compare.prompt", "Other").words
    assert page.comparison.deleted_at is None


def test_beginning_anew_leaves_the_comparison_where_it_is_and_undo_goes_back_to_it(replay: Replay, model: str) -> None:
    page = Page(replay, body(model), body(model, seed=3)).click("run").finished()
    before = page.comparison
    page.open("compare.new").click("compare.from_playground")
    assert page.link != before.id
    assert page.runs(0) == []
    assert opened_workspace().comparisons.find(before.id) == before
    page.click("compare.undo")
    assert page.comparison == before
    page.open("compare.new").click("compare.copy")
    assert (page.link != before.id, page.comparison.board) == (True, before.board)


def test_deleted_run_is_said_to_be_missing_and_the_rest_is_as_it_was(replay: Replay, model: str) -> None:
    page = Page(replay, body(model), body(model, seed=3)).set("compare.repeats", 2).click("run").finished()
    runs, repository = [page.runs(place) for place in range(2)], opened_workspace().runs
    eventually(lambda: set(repository.statuses([*runs[0], *runs[1]]).values()) == {"finished"}, what="runs in storage")
    moment = repository.delete(RunFilter(ids=(runs[1][0],)))
    assert "1 of 2 runs is missing: deleted" in page.run().words
    repository.delete(RunFilter(ids=(runs[1][1],)))
    assert "All 2 runs are missing" in page.run().words
    assert page.words.count("answered by") == 1, "A's answer is still shown"
    assert page.runs(1) == runs[1]
    assert moment is not None
    repository.undelete(moment)
    assert "1 of 2 runs is missing" in page.run().words


def test_removed_slot_comes_back_with_its_chips_and_runs_until_something_else_happens(replay: Replay, model: str) -> None:
    page = Page(replay, body(model), body(model, seed=3), body(model, top_p=0.5)).click("run").finished()
    runs = [page.runs(place) for place in range(3)]
    page.open("more-compare-b").click("remove-compare-b")
    assert paths(page) == {"compare-b": ["top_p"]}
    page.click("compare.undo")
    assert paths(page) == {"compare-b": ["seed"], "compare-c": ["top_p"]}
    assert [page.runs(place) for place in range(3)] == runs
    page.click("compare.add")
    assert page.at.get_by_key("compare.undo")
    page.set("compare.prompt", "Other")
    assert not [button for button in page.at.button if button.key == "compare.undo"]


def test_it_begins_with_the_playgrounds_draft_twice(replay: Replay, model: str) -> None:
    page = Page(replay)
    page.at.session_state["session.draft.a"] = {"body": body(model, top_p=0.3), "extra": ""}
    page.open("compare.new").click("compare.from_playground")
    assert [slot["draft"]["body"] for slot in page.board["slots"]] == [body(model, top_p=0.3)] * 2
    assert page.at.get_by_key("compare.prompt").value == "Say it"


def test_it_begins_from_a_preset_of_a_request(replay: Replay, model: str) -> None:
    name = f"Cold {model}"
    made = opened_workspace().presets.add([NewPreset(Label(name), DraftContent(body(model, temperature=0)))])[0]
    page = Page(replay, body(model), body(model, seed=1)).click("run").finished()
    before = page.link
    page.open("compare.new").set("compare.new.find", name).click(f"compare.new.{made.id}")
    assert [slot["draft"]["body"] for slot in page.board["slots"]] == [body(model, temperature=0)] * 2
    assert (page.link != before, page.runs(0)) == (True, [])


def test_there_is_room_for_eight(replay: Replay, model: str) -> None:
    page = Page(replay, *(body(model, seed=number) for number in range(MOST_SLOTS - 1)))
    page.click("compare.add")
    assert len(page.board["slots"]) == MOST_SLOTS
    assert page.at.get_by_key("compare.add").disabled


def test_determinism_check_sends_one_seed_without_the_cache_and_says_identical_instead_of_noise(replay: Replay, model: str) -> None:
    page = Page(replay, body(model, cache={"type": "exact_match"}), body(model, seed=4)).open("compare.checks")
    page.click("compare.determinism").finished()
    assert sorted(call.body["seed"] for call in replay.calls(model)) == [1, 1, 1, 4, 4, 4]
    assert not any("cache" in call.body for call in replay.calls(model))
    assert "A: identical, 3 of 3 answers with seed 1." in page.words
    assert "B: identical, 3 of 3 answers with seed 4." in page.words
    assert "Edited since it ran" not in page.words
    assert "Too few repeats" not in page.words


def test_blind_vote_hides_whose_answers_they_are_and_tallies_what_was_picked(replay: Replay, model: str) -> None:
    other = replay.add(Script.of("quite another answer"))
    page = Page(replay, body(model), body(other)).open("compare.checks").click("compare.vote")
    page.set("blind.prompt", "What is best?").click("blind.run").finished()
    assert opened_workspace().hub.channels.channel(page.at.session_state["session.channel"]).slots == {}  # no events of these runs are sent
    answers = [block.value for block in page.at.code]
    assert sorted(answers) == ["one two three", "quite another answer"]
    page.click(f"blind.pick.{answers.index('quite another answer') + 1}")
    assert "was picked" not in page.words
    page.click("blind.reveal")
    assert f"**Answer {answers.index('quite another answer') + 1}** was **B**" in page.words
    assert "B was picked in 1 of 1 vote (95 % interval 21 % to 100 %): not settled" in page.words
    page.click("blind.next")
    assert "Every answer was voted on." in page.words
    page.click("blind.run").finished().click("blind.tie").click("blind.leave").finished()
    assert "B was picked in 1 of 1 vote" in page.words
    assert "Once it was a tie." in page.words
    assert {call.body["prompt"] for call in replay.calls(other)} == {"What is best?"}
    kept = page.comparison.parts["votes"]
    assert [vote["choice"] is None for vote in kept] == [False, True]
    assert opened_workspace().comparisons.find(page.comparison.id) is not None


def test_vote_goes_on_blind_in_the_same_order_after_a_reload_and_in_every_tab(replay: Replay, model: str) -> None:
    other = replay.add(Script.of("quite another answer"))
    first = Page(replay, body(model), body(other))
    stale = Page(replay, link=first.link)
    first.open("compare.checks").click("compare.vote").set("blind.prompt", "What is best?").click("blind.run").finished()
    order = [block.value for block in first.at.code]
    for again in (Page(replay, link=first.link), stale.run(), first.run()):
        assert [block.value for block in again.at.code] == order
        assert {"blind.pick.1", "blind.pick.2", "blind.tie"} <= {button.key for button in again.at.button}
        assert not [name for name in (model, other, "baseline", "in History") if name in again.words + again.tables]
        assert opened_workspace().hub.channels.channel(again.at.session_state["session.channel"]).slots == {}
    first.click("blind.pick.2")
    stale.click("blind.pick.1")  # its page still shows what was voted on: one vote for a ballot
    assert [vote["choice"] == vote["shown"][1] for vote in first.comparison.parts["votes"]] == [True]
    again = Page(replay, link=first.link)
    assert "Kept: answer 2." in [one.value for one in again.at.success]
    assert not [name for name in (model, other, "was **") if name in again.words]
    again.click("blind.reveal")
    assert f"**Answer 2** was **{'AB'[order[1] == 'quite another answer']}**" in Page(replay, link=first.link).words
    again.click("blind.leave")
    assert "B was picked" in first.run().words or "A was picked" in first.words
    assert "blind.tie" not in {button.key for button in stale.run().at.button}


def test_vote_in_one_comparison_leaves_the_others_as_they_are(replay: Replay, model: str) -> None:
    page = Page(replay, body(model), body(model)).open("compare.checks").click("compare.vote")
    desk_of_another = Page(replay, body(model, temperature=0.5), body(model))
    assert "blind.leave" not in {button.key for button in desk_of_another.at.button}
    assert "blind.leave" in {button.key for button in page.run().at.button}


def test_figures_that_differ_are_named_with_their_size_and_drawn(replay: Replay, model: str) -> None:
    longer = replay.add(Script.of("one two three four five six"))
    page = Page(replay, body(model), body(longer)).set("compare.repeats", 5).click("run").finished()
    assert "B against A: tokens out +3, +100 % (+3 to +3)" in page.words
    assert "6 +100 %" in page.tables
    page.open("compare.charts")
    assert len(page.at.get("vega_lite_chart")) + len(page.at.get("arrow_vega_lite_chart")) >= 3


def test_opening_settings_redraws_them_and_the_heads_concerned(replay: Replay, model: str) -> None:
    page = Page(replay, body(model), body(model), body(model)).click("edit-compare-b")
    drawn = {button.key for button in page.at.button if button.key and button.key.startswith("edit-")}
    assert drawn == {"edit-compare-b"}
    drawn = {button.key for button in page.run().click("edit-compare-c").at.button if button.key and button.key.startswith("edit-")}
    assert drawn == {"edit-compare-b", "edit-compare-c"}
