"""A comparison as one document."""

from __future__ import annotations

import json

from core.comparison.board import opened
from core.comparison.record import Comparison, parse_document
from tests.core.storage.samples import START, body

PROMPT = "A prompt of some length. " * 1_000


def test_shared_prompt_stands_once_in_the_document_and_in_every_slot_that_has_none_of_its_own_after_it_is_read() -> None:
    board = opened([body(prompt=PROMPT, seed=number) for number in range(8)], ["" for _ in range(8)]).freed(7, True)
    written = json.dumps(Comparison("c", board, START, START).document)
    assert written.count(PROMPT) == 2  # the shared one, and that of the slot that was freed
    assert parse_document(json.loads(written)).board == board


def test_document_of_earlier_with_the_prompt_in_every_slot_is_read_the_same() -> None:
    board = opened([body(prompt=PROMPT), body(prompt=PROMPT, seed=2)], ["", ""])
    assert parse_document({"version": 1, "revision": 3, "board": board.to_dict()}).board == board
    assert parse_document(board.to_dict()).board == board


def test_prompt_that_is_not_sent_is_in_no_slot() -> None:
    board = opened([body(prompt=PROMPT), body(prompt=PROMPT)], ["", ""]).with_prompt(None)
    kept = parse_document(json.loads(json.dumps(Comparison("c", board, START, START).document))).board
    assert [slot.draft["body"].get("prompt") for slot in kept.slots] == [None, None]
