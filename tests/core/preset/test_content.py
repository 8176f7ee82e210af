"""What a preset holds: everything that would be sent, nothing of a session, and never something that is no JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from core.comparison.board import Board, BoardSlot
from core.errors import InvalidPreset
from core.outgoing import outgoing
from core.preset.content import (
    LARGEST_BYTES,
    Content,
    DraftContent,
    comparison_content,
    content_from,
    content_text,
    digest_of,
    draft_content,
    models_of,
    sets_of,
)
from tests.core.preset.contents import COMPARISONS, CONTENTS, comparison, draft


@given(CONTENTS)
def test_content_comes_back_from_json_as_it_was(content: Content) -> None:
    back = content_from(json.loads(json.dumps(content.to_dict())))
    assert back == content
    assert digest_of(back) == digest_of(content)


@given(COMPARISONS)
def test_board_of_a_comparison_gives_the_same_comparison_again(content: Any) -> None:
    assert comparison_content(content.board) == content


def test_draft_keeps_what_is_sent_and_leaves_the_shelf() -> None:
    edited = {"body": {"model": "m", "seed": None, "retry": {}}, "extra": "{", "shelf": {"cache": {"ttl": 1}}}
    content = draft_content(edited)
    assert content.to_dict() == {"draft": {"body": {"model": "m", "seed": None, "retry": {}}, "extra": "{"}}
    edited["body"]["model"] = "other"  # type: ignore[index]
    content.draft["body"]["model"] = "third"
    assert content.body["model"] == "m"


def test_comparison_leaves_runs_and_has_the_shared_prompt_once() -> None:
    slot = {"body": {"model": "m", "prompt": "shared"}, "extra": ""}
    own = {"body": {"model": "m", "prompt": "mine"}, "extra": ""}
    board = Board((BoardSlot(slot, "cold", runs=("r1",)), BoardSlot(own, own_prompt=True)), "shared", 3, True, edited=1)
    made = comparison_content(board)
    assert json.dumps(made.to_dict()).count("shared") == 1
    assert (made.board.edited, made.board.repeats, made.board.keep_cache) == (None, 3, True)
    assert [outgoing(one.draft).body["prompt"] for one in made.board.slots] == ["shared", "mine"]
    assert all(not one.runs for one in made.board.slots)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "either a draft or a comparison"),
        ({}, "either a draft or a comparison"),
        ({"draft": {"body": {}}, "comparison": {}}, "either a draft or a comparison"),
        ({"draft": "p"}, "draft must be an object"),
        ({"draft": {"body": []}}, "draft.body must be an object"),
        ({"draft": {"body": {}, "extra": 1}}, "draft.extra must be an object"),
        ({"draft": {"body": {}, "shelf": {}}}, "no field 'shelf'"),
        ({"draft": {"body": {"x": float("nan")}}}, "not 'nan'"),
        ({"draft": {"body": {"x": {1: 2}}}}, "what JSON can"),
        ({"comparison": {"slots": []}}, "1 to 8 slots"),
        ({"comparison": {"slots": [{"body": {}}] * 9}}, "1 to 8 slots"),
        ({"comparison": {"slots": [{"body": {}}], "repeats": 11}}, "from 1 to 10"),
        ({"comparison": {"slots": [{"body": {}}], "repeats": True}}, "from 1 to 10"),
        ({"comparison": {"slots": [{"body": {}}], "keep_cache": 1}}, "keep_cache"),
        ({"comparison": {"slots": [{"body": {}}, {"body": {}, "name": "n" * 41}]}}, "comparison.slots.1.name"),
        ({"comparison": {"slots": [{"body": {"prompt": "p"}}]}}, "own_prompt must be true"),
    ],
)
def test_what_is_no_content_is_refused_with_its_place(data: Any, says: str) -> None:
    with pytest.raises(InvalidPreset, match=says):
        content_from(data)


def test_content_nested_too_deeply_is_refused_in_words() -> None:
    deep: Any = {}
    for _ in range(3_000):
        deep = [deep]
    with pytest.raises(InvalidPreset, match="nested 100 deep"):
        draft_content({"body": {"x": deep}})


def test_megabyte_of_text_is_kept_and_nine_are_refused() -> None:
    assert len(content_text(draft(prompt="x" * 1_000_000))) > 1_000_000
    with pytest.raises(InvalidPreset, match="8 MB"):
        content_text(draft(prompt="x" * (LARGEST_BYTES + 1)))


def test_extra_fields_may_be_written_as_an_object() -> None:
    content = content_from({"draft": {"body": {}, "extra": {"logit_bias": {"5": 1}}}})
    assert isinstance(content, DraftContent)
    assert json.loads(content.extra) == {"logit_bias": {"5": 1}}


def test_models_are_those_that_may_answer() -> None:
    balanced = draft(fallbacks=[{"model": "b"}], load_balancer={"type": "weight_based", "models": [{"model": "c", "weight": 1}]})
    assert models_of(balanced) == ("local/pydoc", "c", "b")
    assert models_of(DraftContent({"model": 5, "fallbacks": "x"})) == ()


def test_sets_counts_fields_of_a_draft_and_slots_of_a_comparison() -> None:
    assert sets_of(draft(temperature=0, retry={"count": 2, "on_codes": [429]})) == 3
    assert sets_of(comparison(0, 0.5, 1)) == 3
