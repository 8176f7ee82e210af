"""Presets as files: out, one or many, and in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import streamlit as st

from components import session
from components.plain_text import plain
from components.services import workspace
from core.errors import InvalidPreset, StorageProblem
from core.preset.document import Form, read_presets, write_presets
from core.preset.preset import NewPreset
from core.storage.preset_query import PresetFilter

MOST_AS_YAML = 200
"""Presets that are written as YAML; reading so much of it takes seconds."""
MIME = {"json": "application/json", "yaml": "application/yaml"}
MOST_TOLD = 8


def export_presets(which: PresetFilter, selected: Sequence[str], count: int) -> None:
    """Draw what can be exported: the ticked presets, those that are listed, all."""
    library = workspace().presets
    scopes: dict[str, tuple[PresetFilter, int]] = {}
    if selected:
        scopes[f"The {len(selected)} ticked"] = (PresetFilter(ids=tuple(selected), archived=which.archived), len(selected))
    if which != PresetFilter():
        scopes[f"The {count:,} listed"] = (which, count)
    everything = library.count()
    scopes[f"All {everything:,}"] = (PresetFilter(), everything)
    chosen = st.radio("Which", list(scopes), key="presets.export.which", label_visibility="collapsed")
    asked, number = scopes[chosen or next(iter(scopes))]
    download(
        "presets.export",
        lambda: [NewPreset(one.label, content, one.origin) for one, content in library.stream(asked)],
        "presets",
        many=number,
    )


def download(key: str, presets: Callable[[], Sequence[NewPreset]], name: str, *, many: int = 1) -> None:
    """Draw the form and the button that downloads ``presets`` in it."""
    forms: list[Form] = ["yaml", "json"] if many <= MOST_AS_YAML else ["json"]
    form: Form = st.segmented_control("As", forms, default=forms[0], required=True, key=f"{key}.form", format_func=str.upper)
    if many > MOST_AS_YAML:
        st.caption(f"More than {MOST_AS_YAML} presets are written as JSON.")
    file = (re.sub(r"[^\w-]+", "-", name)[:60].strip("-") or "preset") + f".{form}"
    data: bytes | Callable[[], bytes] = lambda: write_presets(presets(), form)  # noqa: E731
    if form == "yaml":
        try:
            data = write_presets(presets(), form)
        except InvalidPreset as problem:
            st.caption(f":red[:material/error: {plain(f'{problem.cause} {problem.next_step}')}]")
            return
    st.download_button(
        "Download", data, file, MIME[form], key=f"{key}.download", icon=":material/download:", on_click="ignore", disabled=not many
    )


def import_presets() -> None:
    """Draw the upload and what the last one came to."""
    st.file_uploader(
        "Preset files, a draft or a request body; JSON or YAML",
        type=["json", "yaml", "yml"],
        accept_multiple_files=True,
        key="presets.import.files",
        on_change=_import,
    )
    added, told = session.presets.import_outcome()
    if added:
        st.caption(f":green[:material/check: {added:,} preset{'' if added == 1 else 's'} added]")
    for sentence in told[:MOST_TOLD]:
        st.caption(f":orange[:material/info: {plain(sentence, 300)}]")
    if len(told) > MOST_TOLD:
        st.caption(f"and {len(told) - MOST_TOLD} more")


def _import() -> None:
    """Add what the files hold; each broken one is told, the others are added."""
    added, told = 0, []
    for file in st.session_state.get("presets.import.files") or []:
        try:
            fresh, there = add_new(read_presets(file.getvalue(), file.name))
        except (InvalidPreset, StorageProblem) as problem:
            told.append(f"{problem.cause} {problem.next_step}".strip())
            continue
        added += fresh
        if there:
            told.append(f"{file.name}: {there:,} that {'is' if there == 1 else 'are'} in the library already, left out")
    session.presets.set_import_outcome(added, told)


def add_new(presets: Sequence[NewPreset]) -> tuple[int, int]:
    """Add presets to the library, less those that are there already; how many were added, and how many were not."""
    library = workspace().presets
    fresh = [one for one in presets if library.twin(one.label, one.content) is None]
    if fresh:
        library.add(fresh)
    return len(fresh), len(presets) - len(fresh)
