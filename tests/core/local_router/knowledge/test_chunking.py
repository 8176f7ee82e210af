"""Chunks: how long, cut where, and what is kept."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.local_router.knowledge.chunking import LONGEST, OVERLAP, TARGET, chunks, clean


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_a_short_text_is_one_chunk_with_its_line_breaks() -> None:
    assert chunks("One.\r\n  two\n\n\nThree.") == ["One.\n  two\n\nThree."]


def test_paragraphs_stay_whole_where_they_fit() -> None:
    paragraphs = [f"{number} " + "word " * 80 + "end." for number in range(10)]
    pieces = chunks("\n\n".join(paragraphs))
    assert len(pieces) > 3
    assert all(any(paragraph in piece for piece in pieces) for paragraph in paragraphs)
    assert all(len(piece) <= TARGET for piece in pieces)


def test_a_long_paragraph_is_cut_after_sentences_and_the_next_chunk_repeats_the_last_one() -> None:
    sentences = [f"This is sentence number {number} of the paragraph." for number in range(100)]
    pieces = chunks(" ".join(sentences))
    assert all(piece.endswith(".") and piece.startswith("This") for piece in pieces)
    for before, after in pairwise(pieces):
        first = after.split(". ")[0] + "."
        assert first in before
    assert all(any(sentence in piece for piece in pieces) for sentence in sentences)


def test_the_indentation_of_code_is_kept() -> None:
    assert "\n\n    def f():\n        return 1" in chunks("Text.\n\n    def f():\n        return 1")[0]


def test_words_are_not_cut() -> None:
    words = [f"word{number}" for number in range(2_000)]
    assert set(" ".join(chunks(" ".join(words))).split()) == set(words)


@pytest.mark.parametrize("cluster", ["👨‍👩‍👧", "👍🏽", "🇩🇪", "q\u0323\u0301", "किं"])
@pytest.mark.parametrize("shift", range(4))
def test_what_a_person_sees_as_one_character_is_not_parted(cluster: str, shift: int) -> None:
    pieces = chunks("x" * shift + cluster * 1_500)
    assert len(pieces) > 1
    assert all(piece.startswith((cluster, "x", cluster[:1])) and piece.endswith(cluster) for piece in pieces)
    assert "".join(pieces) == "x" * shift + cluster * 1_500


def test_accents_without_end_are_cut_all_the_same() -> None:
    text = "q" + "\u0301" * 5_000
    assert "".join(chunks(text)) == text


@pytest.mark.parametrize("blank", ["", " ", "\n\n \t\n", "\0", "\ufeff"])
def test_blank_text_has_no_chunks(blank: str) -> None:
    assert chunks(blank) == []


def test_broken_surrogates_and_nuls_do_not_come_through() -> None:
    (piece,) = chunks("a\0b\ud800c")
    assert piece == "ab?c"


_ALPHABET = st.sampled_from(["a", "bc ", "Wort. ", "\n", "\n\n", "  ", "é", "e\u0301", "👍🏽", "日本。", "x" * 300, "! ", "-", "\t"])


@given(st.lists(_ALPHABET, max_size=120).map("".join))
def test_any_text_is_kept_whole_in_chunks_of_bounded_length(text: str) -> None:
    pieces = chunks(text)
    assert all(piece.strip() and len(piece) <= LONGEST for piece in pieces)
    assert all(piece in unicodedata.normalize("NFC", piece) for piece in pieces)
    # Without white space every chunk is a piece of the text, they come in order, and together they are all of it.
    whole, end = squeezed(clean(text)), 0
    for piece in map(squeezed, pieces):
        places = [at for at in range(max(0, end - OVERLAP), end + 1) if whole.startswith(piece, at)]
        assert places
        end = max(end, max(at + len(piece) for at in places if at <= end))
    assert end == len(whole)
