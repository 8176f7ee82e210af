"""The page behind a link. It shows a snapshot and offers to open it; it runs nothing and sets nothing by itself."""

from __future__ import annotations

import streamlit as st

from components import session
from components.plain_text import plain
from components.presets.bench import bench_of
from components.services import workspace
from components.share.addresses import CONTAINED, STORED
from components.share.shared_list import shared_list
from components.share.snapshot_view import snapshot_view
from core.errors import InvalidPreset, PlaygroundError, StorageProblem
from core.outgoing import draft_of
from core.preset.content import comparison_content, draft_content
from core.preset.preset import LONGEST_DESCRIPTION, LONGEST_TAG, MOST_TAGS, NewPreset, label
from core.share.opening import board_of, content_of, title_of
from core.share.snapshot import SharedComparison, SharedSingleRun, Snapshot

KINDS = {"preset": "Settings", "run": "A run", "comparison": "A comparison"}


def shared_page() -> None:
    """Draw what the link shows; without a link, what one has shared."""
    stored, contained = st.query_params.get(STORED), st.query_params.get(CONTAINED)
    if stored is None and contained is None:
        shared_list(show=show)
        return
    try:
        if stored is not None:
            snapshot, note = _stored(stored), ""
        else:
            opened = workspace().share_links.unpack(contained or "")
            snapshot = opened.snapshot
            maker = "this playground" if opened.made_here else "another playground; nothing tells whose"
            note = f"The link itself holds all of this. It was made by {maker}."
    except PlaygroundError as problem:
        with st.container(key="share-problem"):
            st.error(plain(f"{problem.cause} {problem.next_step}"), icon=":material/link_off:")
        return
    show(snapshot, note)


def _stored(share_id: str) -> Snapshot:
    visited = share_id in session.share.visited()
    snapshot = workspace().shares.read(share_id, count=not visited)
    if not visited:
        session.share.note_visit(share_id)
    return snapshot


def show(snapshot: Snapshot, note: str) -> None:
    """Draw a snapshot under its title, with the ways to go on from it."""
    with st.container(key="share-head", gap="xsmall"):
        st.subheader(plain(title_of(snapshot), 200), anchor=False)
        st.caption(plain(f"{KINDS[snapshot.content.kind]}, as it was when it was shared on {snapshot.made_at:%Y-%m-%d %H:%M} UTC. {note}"))
        with st.container(horizontal=True, gap="small", key="share-actions"):
            _actions(snapshot)
    snapshot_view(snapshot)


def _actions(snapshot: Snapshot) -> None:
    compared = isinstance(snapshot.content, SharedComparison)
    playground = st.button(
        "Open A in Playground" if compared else "Open in Playground",
        key="share.playground",
        type="secondary" if compared else "primary",
        icon=":material/experiment:",
        help="To look at and change; nothing is sent. What is there now can be brought back by Undo",
    )
    compare = st.button(
        "Open in Compare",
        key="share.compare",
        type="primary" if compared else "secondary",
        icon=":material/compare:",
        help="As slots of a comparison; nothing is sent",
    )
    fork = st.button("Fork", key="share.fork", icon=":material/call_split:", help="Keep it as a preset of your own")
    try:
        if playground:
            content = draft_content(draft_of(snapshot.requests[0]))
            bench_of(content).put(content, None)
            session.set_run_id("a", None)
            st.switch_page("playground.py")
        if compare:
            both = comparison_content(board_of(snapshot))
            bench_of(both).put(both, None)
            st.switch_page("compare.py")
        if fork:
            _fork(snapshot)
    except (InvalidPreset, StorageProblem) as problem:
        st.toast(plain(f"{problem.cause} {problem.next_step}"), icon=":material/error:")


def _fork(snapshot: Snapshot) -> None:
    """Keep it in the library, and go there."""
    content = snapshot.content
    about: tuple[str, tuple[str, ...]] = ("", ())
    if not isinstance(content, SharedSingleRun):
        about = content.description[:LONGEST_DESCRIPTION], tuple(tag[:LONGEST_TAG] for tag in content.tags[:MOST_TAGS])
    (made,) = workspace().presets.add([NewPreset(label(title_of(snapshot), *about), content_of(snapshot))])
    session.presets.set_ticked([made.id])
    session.presets.show(made.id)
    st.switch_page("presets.py")
