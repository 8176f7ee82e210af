"""Blocks of code: short ones whole and coloured, long ones their beginning, which is said."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from components.code_block import MOST_COLORED, MOST_SHOWN


@pytest.mark.parametrize(
    ("length", "language", "captions"),
    [
        (MOST_COLORED, "json", []),
        (MOST_COLORED + 1, "plaintext", []),
        (MOST_SHOWN, "plaintext", []),
        (MOST_SHOWN + 1, "plaintext", ["The first 100,000 of 100,001 characters."]),
    ],
)
def test_long_text_is_cut_and_said_to_be(length: int, language: str, captions: list[str]) -> None:
    def script(length: int) -> None:
        from components.code_block import long_code

        long_code("x" * length, language="json", height=200)

    page = AppTest.from_function(script, args=(length,)).run()
    (block,) = page.code
    assert block.value == "x" * min(length, MOST_SHOWN)
    assert block.language == language
    assert [caption.value for caption in page.caption] == captions
