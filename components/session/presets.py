"""The library of presets: where one is in its list, what is shown, ticked, refused, deleted or imported."""

from __future__ import annotations

import streamlit as st

_PRESET_REFUSAL = "session.preset_refusal"
_CHOSEN_PRESET = "session.chosen_preset"
_TICKED_PRESETS = "session.ticked_presets"
_PRESET_PAGES = "session.preset_pages"
_DELETED_PRESETS = "session.deleted_presets"
_PRESET_IMPORT = "session.preset_import"


def refusal(form: str) -> str | None:
    """Why the preset of a form was not saved at the last press, if it was not."""
    at, text = st.session_state.get(_PRESET_REFUSAL, ("", None))
    return text if at == form else None


def set_refusal(form: str, text: str | None) -> None:
    """Remember why a form's preset was not saved; ``None`` forgets it."""
    st.session_state[_PRESET_REFUSAL] = (form, text)


def shown() -> str | None:
    """The id of the preset that the library shows whole."""
    found: str | None = st.session_state.get(_CHOSEN_PRESET)
    return found


def show(preset_id: str | None) -> None:
    """Let the library show a preset whole; ``None`` shows none."""
    st.session_state[_CHOSEN_PRESET] = preset_id


def ticked() -> list[str]:
    """The presets that are ticked in the library."""
    found: list[str] = st.session_state.get(_TICKED_PRESETS, [])
    return found


def set_ticked(ids: list[str]) -> None:
    """Remember which presets are ticked, for when the list changes around them."""
    st.session_state[_TICKED_PRESETS] = ids


def pages(view: str) -> list[str]:
    """The cursors of the library's pages one went through, the shown one last; empty on the first page, or of another view."""
    found: tuple[str, list[str]] = st.session_state.get(_PRESET_PAGES, ("", []))
    return list(found[1]) if found[0] == view else []


def set_pages(view: str, cursors: list[str]) -> None:
    """Remember where in the library one is."""
    st.session_state[_PRESET_PAGES] = (view, cursors)


def deleted() -> tuple[str, int] | None:
    """What the last deletion in the library took: its moment (ISO 8601), for undoing, and how many presets."""
    found: tuple[str, int] | None = st.session_state.get(_DELETED_PRESETS)
    return found


def set_deleted(deletion: tuple[str, int] | None) -> None:
    """Offer to undo a deletion; ``None`` offers nothing."""
    st.session_state[_DELETED_PRESETS] = deletion


def import_outcome() -> tuple[int, list[str]]:
    """What the last import of presets came to: how many were added, and a sentence for whatever was not."""
    found: tuple[int, list[str]] = st.session_state.get(_PRESET_IMPORT, (0, []))
    return found


def set_import_outcome(added: int, told: list[str]) -> None:
    """Remember what an import of presets came to."""
    st.session_state[_PRESET_IMPORT] = (added, told)
