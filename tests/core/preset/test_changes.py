"""What differs between two contents: by field, by word, and nothing where both come to the same."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.outgoing import outgoing
from core.preset.changes import changes, prompt_diff, prompts_changed, said, same
from core.preset.content import ComparisonContent, Content, DraftContent, SlotContent
from tests.core.preset.contents import CONTENTS, DRAFTS, comparison, draft

WORDS = st.text("ab \n", max_size=40)


def texts(before: Content, after: Content) -> list[str]:
    return [change.text for change in changes(before, after)]


@given(CONTENTS)
def test_content_does_not_differ_from_itself(content: Content) -> None:
    assert changes(content, content) == ()


@given(DRAFTS, DRAFTS)
def test_drafts_without_a_change_send_the_same(one: DraftContent, other: DraftContent) -> None:
    if same(one, other):
        assert outgoing(one.draft).body == outgoing(other.draft).body
        assert [p.path for p in outgoing(one.draft).problems] == [p.path for p in outgoing(other.draft).problems]


@given(CONTENTS, CONTENTS)
def test_a_change_has_its_opposite(one: Content, other: Content) -> None:
    there = {(c.path, repr(c.difference.before), repr(c.difference.after)) for c in changes(one, other)}
    back = {(c.path, repr(c.difference.after), repr(c.difference.before)) for c in changes(other, one)}
    assert there == back


def test_each_changed_field_is_named() -> None:
    before, after = draft(temperature=0.2, seed=None), draft(temperature=0.9, retry={"count": 2})
    assert texts(before, after) == ["temperature 0.2 → 0.9", "seed sent → not sent", "retry.count not sent → 2"]
    assert said(changes(before, after)) == "in 3 fields"
    assert said(changes(before, draft(temperature=0.3, seed=None))) == "in 1 field"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('{"logit_bias":{}}', '{ "logit_bias": {} }', []),
        ('{"logit_bias":{"1":1}}', '{"logit_bias":{"1":2}}', ["logit_bias.1 1 → 2"]),
        ("", '{"best_of":2}', ["best_of not sent → 2"]),
        ("", "{", ["extra not sent → {"]),
        ("{", "{]", ["extra { → {]"]),
    ],
)
def test_extra_fields_are_compared_by_what_they_send(before: str, after: str, said: list[str]) -> None:
    found = changes(DraftContent({}, before), DraftContent({}, after))
    assert [change.text for change in found] == said


def test_comparison_names_the_slot_and_the_shared_prompt_once() -> None:
    before = comparison(0, 0.5, 1)
    after = replace(comparison(0, 0.7, prompt="Say that"), repeats=5)
    assert texts(before, after) == ["prompt Say it → Say that", "repeats 1 → 5", "B temperature 0.5 → 0.7", "C slot taken out"]
    assert texts(after, before)[-1] == "C slot added"


def test_prompt_of_its_own_is_compared_with_the_shared_one() -> None:
    before = comparison(0)
    after = ComparisonContent((SlotContent({"model": "local/pydoc", "temperature": 0, "prompt": "Mine"}, own_prompt=True),), "Say it")
    assert texts(before, after) == ["A own_prompt false → true", "A prompt Say it → Mine"]


def test_draft_and_comparison_differ_as_a_whole() -> None:
    assert texts(draft(), comparison(0)) == ["kind draft → comparison"]


def test_changed_prompts_are_found_with_both_texts() -> None:
    found = changes(draft(prompt="one two"), draft(prompt="one three", n=2))
    assert [(before, after) for _, before, after in prompts_changed(found)] == [("one two", "one three")]


@settings(deadline=None)  # an example takes milliseconds, on a busy machine more than the 200 ms that are the default
@given(WORDS, WORDS, st.integers(0, 30_000))
def test_prompt_diff_leads_from_one_text_to_the_other(one: str, other: str, common: int) -> None:
    start = "word " * (common // 5)
    before, after = start + one + start, start + other + start
    spans = prompt_diff(before, after)
    assert "".join(span.text for span in spans if span.change != "added") == before
    assert "".join(span.text for span in spans if span.change != "removed") == after


def test_one_word_in_a_megabyte_is_found_in_time() -> None:
    start, end = "lorem ipsum " * 40_000, " dolor sit" * 50_000
    began = time.process_time()
    spans = prompt_diff(f"{start}red{end}", f"{start}green{end}")
    assert [(span.change, span.text) for span in spans if span.change != "same"] == [("removed", "red"), ("added", "green")]
    assert time.process_time() - began < 5


def test_two_megabytes_of_different_text_are_replaced_whole() -> None:
    assert [span.change for span in prompt_diff("a b " * 250_000, "c d " * 250_000)][:2] == ["removed", "added"]
