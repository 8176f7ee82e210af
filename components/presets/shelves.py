"""Presets that are looked at and not changed here: the folder of files, and the starters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from components import session
from components.plain_text import plain
from components.presets.contents import contents
from components.presets.files import add_new, download
from components.presets.going import going_buttons
from components.services import workspace
from core.errors import InvalidPreset, StorageProblem
from core.preset.preset import NewPreset
from core.preset.starters import starters

MOST_FAULTS = 20


def folder_shelf() -> None:
    """Draw the presets of ``PLAYGROUND_PRESETS_DIR``; a file that cannot be read is one sentence."""
    listing = workspace().preset_folder.listing()
    st.caption(
        ":material/folder_managed: Files of PLAYGROUND\\_PRESETS\\_DIR. They are read again when they change, and never written here."
    )
    for fault in listing.faults[:MOST_FAULTS]:
        st.warning(plain(fault.cause, 300), icon=":material/error:")
    if len(listing.faults) > MOST_FAULTS:
        st.caption(f"and {len(listing.faults) - MOST_FAULTS} more files that cannot be read")
    if listing.presets:
        _shelf("folder", {one.id: one.preset for one in listing.presets}, listing_path)
    elif not listing.faults:
        st.info("The folder has no presets yet. Export one and put the file there.", icon=":material/folder_open:")


def listing_path(preset_id: str) -> str:
    """The file of a folder's preset."""
    return preset_id.rpartition("#")[0]


def starter_shelf() -> None:
    """Draw the starters."""
    st.caption(":material/rocket_launch: Each runs on the local router. Open one, or keep a copy in the library to change it.")
    _shelf("starters", {one.id: one.preset for one in starters()}, lambda _one: "")


def starters_offer() -> None:
    """What a library that is empty shows: what presets are, and starters to take."""
    st.info(
        "Nothing is kept here yet. *Save as preset* in the Playground or in Compare keeps what you set, in versions. "
        "Or start from one of these.",
        icon=":material/bookmarks:",
    )
    st.button("Put all starters into the library", key="presets.take_all", icon=":material/library_add:", on_click=_take_all)
    starter_shelf()


def _take_all() -> None:
    _added([one.preset for one in starters()])


def _shelf(key: str, presets: dict[str, NewPreset], where: Callable[[str], str]) -> None:
    """A list on the left, the chosen one on the right."""
    left, right = st.columns([0.42, 0.58], gap="medium")
    with left:
        query = st.text_input(
            "Find", key=f"{key}.find", placeholder="Find a preset", icon=":material/search:", label_visibility="collapsed"
        )
        words = (query or "").casefold().split()
        found = {one: preset for one, preset in presets.items() if all(word in _searched(preset) for word in words)}
        if not found:
            st.caption("No preset fits.")
            return
        if st.session_state.get(f"{key}.chosen") not in found:
            st.session_state[f"{key}.chosen"] = next(iter(found))
        with st.container(height=520, border=False, key=f"{key}.list"):
            chosen = st.radio(
                "Presets",
                list(found),
                key=f"{key}.chosen",
                format_func=lambda one: plain(found[one].label.name, 80),
                captions=[
                    plain(" · ".join(filter(None, [where(one), ", ".join(preset.label.tags)])), 100) for one, preset in found.items()
                ],
                label_visibility="collapsed",
            )
    with right:
        _preset(key, found[chosen or next(iter(found))])


def _searched(preset: NewPreset) -> str:
    return " ".join((preset.label.name, preset.label.description, preset.label.folder, *preset.label.tags)).casefold()


def _preset(key: str, preset: NewPreset) -> None:
    with st.container(border=True, key=f"{key}-detail", gap="small"):
        st.markdown(f"**{plain(preset.label.name, 200)}**")
        if preset.label.description:
            st.text(preset.label.description)
        with st.container(horizontal=True, gap="small", key=f"{key}-actions"):
            going_buttons(key, preset.content, None)
            st.button(
                "Save to the library",
                key=f"{key}.take",
                icon=":material/bookmark_add:",
                help="A preset of your own, to change and save in versions",
                on_click=_added,
                args=([preset],),
            )
        contents(preset.content)
        with st.expander("File"):
            download(f"{key}.file", lambda: [preset], preset.label.name)


def _added(presets: Sequence[NewPreset]) -> None:
    try:
        fresh, there = add_new(presets)
    except (InvalidPreset, StorageProblem) as problem:
        st.toast(plain(f"{problem.cause} {problem.next_step}"), icon=":material/error:")
        return
    said = f"{fresh} saved to the library" if fresh else ""
    also = f"{there} {'is' if there == 1 else 'are'} there already" if there else ""
    st.toast(", ".join(filter(None, [said, also])), icon=":material/bookmark_added:")
    session.presets.show(None)
