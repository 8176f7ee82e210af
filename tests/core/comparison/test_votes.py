"""Blind votes: candidates, ballots, and what many votes come to."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from scipy.stats import binomtest

from core.comparison.board import Board, opened
from core.comparison.votes import Vote, ballot, binomial_p, candidates, tally, votes_of, wilson
from tests.core.storage.samples import run

AT = datetime(2026, 11, 26, tzinfo=UTC)


def vote(choice: str | None, *shown: str, runs: tuple[str, ...] = ()) -> Vote:
    return Vote(AT, shown or ("a", "b"), choice, runs)


def board(*bodies: dict[str, object]) -> Board:
    return opened([{"prompt": "p", **body} for body in bodies], ["" for _ in bodies])


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (3, 10), (7, 9), (9, 9), (0, 40), (21, 40), (500, 1000)])
def test_wilson_interval_and_exact_p_value_are_scipys(hits: int, n: int) -> None:
    expected = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert wilson(hits, n) == pytest.approx((expected.low, expected.high))
    for chance in (0.5, 1 / 3, 1 / 8):
        assert binomial_p(hits, n, chance) == pytest.approx(binomtest(hits, n, chance).pvalue)


def test_nothing_is_known_before_the_first_vote() -> None:
    found = tally([], ("a", "b"))
    assert wilson(0, 0) == (0.0, 1.0)
    assert (found.votes, found.sentence(["A", "B"])) == (0, "No blind vote on these settings yet.")


def test_votes_are_counted_whatever_order_the_answers_stood_in() -> None:
    found = tally([vote("b"), vote("b", "b", "a"), vote("a", "b", "a"), vote(None)], ("a", "b"))
    assert ([share.picked for share in found.shares], found.ties, found.votes) == ([1, 2], 1, 4)
    assert "B was picked in 2 of 3 votes (95 % interval 21 % to 94 %): not settled" in found.sentence(["A", "B"])
    assert "Once it was a tie." in found.sentence(["A", "B"])


def test_votes_on_other_settings_do_not_count_for_these() -> None:
    found = tally([vote("b"), vote("c", "a", "c"), vote("b", "a", "b", "c")], ("a", "b"))
    assert (found.votes, found.others) == (1, 2)


def test_five_of_five_are_not_settled_and_ten_of_ten_are() -> None:
    assert "not settled" in tally([vote("b")] * 5, ("a", "b")).sentence(["A", "B"])
    assert "more often than chance (p = 0.002)" in tally([vote("b")] * 10, ("a", "b")).sentence(["A", "B"])


def test_ties_alone_and_equal_counts_claim_nothing() -> None:
    assert tally([vote(None)] * 3, ("a", "b")).sentence(["A", "B"]) == "Every one of 3 votes was a tie."
    assert "Nobody is ahead after 2 votes." in tally([vote("a"), vote("b")], ("a", "b")).sentence(["A", "B"])


@pytest.mark.parametrize("count", [2, 3, 8])
def test_votes_without_a_preference_are_called_settled_in_at_most_one_of_twenty(count: int) -> None:
    drawn, names = random.Random(4), tuple("abcdefgh"[:count])
    claims = 0
    for _ in range(400):
        votes = [vote(drawn.choice(names), *names) for _ in range(24)]
        claims += "more often than chance" in tally(votes, names).sentence(names)
    assert claims <= 400 * 0.05


def test_candidate_is_what_a_slot_sends_but_for_its_prompt_and_seed() -> None:
    one = candidates(board({"model": "m", "seed": 1}, {"model": "m", "temperature": 0.5}))
    other = candidates(board({"model": "m", "temperature": 0.5, "prompt": "another"}, {"model": "m", "seed": 9}))
    assert (one[0], one[1]) == (other[1], other[0])
    assert one[0] != one[1]


def test_slots_set_alike_are_candidates_of_their_own() -> None:
    named = candidates(board({"model": "m"}, {"model": "m"}))
    assert len(set(named)) == 2
    assert set(candidates(board({"model": "m"}, {"model": "m"}).moved(0, 1))) == set(named)


def test_ballot_has_the_first_finished_answer_of_each_slot_that_was_not_voted_on() -> None:
    def of(run_id: str, status: str = "finished"):
        return replace(run(id=run_id), status=status)

    runs = [[of("a1"), of("a2")], [of("b1", "failed"), of("b2")], [of("c1", "stopped")]]
    assert {place: found.id for place, found in ballot(runs, []).items()} == {0: "a1", 1: "b2"}
    assert {place: found.id for place, found in ballot(runs, [vote("a", runs=("a1", "b2"))]).items()} == {0: "a2"}


def test_votes_come_back_from_json_and_what_cannot_be_read_is_left_out() -> None:
    kept = vote("b", runs=("r1", "r2"))
    assert votes_of([kept.to_json(), {"at": "never"}, 3, None]) == (kept,)
    assert votes_of(None) == ()
