"""The browser's Back, which leaves a page at one press."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_SCRIPT = f"<script>{Path(__file__).with_name('back.js').read_text(encoding='utf-8')}</script>"


def browser_back() -> None:
    """Keep the ids that pages write into their address out of the browser's history; for the frame around every page."""
    with st.container(key="browser-back"):  # page.css takes it out of the layout
        st.html(_SCRIPT, unsafe_allow_javascript=True)
