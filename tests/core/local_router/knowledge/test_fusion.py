"""Reciprocal rank fusion against its formula."""

from __future__ import annotations

import pytest

from core.local_router.knowledge.fusion import fuse


def test_scores_are_those_of_the_formula_divided_by_the_best_possible() -> None:
    scores = dict(fuse([["a", "b", "c"], ["b", "d"]]))
    assert scores == pytest.approx(
        {
            "a": (1 / 61) / (2 / 61),
            "b": (1 / 62 + 1 / 61) / (2 / 61),
            "c": (1 / 63) / (2 / 61),
            "d": (1 / 62) / (2 / 61),
        }
    )


def test_first_everywhere_is_one_and_first_in_one_of_two_is_a_half() -> None:
    assert fuse([["a"], ["a"]]) == [("a", 1.0)]
    assert fuse([["a"], []]) == [("a", 0.5)]


def test_the_best_comes_first_and_equals_keep_the_order_they_were_met_in() -> None:
    assert [item for item, _ in fuse([["x", "y"], ["y", "x"]])] == ["x", "y"]
    assert [item for item, _ in fuse([["x", "y", "z"], ["z"]])] == ["z", "x", "y"]


def test_nothing_found_is_nothing() -> None:
    assert fuse([[], []]) == []
