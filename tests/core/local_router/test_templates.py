"""Inputs in a prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.local_router.answer import Call
from core.local_router.api_error import ApiError
from core.local_router.clock import SYSTEM_CLOCK
from core.local_router.templates import LARGEST_PROMPT, MOST_NAMES, Inputs, fill
from core.local_router.trace import Trace


def test_case_counts_and_spaces_make_it_plain_text():
    filled = fill("{{a}} {{A}} {{ a }} {a} {{a-b}} {{ä_1}}", {"a": "x", "ä_1": "y"})
    assert filled.text == "x {{A}} {{ a }} {a} {{a-b}} y"
    assert (filled.filled, filled.missing, filled.unused) == (("a", "ä_1"), ("A",), ())


@pytest.mark.parametrize(
    ("value", "text"), [("", ""), (3, "3"), (2.5, "2.5"), (True, "true"), ({"a": [1, "ü"]}, '{"a": [1, "ü"]}'), ([], "[]"), (0, "0")]
)
def test_values_that_are_no_texts_are_written_as_json(value, text):
    assert fill("<{{v}}>", {"v": value}).text == f"<{text}>"


def test_null_is_no_value():
    filled = fill("{{v}} {{w}}", [{"key": "v", "value": None}, {"key": "w"}])
    assert (filled.text, filled.missing) == ("{{v}} {{w}}", ("v", "w"))


def test_value_with_a_placeholder_is_not_filled_again():
    assert fill("{{a}}{{b}}", {"a": "{{b}}", "b": "{{a}}"}).text == "{{b}}{{a}}"


def test_of_two_entries_with_one_name_the_later_counts():
    assert fill("{{a}}", [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]).text == "2"


def test_personal_values_are_those_filled_in_and_marked():
    inputs = [
        {"key": "who", "value": "Ada", "is_pii": True},
        {"key": "age", "value": 36, "is_pii": True},
        {"key": "unused", "value": "Ben", "is_pii": True},
        {"key": "open", "value": "yes"},
        {"key": "empty", "value": "", "is_pii": True},
    ]
    assert fill("{{who}} {{age}} {{open}}{{empty}}", inputs).private == ("Ada", "36")


def test_small_request_cannot_ask_for_a_huge_prompt():
    with pytest.raises(ApiError) as raised:
        fill("{{a}}" * 10_000, {"a": "x" * (LARGEST_PROMPT // 1_000)})
    assert (raised.value.status, raised.value.param) == (413, "orq.inputs")


@given(st.text(), st.dictionaries(st.text(min_size=1), st.text() | st.integers()))
def test_prompt_without_placeholders_stays_as_it_is(prompt, inputs):
    if "{{" not in prompt:
        assert fill(prompt, inputs).text == prompt


@given(st.lists(st.tuples(st.text(alphabet="abc{} "), st.sampled_from(["a", "b", "c"]))), st.dictionaries(st.sampled_from("ab"), st.text()))
def test_text_is_the_pieces_with_values_between_them(pieces, inputs):
    prompt = "".join(f"{text.replace('{', '').replace('}', '')}{{{{{name}}}}}" for text, name in pieces)
    expected = "".join(f"{text.replace('{', '').replace('}', '')}{inputs.get(name, '{{' + name + '}}')}" for text, name in pieces)
    assert fill(prompt, inputs).text == expected


async def shaped(prompt: str, orq: dict | None) -> tuple[Call, Trace]:
    body = {"model": "m", "prompt": prompt, **({"orq": orq} if orq is not None else {})}
    trace = Trace("req_1", "me", body, SYSTEM_CLOCK)
    return await Inputs().shape(Call("m", body, "me"), trace), trace


async def test_step_takes_its_field_away_and_leaves_the_rest():
    call, _ = await shaped("{{a}}", {"inputs": {"a": "x"}, "thread": {"id": "t"}})
    assert call.body == {"model": "m", "prompt": "x", "orq": {"thread": {"id": "t"}}}
    call, _ = await shaped("{{a}}", {"inputs": {"a": "x"}})
    assert call.body == {"model": "m", "prompt": "x"}


async def test_prompt_with_neither_inputs_nor_placeholders_is_not_told_of():
    call, trace = await shaped("plain", {"thread": {"id": "t"}})
    assert trace.events == []
    assert call.body["orq"] == {"thread": {"id": "t"}}


async def test_placeholders_without_any_inputs_are_told_of():
    call, trace = await shaped("{{a}}", None)
    assert (call.body["prompt"], trace.events[0]["missing"]) == ("{{a}}", ["a"])


async def test_trace_keeps_few_and_short_names():
    _, trace = await shaped("".join(f"{{{{n{number}_{'x' * 200}}}}}" for number in range(MOST_NAMES + 9)), None)
    missing = trace.events[0]["missing"]
    assert (len(missing), missing[-1]) == (MOST_NAMES + 1, "and 9 more")
    assert max(map(len, missing)) <= 60
