"""What differs between two texts: inline or in two columns, whole or only what differs. Used wherever two outputs are compared."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from core.comparison.output_diff import VISIBLE, Row, Span, cut_off, only_differences, side_by_side, visible, word_diff

SHOWN: Final = 60_000
"""Characters of a diff that the page shows."""
MOST_ROWS: Final = 2_000
"""Rows of two columns that the page shows."""
INLINE, COLUMNS = "Inline", "Side by side"
TAGS: Final = {"removed": "del", "added": "ins"}


def diff_tools(key: str) -> None:
    """Draw the switches of ``text_diff``, in a container of the caller's; ``key`` is the same as there."""
    st.segmented_control(
        "How differences are shown",
        [INLINE, COLUMNS],
        key=f"{key}.view",
        default=INLINE,
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    st.toggle(
        "Only what differs", key=f"{key}.only", help="Hides long stretches that both have, and counts their words", persist_state="session"
    )
    st.toggle("Show white space", key=f"{key}.space", persist_state="session")


def shows_space(key: str) -> bool:
    """Whether the switches say that white space is to be seen."""
    return bool(st.session_state.get(f"{key}.space"))


def text_diff(before: str, after: str, *, names: tuple[str, str], key: str) -> None:
    """Draw what differs as the switches say; ``names`` are what the texts are called over their columns."""
    spans = word_diff(before, after)
    whole = only_differences(spans) if st.session_state.get(f"{key}.only") else spans
    shown = cut_off(whole, SHOWN)
    if shows_space(key):
        shown = tuple(span if span.change == "hidden" else replace(span, text=visible(span.text)) for span in shown)
    rows = side_by_side(shown) if st.session_state.get(f"{key}.view") == COLUMNS else None
    st.html(diff_html(shown) if rows is None else columns_html(rows[:MOST_ROWS], names))
    if shown_characters(whole) > SHOWN or (rows is not None and len(rows) > MOST_ROWS):
        more = "" if st.session_state.get(f"{key}.only") else " *Only what differs* has room for more of it."
        st.caption(f"This is the beginning: the page shows {SHOWN:,} characters and {MOST_ROWS:,} lines at most.{more}")


def shown_characters(spans: Iterable[Span]) -> int:
    """How many characters spans show; what is hidden does not count."""
    return sum(len(span.text) for span in spans if span.change != "hidden")


def diff_html(spans: Iterable[Span]) -> str:
    """A diff as HTML; whatever the texts hold stays text."""
    return f'<div class="text-diff">{_marked(spans) or "Both are empty."}</div>'


def columns_html(rows: Sequence[Row], names: tuple[str, str]) -> str:
    """A diff in two columns as HTML, the first text on the left; whatever the texts and their names hold stays text."""
    heads = "".join(f'<div class="name">{html.escape(name)}</div>' for name in names)
    return f'<div class="text-diff columns">{heads}{"".join(map(_row, rows))}</div>'


def _row(row: Row) -> str:
    if row.hidden is not None:
        return f'<div class="fold-row">{_fold(row.hidden)}</div>'
    return f"<div>{_marked(row.left)}</div><div>{_marked(row.right)}</div>"


def _marked(spans: Iterable[Span]) -> str:
    parts = []
    for span in spans:
        text, tag = html.escape(span.text).replace(VISIBLE[" "], f"{VISIBLE[' ']}<wbr>"), TAGS.get(span.change)
        parts.append(_fold(span) if span.change == "hidden" else f"<{tag}>{text}</{tag}>" if tag else text)
    return "".join(parts)


def _fold(span: Span) -> str:
    """What stands for equal words that are not shown; no word of an output looks like it."""
    return f'<span class="fold">… {span.words:,} equal word{"" if span.words == 1 else "s"} …</span>'
