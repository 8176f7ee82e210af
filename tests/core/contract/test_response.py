"""What routers answer, however they spell it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract.response import (
    Choice,
    Completion,
    CompletionChunk,
    CompletionTokensDetails,
    MalformedResponse,
    PromptTokensDetails,
    Usage,
    count,
    merge,
    parse_chunk,
    parse_completion,
    parse_usage,
)
from tests.core.client.byte_server import recording

LEAVES: list[str] = [
    leaf if isinstance(leaf, str) else leaf["path"]
    for leaf in json.loads((Path(__file__).parents[2] / "parameters.json").read_text())["response"]
]

WHOLE: dict[str, Any] = {
    "id": "cmpl-1",
    "object": "text_completion",
    "model": "local/pydoc",
    "created": 1760534948,
    "system_fingerprint": "fp",
    "choices": [{"index": 0, "text": "Hello", "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 3,
        "completion_tokens": 5,
        "total_tokens": 8,
        "prompt_tokens_details": {"cached_tokens": 11, "cache_creation_tokens": 12, "audio_tokens": 13},
        "completion_tokens_details": {
            "reasoning_tokens": 14,
            "accepted_prediction_tokens": 15,
            "rejected_prediction_tokens": 16,
            "audio_tokens": 17,
        },
    },
}


def at(value: Any, path: str) -> Any:
    """What stands at a leaf's path, in the JSON and in the records alike."""
    for part in path.split("."):
        name = part.removesuffix("[]")
        value = value[name] if isinstance(value, dict) else getattr(value, name)
        value = value[0] if part.endswith("[]") else value
    return value


def test_there_are_eighteen_leaves() -> None:
    assert len(LEAVES) == 18


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_leaf_of_the_contract_is_read(leaf: str) -> None:
    expected = at(WHOLE, leaf)
    assert expected is not None
    assert at(parse_completion(WHOLE), leaf) == expected
    assert at(parse_chunk(orjson.dumps(WHOLE)), leaf) == expected
    assert at(merge([parse_chunk(orjson.dumps(WHOLE))]), leaf) == expected


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_leaf_may_be_null_or_absent(leaf: str) -> None:
    for absent in (False, True):
        body = json.loads(json.dumps(WHOLE))
        *above, last = leaf.split(".")
        holder = at(body, ".".join(above)) if above else body
        if absent:
            del holder[last]
        else:
            holder[last] = None
        expected = {"choices[].index": 0, "choices[].text": ""}.get(leaf)
        assert at(parse_completion(body), leaf) == expected


def test_raw_keeps_the_body_unknown_fields_included() -> None:
    body = {**WHOLE, "provider": "x", "choices": [{"index": 0, "text": "a", "finish_reason": None, "logprobs": None}]}
    assert parse_completion(body).raw == body
    assert parse_chunk(orjson.dumps(body)).raw == body


@pytest.mark.parametrize(
    ("value", "expected"),
    [(3, 3), (3.0, 3), ("3", 3), ("3.0", 3), (" 3 ", 3), (0, 0), (2**53, 2**53)]
    + [(bad, None) for bad in (3.5, "3.5", "x", "", True, None, [], {}, float("nan"), float("inf"), "nan", "1e999")],
)
def test_a_count_is_a_whole_number_however_it_is_written(value: object, expected: int | None) -> None:
    assert count(value) == expected
    usage = parse_usage({"prompt_tokens": value})
    assert usage is not None
    assert usage.prompt_tokens == expected


@pytest.mark.parametrize("told", [-1, -4.0, "-1", 2**53 + 1, 2**64, 10**30, "1e30"])
def test_number_that_no_tokens_can_have_is_not_told_and_stays_in_the_raw_usage(told: object) -> None:
    usage = parse_usage({"prompt_tokens": 3, "completion_tokens": told, "completion_tokens_details": {"reasoning_tokens": told}})
    assert usage is not None
    assert usage.to_dict() == {"prompt_tokens": 3, "completion_tokens_details": {}}
    assert usage.raw is not None
    assert usage.raw["completion_tokens"] == told


@pytest.mark.parametrize(("created", "expected"), [(1, 1), (1.0, 1), ("2026-01-01", "2026-01-01"), (None, None), ([], None)])
def test_created_is_a_number_or_a_text(created: object, expected: object) -> None:
    assert parse_completion({**WHOLE, "created": created}).created == expected


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ([{"index": "1", "text": "b"}, {"index": "0", "text": "a"}], ("a", "b")),
        ([{"text": "a"}, {"text": "b"}], ("a", "b")),
        ([{"index": 1.0, "text": "b"}, {"index": 0.0, "text": "a"}], ("a", "b")),
        ([{"index": None, "text": None}], ("",)),
        ([{"index": 0, "text": 7}], ("7",)),
        ({"index": 0, "text": "a"}, ("a",)),
        (["a", 3, None, {"index": 0, "text": "b"}], ("b",)),
        ([], ()),
        (None, ()),
        ("a", ()),
    ],
)
def test_choices_are_ordered_by_index_and_oddities_do_no_harm(choices: object, expected: tuple[str, ...]) -> None:
    assert tuple(choice.text for choice in parse_completion({"id": "1", "choices": choices}).choices) == expected


@pytest.mark.parametrize(("reason", "expected"), [("length", "length"), ("new_one", "new_one"), ("", None), (None, None), (3, None)])
def test_a_finish_reason_is_any_text_but_an_empty_one(reason: object, expected: str | None) -> None:
    assert parse_completion({"choices": [{"index": 0, "text": "", "finish_reason": reason}]}).choices[0].finish_reason == expected


@pytest.mark.parametrize("usage", [None, [], "x", 3])
def test_usage_that_is_no_object_is_none(usage: object) -> None:
    assert parse_completion({**WHOLE, "usage": usage}).usage is None


def test_to_dict_gives_only_what_came() -> None:
    usage = parse_usage({"prompt_tokens": 3.0, "total_tokens": "4", "prompt_tokens_details": {"audio_tokens": 0}, "cost": 1})
    assert usage == Usage(3, None, 4, PromptTokensDetails(audio_tokens=0))
    assert usage.to_dict() == {"prompt_tokens": 3, "total_tokens": 4, "prompt_tokens_details": {"audio_tokens": 0}}
    assert usage.raw is not None
    assert usage.raw["cost"] == 1
    full = parse_usage(WHOLE["usage"])
    assert full is not None
    assert full.to_dict() == WHOLE["usage"]
    empty = Usage(completion_tokens_details=CompletionTokensDetails())
    assert empty.to_dict() == {"completion_tokens_details": {}}


@pytest.mark.parametrize("data", [b"", b"{not json", b"null", b"3", b'"x"', b"[]", b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_json_object_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedResponse, match="It is not"):
        parse_chunk(data)
    with pytest.raises(MalformedResponse):
        parse_completion(data)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rb"\ud83d\ude00", "😀"),
        (rb"a\ud83d", "a\ufffd"),
        (rb"\ude00\ud83d", "\ufffd\ufffd"),
        (b"a\xff", "a\ufffd"),
        ("é😀".encode(), "é😀"),
        (rb"\u0000", "\0"),
    ],
)
def test_half_an_emoji_and_stray_bytes_become_a_replacement_character(text: bytes, expected: str) -> None:
    body = b'{"id": "' + text + b'", "choices": [{"index": 0, "text": "' + text + b'"}]}'
    whole, merged = parse_completion(body), merge([parse_chunk(body)])
    assert (whole.id, whole.choices[0].text) == (merged.id, merged.choices[0].text) == (expected, expected)
    json.dumps(whole.raw, ensure_ascii=False).encode()


def test_an_emoji_that_the_router_cut_in_two_is_whole_again_after_the_merge() -> None:
    pieces = [rb"a\ud83d", rb"\ude00b\ud83d", rb"c"]
    chunks = [parse_chunk(b'{"choices": [{"index": 1, "text": "' + piece + b'"}]}') for piece in pieces]
    assert merge(chunks).choices == (Choice(1, "a😀b\ufffdc"),)


def test_numbers_that_orjson_refuses_are_taken() -> None:
    assert parse_completion(b'{"created": NaN, "choices": [{"index": 0, "text": "a"}]}').choices == (Choice(0, "a"),)


def test_a_literal_data_envelope_is_opened() -> None:
    frame = {"data": WHOLE, "event": "message"}
    assert parse_chunk(orjson.dumps(frame)).choices == (Choice(0, "Hello", "stop"),)
    assert parse_completion(frame).id == "cmpl-1"
    assert parse_completion(frame).raw == frame


def chunk(*choices: Choice, **fields: Any) -> CompletionChunk:
    blank: dict[str, Any] = {"id": None, "object": None, "model": None, "created": None, "system_fingerprint": None, "usage": None}
    return CompletionChunk(**{**blank, **fields, "choices": choices, "raw": {}})


def test_merge_joins_interleaved_choices_by_index() -> None:
    merged = merge([chunk(Choice(1, "x"), Choice(0, "a")), chunk(Choice(0, "b")), chunk(Choice(1, "y")), chunk(Choice(0, ""))])
    assert merged.choices == (Choice(0, "ab"), Choice(1, "xy"))


def test_merge_keeps_the_last_finish_reason_that_was_told_for_each_index() -> None:
    merged = merge(
        [chunk(Choice(0, "a", "stop")), chunk(Choice(1, "b", "stop")), chunk(Choice(0, "c", "length")), chunk(Choice(0, "", None))]
    )
    assert [choice.finish_reason for choice in merged.choices] == ["length", "stop"]


def test_merge_keeps_the_last_usage_that_was_told() -> None:
    early, late = Usage(1, 1, 2), Usage(1, 2, 3)
    assert merge([chunk(usage=early), chunk(usage=late), chunk()]).usage == late
    assert merge([chunk(), chunk()]).usage is None


def test_merge_keeps_the_first_names_that_were_told() -> None:
    merged = merge([chunk(), chunk(id="a", model="m", created=0), chunk(id="b", object="o", model="n", created=5, system_fingerprint="f")])
    assert merged == Completion("a", "o", "m", 0, "f")


def test_merge_of_nothing_is_an_empty_completion() -> None:
    assert merge([]) == Completion()


@given(st.lists(st.tuples(st.integers(0, 3), st.text(max_size=4)), max_size=30), st.integers(1, 4))
def test_merge_does_not_depend_on_how_pieces_share_frames(pieces: list[tuple[int, str]], size: int) -> None:
    choices = [Choice(index, text) for index, text in pieces]
    frames = [choices[start : start + size] for start in range(0, len(choices), size)]
    expected = {index: "".join(text for at, text in pieces if at == index) for index, _ in pieces}
    merged = merge(chunk(*frame) for frame in frames)
    assert {choice.index: choice.text for choice in merged.choices} == expected
    assert [choice.index for choice in merged.choices] == sorted(expected)


def test_merge_is_linear_in_the_number_of_pieces() -> None:
    merged = merge(itertools.repeat(chunk(Choice(0, "ab")), 200_000))
    assert merged.choices == (Choice(0, "ab" * 200_000),)


@pytest.mark.parametrize("case", ["01_", "23_", "24_", "25_", "26_"])
def test_recorded_answers_are_read(case: str) -> None:
    body = recording(case).body
    completion, plain = parse_completion(body), json.loads(body)
    assert completion.raw == plain
    assert [choice.text for choice in completion.choices] == [choice["text"] for choice in plain.get("choices", [])]
