from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.local_router.models.ngram import LearnedText
from core.local_router.models.tokenizer import END_OF_TEXT, LONGEST_PIECE, Tokenizer, split

small = Tokenizer(["The cat sat on the mat.", "The dog sat, too."])


@settings(deadline=None)
@given(st.text())
def test_decoding_gives_back_any_text(text):
    assert small.decode(small.encode(text)) == text


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("catsdogTh e\n\t.😀é漢_1*")))
def test_decoding_gives_back_half_known_text(text):
    assert small.decode(small.encode(text)) == text


def test_lone_surrogate_survives():
    assert small.decode(small.encode("a\ud800b")) == "a\ud800b"


@settings(deadline=None)
@given(st.text())
def test_pieces_joined_are_the_text(text):
    assert "".join(split(text)) == text


def test_word_takes_the_space_before_it():
    assert split("The cat  sat,\n  twice.") == ["The", " cat", " ", " sat", ",", "\n ", " twice", "."]


def test_known_text_is_one_token_a_piece(learned: LearnedText):
    text = " is an executable statement."
    assert len(learned.tokenizer.encode(text)) == 5


def test_frequent_pieces_have_the_smaller_ids():
    assert small.encode(" sat") < small.encode(" dog")


def test_unknown_word_costs_the_pieces_it_is_cut_into():
    assert len(small.encode(" cats")) > len(small.encode(" cat"))


@pytest.mark.parametrize(("character", "tokens"), [("é", 2), ("漢", 3), ("😀", 4)])
def test_unseen_character_costs_a_token_for_each_byte(character, tokens):
    assert len(small.encode(character)) == tokens


def test_part_of_a_character_is_shown_as_replaced():
    assert small.decode(small.encode("😀")[:2]) == "\N{REPLACEMENT CHARACTER}"


def test_end_of_text_has_no_characters_and_no_text_encodes_to_it():
    assert small.decode([END_OF_TEXT]) == ""
    assert END_OF_TEXT not in small.encode("\0 <end>")


@pytest.mark.parametrize("text", ["the " * 100, "x" * 100, "漢" * 100], ids=["words", "one word", "bytes"])
def test_limit_stops_the_work_one_token_beyond(text):
    assert small.encode(text, limit=20) == small.encode(text)[:21]


def test_long_known_piece_is_found_whole():
    word = "a" * (LONGEST_PIECE + 10)
    tokenizer = Tokenizer([word])
    assert len(tokenizer.encode(word)) == 1
