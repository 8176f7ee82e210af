"""Where runs are kept, how much there is, and whether saving works."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from components.plain_text import plain
from components.services import workspace
from components.settings.retention_form import megabytes
from core.storage.database_facts import DatabaseFacts, database_facts
from core.write_behind import StorageHealth


def storage_state() -> None:
    """Draw the section."""
    with st.container(key="storage", gap="small", width=720):
        st.subheader("Storage", anchor=False)
        current = workspace()
        states = (
            ("Runs", current.hub.storage_health),
            ("Drafts", current.drafts.health),
            ("Comparisons", current.comparisons.health),
        )
        if all(health.ok for _, health in states):
            st.markdown(":green[:material/check_circle:] Runs and drafts are being saved.")
        for what, health in states:
            _troubles(what, health)
        facts = database_facts(current.database)
        st.caption(plain(" · ".join(_told(current.database.place, facts))))
        if current.database.dialect == "sqlite":
            st.caption("The file does not shrink when runs go: new ones use the room.")


def _troubles(what: str, health: StorageHealth) -> None:
    if not health.ok:
        since = f" since {health.failing_since:%H:%M:%S} UTC" if health.failing_since else ""
        said = f"{what} are not being saved{since}: {health.cause} {health.waiting:,} wait in memory. {health.next_step}"
        st.error(plain(said), icon=":material/database_off:")
    if health.lost:
        said = f"{what}: {health.lost:,} could not be saved at all since the start; the log says why."
        st.warning(plain(said), icon=":material/warning:")


def _told(place: str, facts: DatabaseFacts) -> Iterator[str]:
    runs = f"{facts.runs:,} run{'' if facts.runs == 1 else 's'} ({facts.starred:,} starred)"
    yield facts.server
    yield place
    yield f"schema {facts.schema or 'none yet'}"
    yield f"{megabytes(facts.size_bytes)}, about {megabytes(facts.run_bytes)} of it for {runs}"
    if facts.deleted:
        yield f"{facts.deleted:,} deleted, not yet removed"
