"""A row's verdict and ratio follow from its figures."""

from __future__ import annotations

import pytest

from tests.benchmarks.__main__ import table
from tests.benchmarks.row import reaches, row


@pytest.mark.parametrize(
    ("value", "target", "kept"),
    [
        (30.0, "≤ 30 ms", True),
        (30.1, "≤ 30 ms", False),
        (3_000, "≥ 3,000 tokens/s", True),
        (149.9, "p95 < 150 ms", True),
        (1, "> 1.5", False),
    ],
)
def test_target_is_read_from_its_text(value: float, target: str, kept: bool) -> None:
    assert reaches(value, target) is kept


def test_target_without_a_comparison_is_refused() -> None:
    with pytest.raises(ValueError, match="no comparison"):
        reaches(1.0, "fast")


def test_ratio_says_by_how_much_ours_is_better_whichever_way_better_lies() -> None:
    assert row("lag", "ms", 20.0, reference=("theirs", 50.0)).ratio == 2.5
    assert row("speed", "tokens/s", 50.0, reference=("theirs", 20.0), more_is_better=True).ratio == 2.5


def test_target_in_times_is_compared_with_the_ratio() -> None:
    assert row("decoding", "tokens/s", 900.0, target="≥ 10 ×", reference=("theirs", 100.0), more_is_better=True).met is False
    assert row("decoding", "tokens/s", 1_000.0, target="≥ 10 ×", reference=("theirs", 100.0), more_is_better=True).met is True


def test_table_shows_a_missed_target() -> None:
    lines = table([row("lag", "ms", 31.25, target="≤ 30 ms")]).splitlines()
    assert lines[1].split() == ["lag", "31.2", "ms", "≤", "30", "ms", "NO"]
