"""The verdict on two slots: true on known data, and silent when there is nothing but noise."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.comparison.distance import distance, distances, groups, tokens
from core.comparison.interval import median_difference, median_interval
from core.comparison.noise_floor import ALPHA, corrected, enough, noise_floor

WORDS = ["the", "a", "function", "class", "returns", "value", "of", "name", "with", "object", "is", "not", "called", "by"]


def said(rng: random.Random, length: int = 12, words: list[str] = WORDS) -> str:
    """A random output."""
    return " ".join(rng.choice(words) for _ in range(length))


@given(st.text())
def test_tokens_joined_are_the_text(text):
    assert "".join(tokens(text)) == text


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_distance_is_symmetrical_and_bounded_and_zero_for_the_same(one, other, third):
    assert distance(one, one) == 0
    assert distance(one, other) == distance(other, one)
    assert 0 <= distance(one, other) <= 1
    assert (distance(one, other) == 0) == (one == other)
    assert distances([one, other, third])[0, 2] == pytest.approx(distance(one, third))


def test_distance_counts_tokens_and_not_characters():
    assert distance("a b c d", "a b X d") == pytest.approx(1 / 7)
    assert distance("a", "extraordinarily") == 1


def test_megabytes_are_compared_in_a_second_or_two_by_sentence():
    long = "".join(f"Sentence {number} of a very long answer. " for number in range(28_000))
    began = time.process_time()
    matrix = distances([long, long, long.replace("Sentence 7 ", "Line 7 "), long.replace("very", "rather")])
    assert time.process_time() - began < 10
    assert len(long) > 1_000_000
    assert matrix[0, 1] == 0
    assert 0 < matrix[0, 2] < 0.001
    assert matrix[0, 3] > 0.9


def test_same_outputs_are_grouped_and_counted():
    assert groups(["b", "a", "b", "c"]) == [("b", 2), ("a", 1), ("c", 1)]


def test_same_settings_are_told_apart_in_five_percent_at_most():
    rng = random.Random(3)
    claimed = sum(noise_floor([said(rng) for _ in range(5)], [said(rng) for _ in range(5)]).differs for _ in range(200))
    assert claimed <= stats.binom.ppf(0.999, 200, ALPHA)  # a true 5 % goes beyond once in a thousand, and the seed is fixed


def test_other_words_are_told_apart():
    rng = random.Random(4)
    verdict = noise_floor([said(rng) for _ in range(5)], [said(rng, words=["x", "y", *WORDS[:3]]) for _ in range(5)])
    assert verdict.differs
    assert verdict.sentence == "B differs from A by more than they differ from themselves (k = 5, p = 0.0079)."


def test_slot_that_always_says_the_same_is_told_from_one_that_always_says_another_thing():
    verdict = noise_floor(["yes"] * 4, ["no"] * 4)
    assert (verdict.within_a, verdict.within_b, verdict.between, verdict.p_value) == (0, 0, 1, pytest.approx(1 / 35))


def test_all_the_same_is_no_difference():
    verdict = noise_floor(["yes"] * 5, ["yes"] * 5)
    assert (verdict.differs, verdict.p_value) == (False, 1)
    assert verdict.sentence == "No difference between B and A beyond run-to-run noise (k = 5, p = 1)."
    assert "k = 10" in verdict.next_step


@pytest.mark.parametrize("k", range(1, enough()))
def test_too_few_repeats_never_claim_and_say_how_many_would_do(k):
    verdict = noise_floor(["yes"] * k, ["no"] * k)
    assert verdict.p_value is None
    assert "4 repeats of each slot are the fewest that can. Fewer only show how far apart" in verdict.sentence


@pytest.mark.parametrize("others", range(1, 8))
def test_with_more_slots_the_fewest_repeats_that_can_claim_are_more_and_one_less_claims_nothing(others):
    k = enough(others)
    alike = [noise_floor(["yes"] * k, ["yes"] * k) for _ in range(others - 1)]
    assert corrected([noise_floor(["yes"] * k, ["no"] * k), *alike])[0].differs
    fewer = corrected([noise_floor(["yes"] * (k - 1), ["no"] * (k - 1), name_b=str(number)) for number in range(others)])
    assert {floor.p_value for floor in fewer} == {None}
    assert all(f"{k} repeats of each slot are the fewest that can" in floor.sentence for floor in fewer)
    assert (f"for {others} slots beside A" in fewer[0].sentence) == (others > 1)


def test_p_value_is_scipys_exact_permutation_test():
    rng = random.Random(5)
    outputs = [said(rng, length) for length in (3, 4, 9, 3, 12, 11, 10, 12)]
    matrix = distances(outputs)

    def statistic(x, y):
        mask = np.isin(np.arange(8), x.astype(int))
        inner = [block.sum() / 12 for block in (matrix[mask][:, mask], matrix[~mask][:, ~mask])]
        return matrix[mask][:, ~mask].mean() - sum(inner) / 2

    reference = stats.permutation_test(
        (np.arange(4), np.arange(4, 8)), statistic, permutation_type="independent", alternative="greater", vectorized=False
    )
    assert noise_floor(outputs[:4], outputs[4:]).p_value == pytest.approx(reference.pvalue)


def test_many_repeats_are_dealt_at_random_and_agree_with_the_exact_answer(monkeypatch: pytest.MonkeyPatch):
    rng = random.Random(6)
    a, b = [said(rng, 5) for _ in range(7)], [said(rng, 6) for _ in range(7)]
    exact = noise_floor(a, b)
    monkeypatch.setattr("core.comparison.noise_floor.MOST_DEALS", 1_000)
    drawn = noise_floor(a, b)
    assert (exact.exact, drawn.exact) == (True, False)
    assert drawn.p_value == pytest.approx(exact.p_value, abs=0.06)


def test_interval_is_scipys_percentile_bootstrap():
    figures = stats.expon.rvs(size=101, random_state=1)
    ours = median_interval(figures)
    theirs = stats.bootstrap((figures,), np.median, n_resamples=10_000, method="percentile", rng=2).confidence_interval
    assert (ours.low, ours.high) == (pytest.approx(theirs.low, rel=0.05), pytest.approx(theirs.high, rel=0.05))
    assert ours.median == np.median(figures)


def test_difference_of_medians_holds_the_true_one_about_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("core.comparison.interval.RESAMPLES", 500)
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        interval = median_difference(rng.normal(10, 1, 20), rng.normal(11, 1, 20), seed=seed)
        held += interval.low <= 1 <= interval.high
    assert held >= 180


def test_single_figure_has_no_interval():
    assert median_interval([3.0]) == median_interval([3.0], seed=9)
    assert (median_interval([3.0]).low, median_difference([1.0], [2.0, 3.0]).high) == (None, None)


@pytest.mark.parametrize("call", [lambda: noise_floor([], ["a"]), lambda: median_interval([]), lambda: median_difference([], [1])])
def test_nothing_to_compare_is_refused(call):
    with pytest.raises(ValueError, match=r"needs at least one|no figures"):
        call()
