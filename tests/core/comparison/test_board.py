"""What can be done to a comparison that is being edited."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.comparison.board import MOST_SLOTS, Board, NoRoom, begun, opened, with_change
from core.outgoing import outgoing


def draft(**body: Any) -> dict[str, Any]:
    return {"body": {"model": "m", "prompt": "p", **body}, "extra": ""}


def board(*bodies: dict[str, Any]) -> Board:
    """A board of slots with these fields beside model and prompt."""
    return opened([draft(**body)["body"] for body in bodies], [f"run{place}" for place in range(len(bodies))])


def paths(one: Board, place: int) -> list[str]:
    return [difference.path for difference in one.differences(place)]


def test_begun_board_has_two_slots_set_alike_that_do_not_share_a_draft():
    made = begun(draft(temperature=0.2))
    assert paths(made, 1) == []
    made.slots[1].draft["body"]["temperature"] = 1
    assert paths(made, 1) == ["temperature"]


def test_board_is_the_same_after_a_round_trip_through_json():
    made = board({}, {"temperature": 1}).renamed(1, "warm").freed(1, True)
    assert Board.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_shared_prompt_reaches_every_slot_that_has_none_of_its_own():
    made = board({}, {}, {}).freed(2, True)
    made = Board(made.slots, prompt="other").shared()
    assert [one.draft["body"]["prompt"] for one in made.slots] == ["other", "other", "p"]


def test_own_prompt_comes_back_when_a_slot_is_freed_again():
    made = board({}, {}).freed(1, True)
    made.slots[1].draft["body"]["prompt"] = "mine"
    shared = made.freed(1, False)
    assert paths(shared, 1) == []
    assert shared.freed(1, True).slots[1].draft["body"]["prompt"] == "mine"


def test_requests_with_other_prompts_open_with_a_prompt_of_their_own():
    made = opened([{"model": "m", "prompt": "p"}, {"model": "m", "prompt": "q"}], ["1", "2"])
    assert [one.own_prompt for one in made.slots] == [False, True]
    assert paths(made, 1) == ["prompt"]


def test_request_sent_is_what_an_opened_slot_would_send_again():
    body = {"model": "m", "prompt": "p", "stop": ["a"], "logit_bias": {"1": 2}, "orq": {"future": 1, "name": "x"}}
    assert outgoing(opened([body], ["1"]).slots[0].draft).body == body


def test_duplicate_stands_behind_its_slot_is_set_like_it_and_has_no_runs():
    made = board({}, {"temperature": 1}, {}).duplicated(1)
    assert [paths(made, place) for place in range(4)] == [[], ["temperature"], ["temperature"], []]
    assert made.slots[2].runs == ()


def test_ninth_slot_is_refused():
    full = board(*({} for _ in range(MOST_SLOTS)))
    with pytest.raises(NoRoom):
        full.added()
    with pytest.raises(NoRoom):
        full.duplicated(3)


@pytest.mark.parametrize(("place", "step", "order"), [(0, 1, "bac"), (2, -1, "acb"), (0, -1, "abc"), (2, 1, "abc")])
def test_moving_keeps_runs_names_and_open_settings_with_their_slot(place: int, step: int, order: str):
    made = board({}, {}, {})
    for at, name in enumerate("abc"):
        made = made.renamed(at, name)
    moved = Board(made.slots, prompt="p", edited=place).moved(place, step)
    assert "".join(one.name for one in moved.slots) == order
    assert [one.runs for one in moved.slots] == [(f"run{'abc'.index(name)}",) for name in order]
    assert moved.slots[moved.edited].name == "abc"[place]


def test_removing_a_slot_before_the_one_being_edited_keeps_that_one_open():
    made = Board(board({}, {}, {}).slots, edited=2)
    assert made.removed(0).edited == 1
    assert made.removed(2).edited is None
    assert len(board({}).removed(0).slots) == 1


def test_ladder_has_one_change_a_slot_and_keeps_the_whole():
    made = board({"temperature": 0.2, "retry": {"count": 1}}, {"temperature": 0.9, "top_p": 0.5, "retry": {"count": 3}}).ladder(1)
    assert [paths(made, place) for place in range(len(made.slots))] == [
        [],
        ["temperature"],
        ["retry.count"],
        ["top_p"],
        ["temperature", "retry.count", "top_p"],
    ]
    assert [one.name for one in made.slots] == ["", "temperature", "retry.count", "top_p", ""]


def test_ladder_with_a_prompt_among_the_changes_frees_only_that_step():
    made = opened([{"model": "m", "prompt": "p"}, {"model": "n", "prompt": "q"}], ["1", "2"]).ladder(1)
    assert [paths(made, place) for place in range(4)] == [[], ["model"], ["prompt"], ["model", "prompt"]]


def test_ladder_that_does_not_fit_is_refused():
    with pytest.raises(NoRoom):
        board({}, {"temperature": 1, "top_p": 0.5}, *({} for _ in range(5))).ladder(1)


CHANGES = [
    ({"temperature": 1}, {"temperature": 0}, "temperature"),
    ({"temperature": 1}, {}, "temperature"),
    ({}, {"seed": None}, "seed"),
    ({"retry": {"count": 2}}, {}, "retry.count"),
    ({}, {"cache": {"type": "exact_match", "ttl": 9}}, "cache.ttl"),
    ({"stop": ["a", "b"]}, {"stop": ["a"]}, "stop"),
    ({"logit_bias": {"1": 2}}, {"logit_bias": {"1": 3}}, "logit_bias.1"),
]


@pytest.mark.parametrize(("baseline", "other", "path"), CHANGES)
def test_as_in_the_baseline_takes_one_difference_away_and_no_other(baseline: dict[str, Any], other: dict[str, Any], path: str):
    made = board({**baseline, "top_k": 3}, {**other, "n": 2})
    before = paths(made, 1)
    assert path in before
    assert paths(made.as_baseline(1, path), 1) == [name for name in before if name != path]


def test_change_of_a_field_alone_leaves_the_rest_of_a_body_alone():
    body = {"model": "m", "orq": {"timeout": {"call_timeout": 5}}}
    assert with_change(body, {"model": "n"}, "orq.timeout.call_timeout") == {"model": "m"}
    assert with_change(body, {"model": "n"}, "model") == {**body, "model": "n"}


def test_title_is_the_letter_and_the_name():
    assert board({}, {}).renamed(1, "  cold  one ").title(1) == "B · cold one"
    assert board({}).title(0) == "A"
