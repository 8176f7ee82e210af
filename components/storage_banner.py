"""The one banner that says that what happens is not being saved."""

from __future__ import annotations

import streamlit as st

from components.plain_text import plain
from components.services import workspace
from core.write_behind import StorageHealth

LOOKS_EVERY_S = 5.0


def storage_banner() -> None:
    """Says why runs or drafts are not being saved, until they are; draws nothing, and asks for nothing, while they are."""
    if _trouble() is not None:
        _banner()


@st.fragment(run_every=LOOKS_EVERY_S)
def _banner() -> None:
    trouble = _trouble()
    if trouble is None:
        st.rerun()
        return
    what, health = trouble
    cause = health.cause[:1].lower() + health.cause[1:]
    waiting = f" ({health.waiting:,} waiting)" if health.waiting else ""
    words = f"{what} are not being saved: {cause} They are kept in memory{waiting} and saved when it works again. {health.next_step}"
    st.warning(plain(words.strip()), icon=":material/save:")


def _trouble() -> tuple[str, StorageHealth] | None:
    current = workspace()
    for what, health in (
        ("Runs", current.hub.storage_health),
        ("Drafts", current.drafts.health),
        ("Comparisons", current.comparisons.health),
    ):
        if not health.ok:
            return what, health
    return None
