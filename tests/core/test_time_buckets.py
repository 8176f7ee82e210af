"""Stretches of time are as narrow as can be seen, and have names."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.time_buckets import MOST, WIDTHS, bucket_in_words, bucket_of


@pytest.mark.parametrize("minutes", [0, 1, 58, 59, 60, 600, 5_000, 50_000, 400_000, 900_000, 3_000_000])
def test_no_more_stretches_than_can_be_drawn_and_no_wider_ones_than_needed(minutes: int) -> None:
    span = timedelta(minutes=minutes)
    width = bucket_of(span)
    assert span // width + 2 <= MOST + 1  # a span that begins inside a stretch reaches into one more
    narrower = [one for one in WIDTHS if one < width]
    assert not narrower or span // narrower[-1] + 2 > MOST


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=15), "15 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(days=1), "1 day"),
        (timedelta(weeks=1), "1 week"),
        (timedelta(weeks=4), "4 weeks"),
    ],
)
def test_widths_have_names(width: timedelta, words: str) -> None:
    assert bucket_in_words(width) == words
