"""The drafts being edited, one per slot, and those that an import or a preset took the place of."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.draft_store import DraftStore, new_draft_id

_IMPORTING = "session.importing"
_REPLACED_DRAFT = "session.replaced_draft"

FIRST_DRAFT: dict[str, Any] = {
    "body": {"model": "local/pydoc", "max_tokens": 200, "stream": True},
    "extra": "",
}
"""What a new visitor starts from: a model that needs no account, room for more than 16 tokens, and a live stream."""


def draft(slot: str) -> dict[str, Any] | None:
    """The draft being edited in ``slot``; ``None`` before the first ``set_draft``."""
    found: dict[str, Any] | None = st.session_state.get(f"session.draft.{slot}")
    return found


def set_draft(slot: str, value: dict[str, Any]) -> None:
    """Replace the draft of ``slot`` (an object of its own, never shared)."""
    st.session_state[f"session.draft.{slot}"] = value
    st.session_state.setdefault(f"session.draft_id.{slot}", new_draft_id())


def restore_draft(slot: str, store: DraftStore, *, linked: str | None, fallback: Mapping[str, Any] | None) -> dict[str, Any]:
    """The slot's draft. In a new session: a copy of the ``linked`` one, else of ``fallback`` (the linked run's), else the first draft.

    A copy, under an id of its own, so that two tabs opened on one link do not write over each other.
    """
    current = draft(slot)
    if current is None:
        found = store.load(linked) if linked else None
        current = found or copy.deepcopy(dict(fallback or FIRST_DRAFT))
        set_draft(slot, current)
        st.session_state[f"session.draft_id.{slot}"] = new_draft_id()
    return current


def keep_draft(slot: str, store: DraftStore) -> str:
    """Keep the slot's draft where a reload finds it; its id, for the URL."""
    draft_id = str(st.session_state[f"session.draft_id.{slot}"])
    current = draft(slot)
    if current is not None:
        store.save(draft_id, current)
    return draft_id


def importing() -> bool:
    """Whether the dialog of an import is open: Ctrl+Enter then belongs to what is typed there, not to Run."""
    return bool(st.session_state.get(_IMPORTING))


def set_importing(is_open: bool) -> None:
    """Remember whether the dialog of an import is open."""
    st.session_state[_IMPORTING] = is_open


def imported(slot: str) -> str | None:
    """What the last import into ``slot`` came to, while it can be undone."""
    found: str | None = st.session_state.get(f"session.imported.{slot}")
    return found


def set_imported(slot: str, text: str | None) -> None:
    """Remember what an import came to; ``None`` forgets it."""
    st.session_state[f"session.imported.{slot}"] = text


def draft_before_import(slot: str) -> dict[str, Any] | None:
    """The draft that the last import took the place of."""
    found: dict[str, Any] | None = st.session_state.get(f"session.before_import.{slot}")
    return found


def set_draft_before_import(slot: str, value: dict[str, Any] | None) -> None:
    """Keep the draft that an import takes the place of."""
    st.session_state[f"session.before_import.{slot}"] = value


def replaced_draft() -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The Playground's draft before a preset was opened in its place, and the one that was put there."""
    found: tuple[dict[str, Any], dict[str, Any]] | None = st.session_state.get(_REPLACED_DRAFT)
    return found


def set_replaced_draft(change: tuple[dict[str, Any], dict[str, Any]] | None) -> None:
    """Remember a draft that was replaced, for undoing; ``None`` forgets it."""
    st.session_state[_REPLACED_DRAFT] = copy.deepcopy(change)
