"""A run that another process on the same database is at: what that one has saved of it so far."""

from __future__ import annotations

import streamlit as st

from components.services import workspace

LOOKS_EVERY_S = 1.0
"""As often as a process saves its runs."""
SHOWN = 100_000
"""Characters of one text that are shown while it grows; all of it is there when the run has ended."""


@st.fragment(run_every=LOOKS_EVERY_S)
def run_elsewhere(run_id: str, *, key: str) -> None:
    """The text so far, read again every second; reruns the page when the run has ended, which shows it as every other run."""
    run = workspace().hub.elsewhere(run_id)
    if run is None:
        st.rerun()
        return
    with st.container(key=f"elsewhere-{key}"):
        st.info(
            f"Another process of the playground is at this run ({run.status}). "
            "You see what it has saved so far; it saves once a second. It can be stopped there only.",
            icon=":material/sync:",
        )
        for index, choice in sorted(run.choices.items()):
            if len(run.choices) > 1:
                st.caption(f"Choice {index + 1}")
            st.code(choice.text[:SHOWN] or " ", language=None, wrap_lines=True)
