"""How the test of a server ended."""

from __future__ import annotations

import streamlit as st

from components.plain_text import plain
from core.connection_check import Verdict


def verdict_box(verdict: Verdict) -> None:
    """Draw the verdict and, under it, the next step where there is one."""
    box = st.success if verdict.works else st.error
    box(
        f"**{plain(verdict.sentence)}**" + (f"  \n{plain(verdict.next_step)}" if verdict.next_step else ""),
        icon=":material/check_circle:" if verdict.works else ":material/error:",
    )
