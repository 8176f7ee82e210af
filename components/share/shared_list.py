"""What one has shared, with the means to take it back; and opening of a file that somebody shared."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from components.plain_text import badge_label, plain
from components.services import workspace
from components.share.addresses import STORED, share_address
from core.errors import PlaygroundError, StorageProblem
from core.share.items import LABELS
from core.share.reading import FILE_BOUNDS, NotReadable, read_snapshot
from core.share.snapshot import Snapshot
from core.storage.share_repository import ShareRow

SHOWN = 100


def shared_list(*, show: Callable[[Snapshot, str], None]) -> None:
    """Draw the list; ``show`` draws the snapshot of a file."""
    st.subheader("What I have shared", anchor=False)
    try:
        rows = workspace().shares.rows()
    except StorageProblem as problem:
        st.error(plain(f"The list cannot be read. {problem.cause} {problem.next_step}"), icon=":material/database_off:")
        rows = ()
    if not rows:
        st.info(
            "Nothing yet. Press *Share* in the Playground, in Compare, at a preset or at a run of the History.", icon=":material/share:"
        )
    with st.container(key="share-list", gap="small"):
        for row in rows[:SHOWN]:
            _row(row)
    if len(rows) > SHOWN:
        st.caption(f"The newest {SHOWN} of {len(rows):,}.")
    st.subheader("Open a shared file", anchor=False)
    file = st.file_uploader(
        "A file that somebody shared", type="json", key="share.upload", label_visibility="collapsed", max_upload_size=12
    )
    if file is not None:
        try:
            if file.size > FILE_BOUNDS.size:
                raise NotReadable("This file is too large to be one that was shared.")
            show(read_snapshot(file.getvalue()), "")
        except PlaygroundError as problem:
            st.error(plain(f"{problem.cause} {problem.next_step}"), icon=":material/error:")


def _row(row: ShareRow) -> None:
    with st.container(border=True, gap="xsmall", key=f"share-row-{row.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(row.title, 120)}**", width="stretch")
            color = "green" if row.state == "open" else "gray"
            st.badge(badge_label(row.state), color=color)  # type: ignore[arg-type]
            if row.state == "open":
                st.link_button("Look", share_address(STORED, row.id), icon=":material/visibility:", type="tertiary")
                st.button(
                    "Take back",
                    key=f"share.revoke.{row.id}",
                    icon=":material/link_off:",
                    help="The link shows nothing any more, and the copy behind it is deleted",
                    on_click=_guarded,
                    args=(lambda: workspace().shares.revoke(row.id),),
                )
            else:
                st.button(
                    "Remove",
                    key=f"share.forget.{row.id}",
                    icon=":material/delete:",
                    help="From this list",
                    on_click=_guarded,
                    args=(lambda: workspace().shares.forget(row.id),),
                )
        st.caption(plain(" · ".join(_facts(row)), 600))
        if row.state == "open":
            st.code(share_address(STORED, row.id), language=None, wrap_lines=True)


def _facts(row: ShareRow) -> list[str]:
    facts = [f"shared {row.created_at:%Y-%m-%d %H:%M} UTC"]
    if row.state == "open":
        facts.append(f"expires {row.expires_at:%Y-%m-%d %H:%M} UTC" if row.expires_at else "never expires")
    visits = f"{row.views:,} visit{'' if row.views == 1 else 's'}"
    facts.append(visits + (f", the last {row.viewed_at:%Y-%m-%d %H:%M} UTC" if row.viewed_at else ""))
    facts.append("without " + ", ".join(LABELS[name] for name in row.hidden) if row.hidden else "everything in it")
    return facts


def _guarded(act: Callable[[], object]) -> None:
    try:
        act()
    except StorageProblem as problem:
        st.toast(plain(f"{problem.cause} {problem.next_step}"), icon=":material/error:")
