"""Hiding and putting back, whole and in pieces."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.local_router.answer import AnswerCut, Piece
from core.local_router.pii.findings import Finding
from core.local_router.pii.placeholders import Placeholders
from core.local_router.pii.restoration import PlaceholderSet, RestoredBatches, TextRestorer

ORIGINALS = {"<EMAIL_ADDRESS_1>": "jane@example.com", "<EMAIL_ADDRESS_12>": "joe@example.com", "<URL_1>": "<EMAIL_ADDRESS_1>"}
FRAGMENTS = [*ORIGINALS, "<EMAIL_ADDRESS_", "<EMAIL_ADDRESS_2>", "<", ">", "<<", "EMAIL", "_1>", "1", "2>", "a b", "é"]


def whole(text: str) -> str:
    placeholders = Placeholders([])
    placeholders.originals.update(ORIGINALS)
    return placeholders.restored(text)


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12), st.data())
def test_any_split_of_the_text_is_restored_like_the_whole(fragments: list[str], data: st.DataObject):
    text = "".join(fragments)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    restorer = TextRestorer(PlaceholderSet(ORIGINALS))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert "".join([*map(restorer.feed, pieces), restorer.flush()]) == whole(text)


def test_only_what_may_become_a_known_placeholder_is_held_back():
    restorer = TextRestorer(PlaceholderSet(ORIGINALS))
    assert restorer.feed("if a < b: <EM") == "if a < b: "
    assert restorer.feed("AIL_ADDRESS_1") == ""
    assert restorer.feed("> or <EMBER") == "jane@example.com or <EMBER"
    assert restorer.feed(" <EMAIL_ADDRESS_3") == " <EMAIL_ADDRESS_3"


PARTS = st.lists(st.tuples(st.text("<EMAIL_1>ab ", max_size=8), st.text("ab1@<", min_size=1, max_size=3)), max_size=6)


@given(PARTS)
def test_what_was_hidden_comes_back_exactly(parts: list[tuple[str, str]]):
    text, findings = "", []
    for between, value in parts:
        text += between
        findings.append(Finding("EMAIL", len(text), len(text) + len(value), 1.0))
        text += value
    placeholders = Placeholders([text])
    assert placeholders.restored(placeholders.hidden(text, findings)) == text


def test_numbers_count_by_kind_and_a_value_keeps_its_own():
    text = "a b a c"
    findings = [Finding("X", 0, 1, 1), Finding("Y", 2, 3, 1), Finding("X", 4, 5, 1), Finding("X", 6, 7, 1)]
    assert Placeholders([text]).hidden(text, findings) == "<X_1> <Y_1> <X_1> <X_2>"


def test_number_that_stands_in_the_text_is_left_out():
    text = "<X_1> a <X_3> b"
    assert Placeholders([text]).hidden(text, [Finding("X", 6, 7, 1), Finding("X", 14, 15, 1)]) == "<X_1> <X_2> <X_3> <X_4>"


async def restored(batches: Sequence[Any]) -> list[Piece | type[Exception]]:
    async def play() -> AsyncGenerator[Sequence[Piece], None]:
        for batch in batches:
            if isinstance(batch, Exception):
                raise batch
            yield batch

    heard: list[Piece | type[Exception]] = []
    try:
        async for batch in RestoredBatches(play(), ORIGINALS):
            heard += batch
    except AnswerCut as error:
        heard.append(type(error))
    return heard


async def test_choices_are_restored_apart_and_tokens_stay():
    heard = await restored(
        [[Piece(0, "<URL", None, 1), Piece(1, "<EMAIL_ADDRESS", None, 1)], [Piece(0, "_1>", None, 1), Piece(1, "_1", "length", 1)]]
    )
    assert heard == [
        Piece(0, "", None, 1),
        Piece(1, "", None, 1),
        Piece(0, "<EMAIL_ADDRESS_1>", None, 1),
        Piece(1, "<EMAIL_ADDRESS_1", "length", 1),
    ]


@pytest.mark.parametrize("ending", [[], [AnswerCut()]])
async def test_what_is_held_back_goes_out_when_the_answer_breaks_off(ending: list[Any]):
    heard = await restored([[Piece(0, "to <EM", None, 1)], *ending])
    assert heard == [Piece(0, "to ", None, 1), Piece(0, "<EM", None, 0), *map(type, ending)]
