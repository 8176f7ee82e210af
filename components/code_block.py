"""A block of code of any length: what a browser can draw in time, and how much of it that is."""

from __future__ import annotations

import streamlit as st

from components.plain_text import with_controls_shown

MOST_SHOWN = 100_000
"""Characters. A megabyte with line breaks kept Chromium busy for minutes."""

MOST_COLORED = 20_000
"""Colouring makes an element of every word."""


def long_code(text: str, *, height: int, language: str | None = None, strange: bool = False) -> None:
    """``text`` in a block ``height`` pixels high, its beginning where it is very long, which is said under it.

    Of a ``strange`` text, control and formatting characters are shown as their code points, so that nothing hides in it.
    """
    shown = text[:MOST_SHOWN]
    st.code(
        with_controls_shown(shown) if strange else shown,
        language=language if len(text) <= MOST_COLORED else None,
        wrap_lines=True,
        height=height,
    )
    if len(shown) < len(text):
        st.caption(f"The first {len(shown):,} of {len(text):,} characters.")
