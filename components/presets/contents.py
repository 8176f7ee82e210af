"""What a content sets, to look at before it is opened."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from components.code_block import long_code
from components.plain_text import badge_label, plain, with_controls_shown
from components.text_diff import diff_html
from core.comparison.output_diff import Span
from core.comparison.settings import NOT_SENT, Difference, differences, shown
from core.outgoing import Outgoing
from core.preset.changes import Change, prompt_diff, prompts_changed
from core.preset.content import ComparisonContent, Content

BADGES = 60
CHARACTERS = 80
DIFFED = 60_000
"""Characters of a diff that the page shows."""


def contents(content: Content, *, prompts: bool = True) -> None:
    """Draw the fields of a content, and its ``prompts`` unless somebody else does."""
    if isinstance(content, ComparisonContent):
        if prompts:
            _prompt(content.prompt, "Shared prompt")
        calls = f"{content.repeats} calls of each slot" if content.repeats > 1 else "One call of each slot"
        st.caption(calls + (", answered from the cache where it can be" if content.keep_cache else ""))
    for place, (title, leaving) in enumerate(content.sent()):
        if title:
            st.markdown(f"**{plain(title, 60)}**")
        own = not isinstance(content, ComparisonContent) or content.slots[place].own_prompt
        if own and prompts:
            _prompt(leaving.body.get("prompt"), "Prompt")
        _fields(leaving)


def _prompt(prompt: object, title: str) -> None:
    if isinstance(prompt, str) and prompt:
        st.caption(title)
        long_code(prompt, height=min(240, 48 + 22 * (prompt.count("\n") + len(prompt) // 60)), strange=True)
    elif prompt is not None:
        st.caption(f"{title}: {plain(shown(prompt), CHARACTERS)}")


def _fields(leaving: Outgoing) -> None:
    found = [one for one in differences({}, leaving.body) if one.path != "prompt"]
    with st.container(horizontal=True, gap="xsmall"):
        for one in found[:BADGES]:
            st.badge(badge_label(f"{one.path} {shown(one.after)}", CHARACTERS), color="gray")
        if len(found) > BADGES:
            st.caption(f"and {len(found) - BADGES} more", width="content")
        if not found:
            st.caption("Nothing is set.")
    if leaving.problems:
        st.caption(f":orange[:material/warning: Cannot be sent yet: {plain(leaving.problems[0].sentence, 200)}]")


def changed(found: tuple[Change, ...]) -> None:
    """Draw what differs between two contents: a badge for each field, and prompts by word."""
    prompts = list(prompts_changed(found))
    told = {id(change) for change, _, _ in prompts}
    with st.container(horizontal=True, gap="xsmall"):
        for change in [one for one in found if id(one) not in told][:BADGES]:
            st.badge(badge_label(change.text, CHARACTERS), color=_color(change.difference))
    for change, before, after in prompts:
        st.caption(plain(f"{change.path}, by word"))
        spans, room = [], DIFFED
        for span in prompt_diff(before, after):
            if room > 0:
                spans.append(Span(span.change, with_controls_shown(span.text[:room])))
            room -= len(span.text)
        st.html(diff_html(tuple(spans)))
        if room < 0:
            st.caption(f"The first {DIFFED:,} characters of the difference.")


def _color(difference: Difference) -> Literal["green", "red", "blue"]:
    return "green" if difference.before is NOT_SENT else "red" if difference.after is NOT_SENT else "blue"
