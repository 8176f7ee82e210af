"""What narrows and sorts the library."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from components.plain_text import one_line
from components.services import workspace
from core.storage.preset_query import PresetFilter, PresetOrder, PresetSort

_SORTS: dict[str, tuple[PresetSort, bool]] = {
    "Last saved": ("saved_at", True),
    "Newest": ("created_at", True),
    "Oldest": ("created_at", False),
    "Name": ("sort_name", False),
}
_KINDS = {"Drafts": "draft", "Comparisons": "comparison"}


def preset_filters() -> tuple[PresetFilter, PresetOrder]:
    """Draw the filters; what they come to."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="presets-filters"):
        which, order = _words_and_marks()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="presets-narrow"):
        return _narrowed(which), order


def _words_and_marks() -> tuple[PresetFilter, PresetOrder]:
    text = st.text_input(
        "Find presets",
        key="presets.text",
        placeholder="Find: words of name, tags, description, models, prompt",
        icon=":material/search:",
        label_visibility="collapsed",
        persist_state="session",
    )
    sort = st.selectbox("Sort", list(_SORTS), key="presets.sort", label_visibility="collapsed", width=140, persist_state="session")
    starred = st.toggle("Starred", key="presets.starred", persist_state="session")
    archived = st.toggle("Archived", key="presets.archived", persist_state="session")
    return PresetFilter(text=text or "", starred=starred, archived=archived), PresetOrder(*_SORTS[sort or "Last saved"])


def _narrowed(which: PresetFilter) -> PresetFilter:
    """``which``, of one kind, folder and set of tags alone. What was chosen stays on offer when no preset has it any more."""
    library = workspace().presets
    tags, folders = library.tags(), library.folders()
    chosen_tags: list[str] = st.session_state.get("presets.tags") or []
    chosen_folder: str | None = st.session_state.get("presets.folder")
    kind = st.selectbox(
        "Kind",
        list(_KINDS),
        index=None,
        key="presets.kind",
        placeholder="Kind",
        label_visibility="collapsed",
        width=150,
        persist_state="session",
    )
    folder = st.selectbox(
        "Folder",
        list(dict.fromkeys([*folders, *([chosen_folder] if chosen_folder else [])])),
        index=None,
        key="presets.folder",
        placeholder="Folder",
        label_visibility="collapsed",
        width=190,
        format_func=lambda one: one_line(one, 60),
        persist_state="session",
    )
    picked = st.multiselect(
        "Tags",
        list(dict.fromkeys([*tags, *chosen_tags])),
        key="presets.tags",
        placeholder="Tags",
        label_visibility="collapsed",
        format_func=lambda one: one_line(one, 60),
        persist_state="session",
    )
    return replace(which, tags=tuple(picked), folder=folder, kind=_KINDS.get(kind or ""))  # type: ignore[arg-type]
