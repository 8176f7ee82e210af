"""A diff on a page: text stays text, in one column and in two, and what is hidden is counted."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from components.text_diff import COLUMNS, SHOWN, columns_html, diff_html
from core.comparison.output_diff import only_differences, side_by_side, word_diff

HOSTILE = "<script>alert(1)</script> & x", '<img src=x onerror="alert(1)"> & </div> x'


def drawn(before: str, after: str, **switches: object) -> AppTest:
    """A page with nothing but a diff and its switches."""

    def page(before: str, after: str) -> None:
        from components.text_diff import diff_tools, text_diff

        diff_tools("here")
        text_diff(before, after, names=("first", "<second>"), key="here")

    at = AppTest.from_function(page, args=(before, after), default_timeout=30).run()
    for name, value in switches.items():
        at.get_by_key(f"here.{name}").set_value(value)
    at.run()
    assert not at.exception
    return at


def html_of(at: AppTest) -> str:
    return str(at.get("html")[0].proto.body)


def test_diff_marks_what_went_and_what_came() -> None:
    assert diff_html(word_diff("a b", "a c")) == '<div class="text-diff">a <del>b</del><ins>c</ins></div>'
    assert "Both are empty" in diff_html(word_diff("", ""))


@pytest.mark.parametrize("made", [diff_html, lambda spans: columns_html(side_by_side(spans), ("A", "<b>"))])
def test_hostile_text_stays_text(made) -> None:
    for spans in (word_diff(*HOSTILE), only_differences(word_diff(*HOSTILE))):
        shown = made(spans)
        assert set(re.findall(r"</?(\w+)", shown)) <= {"div", "del", "ins", "span", "wbr"}
        assert shown.count("<div") == shown.count("</div>")
        assert "&lt;" in shown


@given(st.text("<>&\"' ab\n", max_size=40), st.text("<>&\"' ab\n", max_size=40))
def test_whatever_is_compared_no_tag_but_ours_is_made(before: str, after: str) -> None:
    for shown in (diff_html(word_diff(before, after)), columns_html(side_by_side(word_diff(before, after)), ("<", ">"))):
        assert not re.sub(r'</?(?:div|del|ins)(?: class="(?:text-diff(?: columns)?|name)")?>', "", shown).count("<")


def test_switches_show_two_columns_only_what_differs_and_white_space() -> None:
    equal = " ".join(f"word{number}" for number in range(20))
    before, after = f"{equal} old\nend", f"{equal} new\nend"
    assert html_of(drawn(before, after)) == diff_html(word_diff(before, after))
    columns = html_of(drawn(before, after, view=COLUMNS))
    assert '<div class="name">first</div><div class="name">&lt;second&gt;</div>' in columns
    assert f"<div>{equal} <del>old</del>\n</div><div>{equal} <ins>new</ins>\n</div><div>end</div><div>end</div>" in columns
    folded = html_of(drawn(before, after, only=True))
    assert "… 15 equal words …" in folded
    assert "word3" not in folded
    seen = html_of(drawn(before, after, view=COLUMNS, only=True, space=True))
    assert '<div class="fold-row"><span class="fold">… 15 equal words …</span></div>' in seen
    assert "<del>old</del>¶\n" in seen
    assert "·<wbr>word19·<wbr>" in seen


def test_a_megabyte_is_cut_to_what_a_page_can_show_and_a_late_difference_is_found() -> None:
    equal = "".join(f"line {number} of many.\n" for number in range(45_000))
    at = drawn(f"{equal}old", f"{equal}new")
    assert len(equal) > 880_000
    assert len(html_of(at)) < 2 * SHOWN
    assert "This is the beginning" in at.caption[0].value
    only = drawn(f"{equal}old", f"{equal}new", only=True)
    assert "<del>old</del><ins>new</ins>" in html_of(only)
    assert not only.caption
