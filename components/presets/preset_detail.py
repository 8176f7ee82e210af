"""One preset of the library, whole: what it sets, its versions, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from components import session
from components.plain_text import badge_label, one_line, plain
from components.presets.bench import Link
from components.presets.contents import changed, contents
from components.presets.files import download
from components.presets.going import going_buttons
from components.presets.label_fields import label_fields, typed_label
from components.services import workspace
from components.share.entries import share_preset
from core.errors import InvalidPreset, StorageProblem
from core.preset.changes import changes, said
from core.preset.preset import NewPreset, Preset, Version, VersionHead


def preset_detail(preset: Preset) -> None:
    """Draw it."""
    newest = workspace().presets.version(preset.id, preset.version)
    if newest is None:
        return
    with st.container(border=True, key="preset-detail", gap="small"):
        _head(preset)
        with st.container(horizontal=True, gap="small", key="preset-actions"):
            going_buttons("preset", newest.content, Link(preset.id, preset.version))
            _actions(preset)
            share_preset(preset, newest)
        sets, versions, described, files = st.tabs(
            ["What it sets", "Versions", "Name and tags", "File"], key="preset-tabs", on_change="rerun"
        )
        file = [NewPreset(preset.label, newest.content, preset.origin)]
        if versions.open:
            with versions:
                _versions(preset)
        elif described.open:
            with described:
                _describe(preset)
        elif files.open:
            with files:
                download("preset.file", lambda: file, preset.label.name)
        else:
            with sets:
                contents(newest.content)


def _head(preset: Preset) -> None:
    star = "★ " if preset.starred else ""
    st.markdown(f"**{star}{plain(preset.label.name, 200)}**")
    if preset.label.description:
        st.text(preset.label.description)
    parts = [
        f"version {preset.version}",
        f"saved {preset.saved_at:%Y-%m-%d %H:%M} UTC",
        *([preset.label.folder] if preset.label.folder else []),
    ]
    if preset.origin:
        origin = workspace().presets.find(preset.origin.preset)
        name = f"“{origin.label.name}”" if origin else "a preset that is not here"
        parts.append(f"forked from {name}, version {preset.origin.version}")
    if preset.archived_at:
        parts.append("archived")
    st.caption(" · ".join(plain(part, 240) for part in parts))
    if preset.label.tags:
        with st.container(horizontal=True, gap="xsmall"):
            for tag in preset.label.tags:
                st.badge(badge_label(tag, 60), color="violet")


def _actions(preset: Preset) -> None:
    library = workspace().presets
    archived = preset.archived_at is not None
    for name, title, icon, act in (
        ("star", "Unstar" if preset.starred else "Star", "star", lambda: library.star([preset.id], not preset.starred)),
        ("duplicate", "Duplicate", "content_copy", lambda: _fork(preset.id, None)),
        (
            "archive",
            "Bring back" if archived else "Archive",
            "unarchive" if archived else "archive",
            lambda: library.archive([preset.id], not archived),
        ),
        ("delete", "Delete", "delete", lambda: _delete(preset.id)),
    ):
        st.button("", key=f"preset.{name}", icon=f":material/{icon}:", help=title, on_click=_guarded, args=(act,))


def _guarded(act: Callable[[], object]) -> None:
    """What a button does; a preset that was deleted meanwhile and a database that fails are said."""
    try:
        act()
    except KeyError:
        st.toast("This preset was deleted meanwhile.", icon=":material/error:")
    except (InvalidPreset, StorageProblem) as problem:
        st.toast(plain(f"{problem.cause} {problem.next_step}"), icon=":material/error:")


def _delete(preset_id: str) -> None:
    moment = workspace().presets.delete([preset_id])
    session.presets.set_deleted((moment.isoformat(), 1) if moment else None)
    session.presets.set_ticked([])
    session.presets.show(None)


def _fork(preset_id: str, number: int | None) -> None:
    made = workspace().presets.fork(preset_id, number)
    session.presets.set_ticked([made.id])
    session.presets.show(made.id)
    st.toast(f"{plain(made.label.name, 60)} is a preset of its own", icon=":material/call_split:")


# Versions


def _versions(preset: Preset) -> None:
    """One version: what it sets, how it differs from another one, and what can be done with it."""
    library = workspace().presets
    number, other = _picked(preset, library.versions(preset.id))
    version = library.version(preset.id, number) if number is not None else None
    if version is None:
        return
    _difference(library.version(preset.id, other) if other is not None else None, version)
    with st.container(horizontal=True, gap="small", key="preset-version-actions"):
        _version_buttons(preset, version)
    with st.expander(f"What version {number} sets"):
        contents(version.content)


def _picked(preset: Preset, heads: Sequence[VersionHead]) -> tuple[int | None, int | None]:
    """The number of the version, and of the one it is compared with: at first the one before it."""
    numbers = [head.number for head in heads]
    left, right = st.columns(2, gap="small")
    number = left.selectbox("Version", numbers, key=f"preset.version.{preset.id}", format_func=lambda one: _named(heads, one))
    others = [one for one in numbers if one != number]
    if number is None or not others:
        return number, None
    default = next((place for place, one in enumerate(others) if one < number), 0)
    key = f"preset.other.{preset.id}.{number}"
    return number, right.selectbox("compared with", others, index=default, key=key, format_func=lambda one: f"version {one}")


def _version_buttons(preset: Preset, version: Version) -> None:
    number = version.head.number
    st.button(
        f"Restore as version {preset.version + 1}",
        key="preset.restore",
        icon=":material/settings_backup_restore:",
        disabled=number == preset.version,
        help="Makes it the newest again; the versions between stay",
        on_click=_guarded,
        args=(lambda: _restore(preset.id, number),),
    )
    st.button(
        "Fork",
        key="preset.fork",
        icon=":material/call_split:",
        help="A preset of its own, with this version's content",
        on_click=_guarded,
        args=(lambda: _fork(preset.id, number),),
    )
    going_buttons("preset.old", version.content, Link(preset.id, number))


def _named(heads: Sequence[VersionHead], number: int) -> str:
    head = next(one for one in heads if one.number == number)
    parts = [
        f"version {number}",
        f"{head.saved_at:%Y-%m-%d %H:%M}",
        *([f"restored {head.restored}"] if head.restored else []),
        head.note[:60],
    ]
    return one_line(" · ".join(part for part in parts if part), 160)


def _difference(before: Version | None, version: Version) -> None:
    if before is None:
        st.caption("The first version.")
        return
    found = changes(before.content, version.content)
    if not found:
        st.caption(f"The same as version {before.head.number}.")
        return
    st.markdown(f"Differs from version {before.head.number} **{said(found)}**")
    changed(found)


def _restore(preset_id: str, number: int) -> None:
    saved = workspace().presets.restore(preset_id, number)
    st.toast(f"Version {number} is back as version {saved.version}", icon=":material/bookmark_added:")


# Label


def _describe(preset: Preset) -> None:
    key = f"preset.label.{preset.id}"
    label_fields(key, preset.label)
    if refused := session.presets.refusal(key):
        st.markdown(f":red[:material/error: {plain(refused)}]")
    st.button("Save", key="preset.describe", icon=":material/save:", on_click=_save_label, args=(preset.id, key))


def _save_label(preset_id: str, key: str) -> None:
    try:
        workspace().presets.describe(preset_id, typed_label(key))
    except (InvalidPreset, StorageProblem) as problem:
        session.presets.set_refusal(key, f"{problem.cause} {problem.next_step}")
    except KeyError:
        session.presets.set_refusal(key, "This preset was deleted meanwhile.")
    else:
        session.presets.set_refusal(key, None)
        st.toast("Saved", icon=":material/check:")
