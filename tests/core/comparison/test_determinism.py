"""The determinism check: identical, or where answers part and what changed."""

from __future__ import annotations

from dataclasses import replace

from core.comparison.determinism import SEED, determinism, repeated_exactly, same_requests
from core.run import ChoiceText, RunSnapshot
from tests.core.storage.samples import run

BODY = {"model": "m", "prompt": "p", "seed": 7}


def said(text: str, **changes: object) -> RunSnapshot:
    made = replace(run(), status="finished", body=BODY, choices={0: ChoiceText(text, "stop")}, model="m", system_fingerprint="fp")
    return replace(made, **changes)


def test_check_sends_one_request_with_one_seed_and_without_the_cache() -> None:
    cached = {"model": "m", "cache": {"type": "exact_match"}, "orq": {"cache": {"type": "exact_match"}}}
    assert repeated_exactly(cached, 3) == [{"model": "m", "seed": SEED}] * 3
    assert repeated_exactly(BODY, 2) == [BODY, BODY]
    assert repeated_exactly({"model": "m", "seed": None}, 1) == [{"model": "m", "seed": SEED}]


def test_runs_are_a_check_only_with_one_request_one_seed_and_no_cache() -> None:
    assert same_requests([said("x"), said("y")])
    assert not same_requests([said("x")])
    assert not same_requests([said("x"), said("x", body={**BODY, "seed": 8})])
    assert not same_requests([said("x", body={"model": "m"})] * 2)
    assert not same_requests([said("x", body={**BODY, "cache": {"type": "exact_match"}})] * 2)


def test_equal_answers_are_identical() -> None:
    found = determinism([said("one two")] * 4)
    assert found.parting is None
    assert found.sentence("A") == "A: identical, 4 of 4 answers with seed 7."


def test_other_answer_is_named_with_character_word_and_both_texts() -> None:
    found = determinism([said("one two three"), said("one two three"), said("one two four five")])
    assert found.parting is not None
    assert (found.parting.repeat, found.parting.character, found.parting.word) == (3, 9, 3)
    assert (found.parting.before, found.parting.first, found.parting.other) == ("one two ", "three", "four five")
    assert found.sentence("B") == (
        "B: 2 different answers of 3 with seed 7; number 3 leaves the first at character 9 (word 3). The same model answered."
    )


def test_parting_within_a_word_and_at_the_end_are_counted_as_a_person_would() -> None:
    within = determinism([said("one twenty"), said("one twelve")]).parting
    assert within is not None
    assert (within.character, within.word) == (8, 2)
    longer = determinism([said("one"), said("one two")]).parting
    assert longer is not None
    assert (longer.character, longer.word, longer.first, longer.other) == (4, 2, "", " two")


def test_other_model_or_fingerprint_is_said_to_be_what_changed() -> None:
    assert "Different models answered: m, n." in determinism([said("a"), said("b", model="n")]).sentence("A")
    assert "fingerprint changed: fp, fp2." in determinism([said("a"), said("b", system_fingerprint="fp2")]).sentence("A")


def test_runs_that_did_not_finish_are_left_out() -> None:
    found = determinism([said("a"), said("b", status="failed")])
    assert (found.answers, found.parting) == (1, None)
    assert "two finished answers are needed" in found.sentence("A")
