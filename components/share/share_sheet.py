"""The Share button, and the sheet that says what would be revealed before a link is made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import streamlit as st

from components import session
from components.code_block import long_code
from components.plain_text import plain
from components.services import workspace
from components.share.addresses import CONTAINED, STORED, share_address
from core.errors import PlaygroundError, StorageProblem
from core.redaction import secrets
from core.share import items
from core.share.freezing import NotShared, freeze
from core.share.link import LONGEST
from core.share.markdown import to_markdown
from core.share.opening import title_of
from core.share.snapshot import ItemName, Snapshot
from core.share.subject import Subject

Subjects = Mapping[str, Callable[[], Subject]]
"""What can be shared, by what it is called; the first is chosen at first."""

EXPIRIES: Final[Mapping[str, timedelta | None]] = {
    "never": None,
    "in 1 hour": timedelta(hours=1),
    "in 1 day": timedelta(days=1),
    "in 7 days": timedelta(days=7),
    "in 30 days": timedelta(days=30),
}
CUSTOM: Final = "in …"
LONGEST_DAYS: Final = 3_650


def share_button(subjects: Subjects, *, key: str, tertiary: bool = False, disabled: bool = False) -> None:
    """Draw the button; pressed, the sheet. Nothing is read before."""
    pressed = st.button(
        "Share",
        key=key,
        icon=":material/share:",
        type="tertiary" if tertiary else "secondary",
        help="A link to a frozen copy; first it says what that reveals",
        disabled=disabled,
    )
    if pressed:
        session.share.set_made(None)
        share_sheet(subjects)


@st.dialog("Share", width="large", icon=":material/share:")
def share_sheet(subjects: Subjects) -> None:
    """What sharing would reveal, item by item, and the link once it is made. `session.share.set_made` forgets an earlier one."""
    names = list(subjects)
    chosen = names[0]
    if len(names) > 1:
        chosen = (
            st.segmented_control("What", names, default=names[0], required=True, key="share.what", label_visibility="collapsed") or chosen
        )
    try:
        subject = subjects[chosen]()
    except PlaygroundError as problem:
        st.error(plain(f"{problem.cause} {problem.next_step}"), icon=":material/error:")
        return
    hidden = _items(subject)
    try:
        made = freeze(subject, hidden=hidden, secrets=_known_secrets())
    except NotShared as refused:
        st.error(plain(f"{refused.cause} {refused.next_step}"), icon=":material/error:")
        return
    with st.expander("Exactly what is in it", icon=":material/visibility:", key="share.preview", on_change="rerun") as preview:
        if preview.open:
            long_code(made.model_dump_json(indent=2), height=320, language="json")
    _link(made)
    _elsewhere(made)


def _items(subject: Subject) -> tuple[ItemName, ...]:
    """A switch for each thing that would be revealed; the names of those that are off."""
    st.markdown("**What this reveals**")
    hidden: list[ItemName] = []
    with st.container(key="share-items", gap="xsmall"):
        for item in items.items(subject):
            line = st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False, key=f"share-line-{item.name}")
            with line:
                on = st.toggle(item.label, value=item.on_at_first, key=f"share.item.{item.name}", help=item.note or None, width=250)
                st.caption(plain(item.detail, 200), width="stretch")
            if not on:
                hidden.append(item.name)
    settings = items.always_shown(subject)
    figures = "the status, times, tokens, cost and the connection's name" if subject.kind != "preset" else ""
    always = [part for part in (f"the settings {', '.join(settings[:20])}" if settings else "", figures) if part]
    if always:
        st.caption(plain(f"Always in it: {'; '.join(always)}.", 600))
    st.caption("Never in it: keys, headers, the answer as received, ids of runs and requests.")
    if items.key_like(subject):
        st.caption(":orange[:material/key_off: Something in it looks like a key. It is masked.]")
    return tuple(hidden)


def _known_secrets() -> list[str]:
    """Every key that this session or this process knows; wherever one stands, it is masked."""
    current, connection = workspace(), session.connection()
    typed = (session.typed_key("orq"), session.typed_key("openai"), session.upstreams.typed_key())
    keys = [key.get_secret_value() for key in (*typed, current.settings.orq_api_key, current.settings.openai_api_key) if key is not None]
    return [*keys, *secrets(connection), *secrets(current.local_connection)]


def _link(made: Snapshot) -> None:
    """Expiry and the button, or the link that was made of exactly this."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="share-terms"):
        expiry = st.selectbox("The link expires", [*EXPIRIES, CUSTOM], key="share.expiry", width=160)
        days = 0
        if expiry == CUSTOM:
            days = st.number_input("days", 1, LONGEST_DAYS, 14, step=1, key="share.days", width=130)
        signature = _signature(made, expiry, days)
        st.button(
            "Make the link",
            key="share.make",
            type="primary",
            icon=":material/add_link:",
            on_click=_make,
            args=(made, signature, timedelta(days=days) if expiry == CUSTOM else EXPIRIES[expiry]),
        )
    found = session.share.made()
    if found is None or found["signature"] != signature:
        return
    if found["problem"]:
        st.error(plain(found["problem"]), icon=":material/error:")
        return
    st.success("The link shows a frozen copy to whoever has it, also after the original was deleted.", icon=":material/link:")
    st.code(share_address(STORED, found["id"]), language=None, wrap_lines=True)
    st.link_button("What I have shared, to take it back", share_address(), icon=":material/share:", type="tertiary")


def _signature(made: Snapshot, expiry: str, days: int) -> str:
    content = made.model_copy(update={"made_at": datetime(2000, 1, 1, tzinfo=UTC)})
    return hashlib.sha256(content.to_json() + f"{expiry} {days}".encode()).hexdigest()


def _make(made: Snapshot, signature: str, lasts: timedelta | None) -> None:
    """The callback of *Make the link*."""
    session.share.set_made({"signature": signature, "id": "", "problem": ""})
    try:
        row = workspace().shares.add(made, title_of(made), expires_at=None if lasts is None else datetime.now(UTC) + lasts)
    except StorageProblem as problem:
        session.share.set_made({"signature": signature, "id": "", "problem": f"{problem.cause} {problem.next_step}"})
    else:
        session.share.set_made({"signature": signature, "id": row.id, "problem": ""})


def _elsewhere(made: Snapshot) -> None:
    """For people who cannot reach this server: a link that holds everything, a file, Markdown."""
    box = st.expander("Without this server: link, file, Markdown", icon=":material/ios_share:", key="share.elsewhere", on_change="rerun")
    if not box.open:
        return
    with box:
        address = share_address(CONTAINED, "")
        held = workspace().share_links.pack(made, room=LONGEST - len(address))
        if held is None:
            st.caption(f"Too long for a link that holds it all ({LONGEST:,} characters at most). A file holds it.")
        else:
            st.caption("This link holds it all: any playground opens it. It never expires and cannot be taken back.")
            st.code(address + held, language=None, wrap_lines=True, height=120)
        st.download_button(
            "Download as a file",
            made.to_json(),
            "shared.json",
            "application/json",
            key="share.file",
            icon=":material/download:",
            on_click="ignore",
        )
        st.caption("As Markdown, to copy")
        long_code(to_markdown(made), height=180)
