"""*Continue from here*, under a run that did not come to its own end."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.continuation import continuable, continued_prompt
from core.run import RunSnapshot


def continuation(run: RunSnapshot, *, key: str, on_continue: Callable[[str, str], None]) -> None:
    """A button that hands on the run's prompt with its text, as ``on_continue(key, prompt)``; of several choices, one is picked first.

    Draws nothing under a run that is under way or has nothing to go on from.
    """
    choices = continuable(run)
    if not choices:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"continuation-{key}"):
        choice: int | None = choices[0]
        if len(choices) > 1:
            choice = st.segmented_control(
                "Choice to continue",
                choices,
                format_func=lambda index: f"choice {index + 1}",
                default=choices[0],
                key=f"{key}.continue.choice",
                label_visibility="collapsed",
            )
        st.button(
            "Continue from here",
            key=f"{key}.continue",
            icon=":material/resume:",
            help="Sends the prompt with this text behind it as a new run; everything else as it is set now.",
            disabled=choice is None,
            on_click=_hand_on,
            args=(run, key, on_continue),
        )


def _hand_on(run: RunSnapshot, key: str, on_continue: Callable[[str, str], None]) -> None:
    choices = continuable(run)
    choice = st.session_state.get(f"{key}.continue.choice", choices[0]) if len(choices) > 1 else choices[0]
    if choice in choices:
        on_continue(key, continued_prompt(run, choice))
