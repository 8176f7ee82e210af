"""What a base is, in a line; and what to say where there are none."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from components import session
from components.plain_text import plain
from components.services import workspace
from core.connection import Connection
from core.errors import PlaygroundError
from core.router_resources.knowledge import KnowledgeBase

OWN: Final = ("retrieval_type", "top_k", "threshold")
"""What holds where a request sets nothing else."""


def base_line(base: KnowledgeBase) -> None:
    """The base in a quiet line, and the switch between searching it and looking at what is in it."""
    parts = [plain(base.description, 160)] if base.description else []
    if base.chunks is not None:
        parts.append(f"{base.documents or 0:,} documents, {base.chunks:,} chunks")
    own = [f"{name} {_shown(base.settings[name])}" for name in OWN if base.settings.get(name) is not None]
    if own:
        parts.append("its own " + plain(", ".join(own), 120))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="knowledge-line"):
        session.knowledge.seed_view()
        st.segmented_control("View", session.knowledge.VIEWS, key=session.knowledge.VIEW, required=True, label_visibility="collapsed")
        st.caption(" · ".join(parts))


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def no_knowledge(connection: Connection, *, served: bool) -> None:
    """The connected router has no base, or (not ``served``) no such addresses."""
    what = "has no knowledge bases yet" if served else "lists no knowledge bases"
    st.info(
        f"{plain(connection.name)} {what}. Requests can still name one by its id, in the Playground under Knowledge; "
        "the local router has bases to search and to fill.",
        icon=":material/library_books:",
    )
    _ways_on(connection)


def unreadable(error: PlaygroundError, connection: Connection) -> None:
    """The router did not answer, or refused."""
    st.error(plain(f"{error.cause} {error.next_step}"), icon=":material/error:")
    _ways_on(connection)


def _ways_on(connection: Connection) -> None:
    with st.container(horizontal=True, gap="small"):
        if st.button("Choose another connection", key="knowledge.elsewhere", icon=":material/cable:"):
            st.switch_page("connections.py")
        st.button("Try again", key="knowledge.ask", icon=":material/refresh:", on_click=workspace().knowledge.forget, args=(connection,))
