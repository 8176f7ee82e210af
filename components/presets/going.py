"""Leaving for the page where a content is edited, with or without a press of Run."""

from __future__ import annotations

import streamlit as st

from components.compare import desk
from components.presets.bench import PLAYGROUND_SLOT, Link, bench_of
from components.runs import run_column
from core.preset.content import Content, DraftContent


def go(content: Content, link: Link | None, *, run: bool = False) -> None:
    """Open a content on its page, and start it there with ``run``; what stands in its way is said there."""
    bench_of(content).put(content, link)
    if isinstance(content, DraftContent):
        if run:
            run_column.start(PLAYGROUND_SLOT)
        st.switch_page("playground.py")
    if run and not desk.asks():
        desk.run()
    st.switch_page("compare.py")


def going_buttons(key: str, content: Content, link: Link | None) -> None:
    """Draw Run and Open."""
    compared = not isinstance(content, DraftContent)
    where = "Compare" if compared else "Playground"
    if st.button("Run", key=f"{key}.run", type="primary", icon=":material/play_arrow:", help=f"Opens it in {where} and starts it"):
        go(content, link, run=True)
    icon = ":material/compare:" if compared else ":material/experiment:"
    if st.button(f"Open in {where}", key=f"{key}.open", icon=icon, help="To look at and change; nothing is sent"):
        go(content, link)
