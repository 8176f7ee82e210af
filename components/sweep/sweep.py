"""The sweep in place of the comparison's slots: one that is being made, or one that runs or ran."""

from __future__ import annotations

import streamlit as st

from components import session
from components.plain_text import plain
from components.services import workspace
from components.sweep.builder import builder
from components.sweep.progress import progress
from core.comparison.board import Board
from core.errors import StorageProblem
from core.sweep.progress import SweepRecord

LINK = "sweep"
"""The query parameter that finds a sweep again; ``new`` for one that is being made."""
NEW = "new"


def enter() -> None:
    """The callback that shows the newest sweep of the comparison, or makes the first."""
    found = _newest()
    session.sweep.set_view(found[0].id if found else "")


def is_shown(*, same_comparison: bool) -> bool:
    """Whether a sweep is shown, by the session or by the page's address, which named the ``same_comparison`` before it was drawn.

    An address that named the sweep and does no more, but the comparison still, was gone back to: then the slots are shown.
    """
    linked = st.query_params.get(LINK)
    if linked is None and same_comparison and session.sweep.is_linked():
        session.sweep.set_view(None)
    wanted = "" if linked == NEW else linked
    if session.sweep.view() is None and wanted is not None and wanted != session.sweep.left():
        session.sweep.set_view(wanted)
    view = session.sweep.view()
    if view is None:
        st.query_params.pop(LINK, None)
        return False
    st.query_params[LINK] = view or NEW
    session.sweep.set_is_linked()
    return True


def sweep(board: Board) -> None:
    """Draw it."""
    view = session.sweep.view() or ""
    found = _newest()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sweep-head"):
        st.subheader("Sweep", anchor=False, width="content")
        if found:
            _choose(found, view)
        st.space("stretch")
        st.button(
            "Back to the slots",
            key="sweep.leave",
            icon=":material/compare:",
            type="tertiary",
            on_click=session.sweep.set_view,
            args=(None,),
        )
    try:
        if view:
            progress(view)
        else:
            builder(board)
    except StorageProblem as problem:
        st.error(
            plain(f"Sweeps are kept in storage, which does not answer now. {problem.cause} {problem.next_step}"),
            icon=":material/database_off:",
        )


def _newest() -> tuple[SweepRecord, ...]:
    try:
        return workspace().sweeps.newest(session.comparison.current_id())
    except StorageProblem:
        return ()


def _choose(found: tuple[SweepRecord, ...], view: str) -> None:
    names = {one.id: one.name for one in found} | {"": "A new one"}
    key = "sweep.which"
    st.session_state[key] = view if view in names else None
    st.selectbox(
        "Sweep",
        list(names),
        key=key,
        format_func=lambda one: names[one],
        label_visibility="collapsed",
        placeholder="This sweep is of another comparison",
        width=280,
        on_change=_show,
        args=(key,),
    )


def _show(key: str) -> None:
    chosen = st.session_state[key]
    if chosen is not None:
        session.sweep.set_view(chosen)
