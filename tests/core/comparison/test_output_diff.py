"""A diff gives back both texts, and a verdict says where they part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.comparison.output_diff import Span, parting, verdict, visible, word_diff

TEXTS = st.text("ab \n.", max_size=30) | st.text(max_size=20)


@given(TEXTS, TEXTS)
def test_spans_joined_are_both_texts(before, after):
    spans = word_diff(before, after)
    assert "".join(span.text for span in spans if span.change != "added") == before
    assert "".join(span.text for span in spans if span.change != "removed") == after
    assert all(span.text for span in spans)


@given(TEXTS, TEXTS)
def test_texts_are_the_same_up_to_where_they_part(before, after):
    at = parting(before, after)
    if at is None:
        assert before == after
    else:
        assert before[:at] == after[:at]
        assert before[at : at + 1] != after[at : at + 1]


def test_words_are_changed_whole():
    assert word_diff("a small cat sat", "a large cat sat") == (
        Span("same", "a "),
        Span("removed", "small"),
        Span("added", "large"),
        Span("same", " cat sat"),
    )


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("", "", "identical"),
        ("same", "same", "identical"),
        ("same", "some", "diverges at character 2"),
        ("a", "ab", "diverges at character 2"),
        ("a", "", "diverges at character 1"),
        ("x" * 2_000, "x" * 2_000 + "!", "diverges at character 2,001"),
    ],
)
def test_verdict_counts_as_people_do(before, after, says):
    assert verdict(before, after) == says


def test_white_space_is_made_visible_and_lines_still_break():
    assert visible("a b\tc\nd") == "a·b→\tc¶\nd"
