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
        lines = [
            "| Database | |",
            "|---|---|",
            *(f"| {plain(name)} | {plain(said)} |" for name, said in _rows(current.database.place, facts)),
        ]
        st.markdown("\n".join(lines))
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


def _rows(place: str, facts: DatabaseFacts) -> Iterator[tuple[str, str]]:
    yield "kind", facts.server
    yield "place", place
    yield "runs", f"{facts.runs:,} ({facts.starred:,} starred), about {megabytes(facts.run_bytes)}"
    if facts.deleted:
        yield "deleted runs, not yet removed", f"{facts.deleted:,}"
    yield "size", megabytes(facts.size_bytes)
    yield "schema", facts.schema or "none yet"
