import re
from pathlib import Path

import pytest

from components.plain_text import badge_label, one_line, plain, with_controls_shown

HOSTILE = [
    "**bold**",
    "[link](http://x)",
    "<b>tag</b>",
    "# heading",
    "`code`",
    "a | b",
    "$x^2$",
    ":red[x]",
    ":material/home:",
    "![i](u)",
    "~~s~~",
    "1. x",
    "- x",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_is_shown_literally(text):
    assert re.sub(r"\\(.)", r"\1", plain(text)).replace("\u2060", "") == text
    assert all(f"\\{mark}" in plain(text) for mark in text if mark in "*[]<>#`|$:!~")


def test_lines_are_joined():
    assert plain("one\n\n  two\tthree") == "one two three"


def test_long_text_is_cut():
    assert plain("x" * 600) == "x" * 499 + "…"


def test_control_and_direction_characters_are_named():
    assert "U\\+202E" in plain("abc\u202edef")
    assert "U\\+0007" in plain("a\x07b")


@pytest.mark.parametrize("text", ["http://a.example", "https://a.example", "www.example.org", "me@example.org"])
def test_addresses_do_not_become_links(text):
    assert "\u2060" in plain(text)
    assert plain(text).replace("\u2060", "").replace("\\", "") == text


def test_emoji_joined_from_several_stay_whole():
    assert plain("👩‍💻") == "👩‍💻"


def test_controls_are_shown_and_lines_stay():
    assert with_controls_shown("one\n\ttwo \u202e\0 \u200d") == "one\n\ttwo ⟨U+202E⟩⟨U+0000⟩ \u200d"


def test_badge_escapes_brackets_by_itself_and_the_rest_is_ours():
    assert badge_label("stop [**x**]") == "stop [\\*\\*x\\*\\*]"


def test_options_are_one_line_without_escapes():
    assert one_line("a-b\n[c] \u202e", 20) == "a-b [c] ⟨U+202E⟩"


def test_no_badge_is_given_what_was_escaped_for_markdown() -> None:
    components = Path(__file__).parents[2] / "components"
    files = list(components.rglob("*.py"))
    assert len(files) > 50
    badges = re.compile(r"st\.badge\(\s*(?:f?\"[^\"]*)?\bplain\(")
    assert not [file.name for file in files if badges.search(file.read_text(encoding="utf-8"))]
