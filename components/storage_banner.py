"""The one banner that says that what happens is not being saved."""

from __future__ import annotations

import streamlit as st

from components import session
from components.plain_text import plain
from components.services import workspace
from core.write_behind import StorageHealth

LOOKS_EVERY_S = 5.0


def storage_banner() -> None:
    """Says why runs or drafts are not being saved, until they are.

    While they are, it shows nothing; it looks again by itself only while the page follows a run, for nobody may touch the page then.
    """
    # A fragment, because that has its place even when it is empty: a banner that came between would have everything below it drawn anew,
    # the panel too. And nothing in it while there is nothing to say: an empty element takes the room of a line.
    looks = _trouble() is not None or _run_goes_on()
    st.fragment(_banner, run_every=LOOKS_EVERY_S if looks else None)(looks)


def _banner(looks: bool) -> None:
    trouble = _trouble()
    if trouble is None:
        if looks and not _run_goes_on():
            st.rerun()
        return
    what, health = trouble
    cause = health.cause[:1].lower() + health.cause[1:]
    waiting = f" ({health.waiting:,} waiting)" if health.waiting else ""
    words = f"{what} are not being saved: {cause} They are kept in memory{waiting} and saved when it works again. {health.next_step}"
    st.warning(plain(words.strip()), icon=":material/save:")


def _run_goes_on() -> bool:
    return workspace().hub.channels.shows_a_run_that_goes_on(session.channel())


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
