"""A diff gives back both texts, and a verdict says where they part."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.comparison import output_diff
from core.comparison.output_diff import Row, Span, cut_off, only_differences, parting, side_by_side, verdict, visible, word_diff

TEXTS = st.text("ab \n.", max_size=30) | st.text(max_size=20) | st.lists(st.sampled_from(["one ", "two\n", "red", ". "])).map("".join)


@given(TEXTS, TEXTS)
def test_spans_joined_are_both_texts(before, after):
    spans = word_diff(before, after)
    assert "".join(span.text for span in spans if span.change != "added") == before
    assert "".join(span.text for span in spans if span.change != "removed") == after
    assert all(span.text for span in spans)


@given(TEXTS, TEXTS, st.integers(0, 3))
def test_columns_joined_are_both_texts_also_with_equal_stretches_hidden(before, after, around):
    spans = word_diff(before, after)
    for shown in (spans, only_differences(spans, around=around)):
        rows = side_by_side(shown)
        assert "".join(span.text for row in rows for span in row.left) == before
        assert "".join(span.text for row in rows for span in row.right) == after
        assert not {span.change for row in rows for span in row.left} & {"added"}
        assert not {span.change for row in rows for span in row.right} & {"removed"}
        changes = [span for span in shown if span.change in ("removed", "added")]
        assert changes == [span for span in spans if span.change in ("removed", "added")]


@given(TEXTS, TEXTS, st.integers(1, 400))
def test_texts_that_are_too_long_to_be_compared_by_word_come_back_all_the_same(before, after, steps):
    whole = output_diff.MOST_STEPS
    word_diff.cache_clear()
    output_diff.MOST_STEPS = steps
    try:
        spans = word_diff(before, after)
    finally:
        output_diff.MOST_STEPS = whole
        word_diff.cache_clear()
    assert "".join(span.text for span in spans if span.change != "added") == before
    assert "".join(span.text for span in spans if span.change != "removed") == after
    assert all(one.change != other.change for one, other in pairwise(spans))


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
    ("before", "after", "changed"),
    [
        ("all of this is old", "each and every word new", [("removed", "all of this is old"), ("added", "each and every word new")]),
        (
            "one two and three four",
            "five six and seven eight",
            [("removed", "one two and three four"), ("added", "five six and seven eight")],
        ),
        ("red and blue", "green and black", [("removed", "red"), ("added", "green"), ("removed", "blue"), ("added", "black")]),
        ("one\ntwo", "three\nfour", [("removed", "one"), ("added", "three"), ("removed", "two"), ("added", "four")]),
    ],
)
def test_what_is_equal_by_chance_between_two_changes_belongs_to_them(before, after, changed):
    assert [(span.change, span.text) for span in word_diff(before, after) if span.change != "same"] == changed


def test_long_equal_stretches_are_hidden_and_say_how_many_words_they_have():
    equal = "".join(f"word{number} " for number in range(20))
    found = only_differences(word_diff(f"{equal}old {equal}end", f"{equal}new {equal}end"), around=2)
    assert [(span.change, span.words) for span in found] == [
        ("hidden", 18),
        ("same", 2),
        ("removed", 1),
        ("added", 1),
        ("same", 2),
        ("hidden", 19),
    ]
    short = word_diff("one two old three four", "one two new three four")
    assert only_differences(short) == short


def test_columns_break_where_both_end_a_line_and_what_is_hidden_is_a_row_of_its_own():
    assert side_by_side(word_diff("a b\nc\n", "a x y\nc\n")) == (
        Row((Span("same", "a "), Span("removed", "b"), Span("same", "\n")), (Span("same", "a "), Span("added", "x y"), Span("same", "\n"))),
        Row((Span("same", "c\n"),), (Span("same", "c\n"),)),
    )
    hidden = Span("hidden", "much\nthat is equal")
    rows = side_by_side((Span("removed", "a"), hidden, Span("added", "b")))
    assert [(row.hidden, len(row.left), len(row.right)) for row in rows] == [(None, 1, 0), (hidden, 1, 1), (None, 0, 1)]


def test_a_diff_that_is_cut_off_shows_so_many_characters_and_counts_no_hidden_ones():
    spans = (Span("same", "abc"), Span("hidden", "x" * 100), Span("added", "def"), Span("same", "g"))
    assert cut_off(spans, 5) == (Span("same", "abc"), Span("hidden", "x" * 100), Span("added", "de"))
    assert cut_off(spans, 100) == spans


@pytest.mark.parametrize("line_end", ["\n", ". ", " "])
def test_a_megabyte_is_compared_in_seconds_whatever_differs(line_end):
    before = "".join(f"word{number % 977}{line_end if number % 12 == 0 else ' '}" for number in range(140_000))
    other = "".join(f"more{number % 991}{line_end if number % 12 == 0 else ' '}" for number in range(140_000))
    for after in (before.replace("word7 ", "seven ").replace("word11 ", ""), other):
        began = time.process_time()
        spans = word_diff(before, after)
        assert time.process_time() - began < 8
        assert "".join(span.text for span in spans if span.change != "added") == before
        assert "".join(span.text for span in spans if span.change != "removed") == after
        if after is not other and line_end != " ":
            assert {span.text for span in spans if span.change == "added"} == {"seven"}


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
