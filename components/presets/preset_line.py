"""One line over what is edited: which preset it is, what differs from its version, and the ways to save it or go back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

from components import session
from components.plain_text import badge_label, plain
from components.presets.bench import Bench, Link
from components.presets.label_fields import label_fields, typed_label
from components.services import workspace
from core.errors import InvalidPreset, StorageProblem
from core.preset.changes import Change, changes, said
from core.preset.content import Content
from core.preset.preset import LONGEST_NOTE, NewPreset, Preset
from core.storage.preset_query import PresetFilter

SHOWN = 4
"""Changes that stand in the line; the rest is counted."""
OFFERED = 8
"""Presets that the line's list offers."""


def preset_line(bench: Bench) -> None:
    """Draw the line; a database that cannot be read costs only the line."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"preset-line-{bench.key}"):
        try:
            content, link = bench.content(), bench.link()
            preset = workspace().presets.find(link.preset) if link else None
            if preset is None or link is None:
                _unsaved(bench, content, was_linked=link is not None)
            else:
                _saved(bench, content, preset, link)
        except (StorageProblem, InvalidPreset) as problem:
            st.caption(f":material/bookmark: {plain(f'{problem.cause} {problem.next_step}')}", width="stretch")
            return
        if bench.undoable():
            _doing("Undo", f"{bench.key}.undo", "undo", bench.undo, tip="What was here before")


def looks(bench: Bench) -> str:
    """What an edit changes of the line, for those who redraw it only when that changes."""
    undo, link = bench.undoable(), bench.link()
    if link is None:
        return f"{undo}"
    try:
        found = _changes(bench.content(), link)
    except (StorageProblem, InvalidPreset) as problem:
        return f"{undo} {problem.cause}"
    return f"{undo} {found and [change.text for change in found]}"


def _changes(content: Content, link: Link) -> tuple[Change, ...] | None:
    version = workspace().presets.version(link.preset, link.version)
    return None if version is None else changes(version.content, content)


def _unsaved(bench: Bench, content: Content, *, was_linked: bool) -> None:
    if was_linked:
        st.caption(":material/bookmark_remove: Its preset was deleted", width="content")
    popover(bench, "save", "Save as preset", "bookmark_add", lambda: _save_new(bench, content.kind == "comparison"))
    popover(bench, "open", "Open a preset", "bookmarks", lambda: _open(bench, content.kind))


def _saved(bench: Bench, content: Content, preset: Preset, link: Link) -> None:
    found = _changes(content, link)
    newest = "" if link.version == preset.version else f" of {preset.version}"
    st.markdown(f":material/bookmark: **{plain(preset.label.name, 60)}** · version {link.version}{newest}", width="content")
    if found is None:
        st.caption("This version is not there any more", width="content")
    elif not found:
        st.caption("No changes", width="content")
    else:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="stretch", key=f"{bench.key}.differs"):
            st.caption(f"Differs from version {link.version} {said(found)}", width="content")
            for change in found[:SHOWN]:
                st.badge(badge_label(change.text, 48), color="blue", help=plain(change.text, 200))
            if len(found) > SHOWN:
                st.caption(f"and {len(found) - SHOWN} more", width="content")
        _doing(
            f"Save as version {preset.version + 1}",
            f"{bench.key}.save_version",
            "save",
            save_version,
            bench,
            tip="The versions before stay",
        )
        _doing("Revert", f"{bench.key}.revert", "settings_backup_restore", revert, bench, tip=f"To version {link.version}, as it was saved")
    popover(
        bench,
        "more",
        "",
        "more_horiz",
        lambda: _more(bench, preset, content.kind == "comparison", changed=bool(found)),
        tip="More about this preset",
    )


def popover(bench: Bench, name: str, title: str, icon: str, body: Callable[[], None], *, tip: str | None = None) -> None:
    """A popover of the line, whose body is drawn when it is open."""
    box = st.popover(title, key=f"{bench.key}.{name}", icon=f":material/{icon}:", type="tertiary", help=tip, on_change="rerun")
    if box.open:
        with box:
            body()


def _more(bench: Bench, preset: Preset, compared: bool, *, changed: bool) -> None:
    if changed:
        key = f"{bench.key}.note"
        st.text_input("Note", key=key, max_chars=LONGEST_NOTE, placeholder="What changed, and why")
        title = f"Save as version {preset.version + 1} with this note"
        _doing(title, f"{bench.key}.save_noted", "save", _save_noted, bench, key, kind="secondary")
    if st.button("Show in the library", key=f"{bench.key}.library", icon=":material/bookmarks:", type="tertiary"):
        session.presets.show(preset.id)
        st.switch_page("presets.py")
    _doing("Let go of the preset", f"{bench.key}.let_go", "link_off", _let_go, bench)
    st.divider()
    _save_new(bench, compared)


def _save_new(bench: Bench, compared: bool) -> None:
    """The form of a new preset. Said where it was typed, what is wrong with it."""
    st.caption(f"Keep {'this comparison' if compared else 'these settings and this prompt'} under a name")
    label_fields(f"{bench.key}.new")
    if refused := session.presets.refusal(bench.key):
        st.markdown(f":red[:material/error: {plain(refused)}]")
    _doing("Save", f"{bench.key}.new.save", "bookmark_add", save_new, bench, kind="primary")


def _open(bench: Bench, kind: str) -> None:
    query = st.text_input(
        "Find a preset", key=f"{bench.key}.find", placeholder="Find a preset", icon=":material/search:", label_visibility="collapsed"
    )
    which = PresetFilter(text=query or "", kind="comparison" if kind == "comparison" else "draft")
    found = workspace().presets.page(which, limit=OFFERED).presets
    for preset in found:
        _doing(plain(preset.label.name, 60), f"{bench.key}.open.{preset.id}", "bookmark", open_newest, bench, preset.id)
    if not found:
        st.caption("No preset fits." if query else "There is none yet. Save this one, or take a starter from the library.")
    if st.button("The library and the starters", key=f"{bench.key}.all", icon=":material/arrow_forward:", type="tertiary"):
        st.switch_page("presets.py")


def _doing(
    title: str,
    key: str,
    icon: str,
    act: Callable[..., None],
    *arguments: Any,
    kind: Literal["primary", "secondary", "tertiary"] = "tertiary",
    tip: str | None = None,
) -> None:
    """A button that does something which concerns the whole page."""
    st.button(title, key=key, icon=f":material/{icon}:", type=kind, help=tip, on_click=_redrawn, args=(act, *arguments))


# Callbacks


def _redrawn(act: Callable[..., None], *arguments: Any) -> None:
    """Do something that concerns the whole page, of which the line is a part that is redrawn alone."""
    act(*arguments)
    st.rerun()


def save_new(bench: Bench) -> None:
    """Save what is edited as a new preset, under what the form says."""
    try:
        made = workspace().presets.add([NewPreset(typed_label(f"{bench.key}.new"), bench.content())])[0]
    except (InvalidPreset, StorageProblem) as problem:
        session.presets.set_refusal(bench.key, f"{problem.cause} {problem.next_step}")
        return
    session.presets.set_refusal(bench.key, None)
    bench.set_link(Link(made.id, made.version))
    for name in ("save", "more"):
        st.session_state[f"{bench.key}.{name}"] = False
    st.toast(f"{plain(made.label.name, 60)} is saved as version 1", icon=":material/bookmark_added:")


def _save_noted(bench: Bench, key: str) -> None:
    save_version(bench, note=" ".join(str(st.session_state.get(key) or "").split()))
    st.session_state[f"{bench.key}.more"] = False


def save_version(bench: Bench, *, note: str = "") -> None:
    """Save what is edited as the next version of its preset."""
    link = bench.link()
    if link is None:
        return
    try:
        saved = workspace().presets.save(link.preset, bench.content(), note=note)
    except (InvalidPreset, StorageProblem) as problem:
        st.toast(plain(f"{problem.cause} {problem.next_step}"), icon=":material/error:")
    except KeyError:
        st.toast("The preset was deleted meanwhile. Save this as a new one.", icon=":material/error:")
    else:
        bench.set_link(Link(saved.id, saved.version))
        st.toast(f"Saved as version {saved.version}", icon=":material/bookmark_added:")


def revert(bench: Bench) -> None:
    """Go back to the version that is linked."""
    link = bench.link()
    version = workspace().presets.version(link.preset, link.version) if link else None
    if version is not None:
        bench.put(version.content, link)


def open_newest(bench: Bench, preset_id: str) -> None:
    """Open the newest version of a preset in place of what is edited."""
    preset = workspace().presets.find(preset_id)
    version = workspace().presets.version(preset_id, preset.version) if preset else None
    if preset is None or version is None:
        st.toast("The preset was deleted meanwhile.", icon=":material/error:")
        return
    bench.put(version.content, Link(preset.id, preset.version))
    st.session_state[f"{bench.key}.open"] = False


def _let_go(bench: Bench) -> None:
    bench.set_link(None)
    st.session_state[f"{bench.key}.more"] = False
