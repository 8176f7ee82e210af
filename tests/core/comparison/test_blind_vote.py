"""The blind vote as a comparison keeps it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.comparison.blind_vote import BlindVote, blind_vote_of
from tests.core.storage.samples import run

VOTED = BlindVote("voted", (1, 0), ("run-b", "run-a"), 2)


@pytest.mark.parametrize("vote", [BlindVote(), BlindVote("vote", (1, 0), ("run-b", "run-a")), VOTED, BlindVote("revealed", (0,), ("run",))])
def test_vote_comes_back_from_json_as_it_was(vote: BlindVote) -> None:
    assert blind_vote_of(json.loads(json.dumps(vote.to_json()))) == vote


def test_comparison_without_the_part_is_in_no_vote() -> None:
    assert blind_vote_of(None) is None


@pytest.mark.parametrize(
    "part",
    [
        {},
        [],
        "vote",
        7,
        {**VOTED.to_json(), "stage": "open"},
        {**VOTED.to_json(), "order": [0]},
        {**VOTED.to_json(), "order": ["first", "second"]},
        {**VOTED.to_json(), "choice": 3},
        {**VOTED.to_json(), "choice": "B"},
        {**VOTED.to_json(), "order": [], "runs": [], "choice": None},
    ],
)
def test_part_that_cannot_be_read_is_a_vote_with_everything_hidden(part: Any) -> None:
    assert blind_vote_of(part) == BlindVote()


def test_order_holds_for_exactly_the_answers_it_was_drawn_for() -> None:
    first, second, third = (run() for _ in range(3))
    drawn = BlindVote("vote", (1, 0), (second.id, first.id))
    assert drawn.is_of({0: first, 1: second})
    assert not drawn.is_of({0: first, 1: third})
    assert not drawn.is_of({0: first})
    assert not drawn.is_of({0: first, 1: second, 2: third})
    assert not BlindVote().is_of({0: first, 1: second})
