"""The fields of a preset's label: name, description, tags, folder."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from components.plain_text import one_line
from components.services import workspace
from core.preset.preset import LONGEST_DESCRIPTION, LONGEST_FOLDER, LONGEST_NAME, Label, label


def label_fields(key: str, start: Label | None = None) -> None:
    """Draw the fields; ``key`` begins their keys. ``start`` is what they hold until somebody types."""
    start = start or Label("")
    state = st.session_state
    state.setdefault(f"{key}.name", start.name)
    state.setdefault(f"{key}.description", start.description)
    state.setdefault(f"{key}.tags", list(start.tags))
    state.setdefault(f"{key}.folder", start.folder or None)
    library = workspace().presets
    st.text_input("Name", key=f"{key}.name", max_chars=LONGEST_NAME, placeholder="What it is called")
    st.text_area("Description", key=f"{key}.description", max_chars=LONGEST_DESCRIPTION, height=80, placeholder="What it is for")
    st.multiselect(
        "Tags",
        _with(library.tags(), state[f"{key}.tags"]),
        key=f"{key}.tags",
        accept_new_options=True,
        placeholder="Choose or add",
        format_func=lambda tag: one_line(tag, 60),
    )
    folder = state[f"{key}.folder"]
    st.selectbox(
        "Folder",
        _with(library.folders(), [folder] if folder else []),
        index=None,
        key=f"{key}.folder",
        accept_new_options=True,
        placeholder="None; names joined by /",
        help=f"At most {LONGEST_FOLDER} characters",
        format_func=lambda one: one_line(one, 100),
    )


def _with(known: Sequence[str], chosen: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*known, *chosen]))


def typed_label(key: str) -> Label:
    """What the fields hold, cleaned. InvalidPreset says what is wrong with it."""
    state = st.session_state
    return label(
        str(state.get(f"{key}.name") or ""),
        str(state.get(f"{key}.description") or ""),
        state.get(f"{key}.tags") or (),
        str(state.get(f"{key}.folder") or ""),
    )
