"""A picker of languages over the code, with what it needs and what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from components.code_block import MOST_SHOWN, long_code
from components.plain_text import plain
from core.client.client import encode_body
from core.connection import Connection
from core.errors import InvalidRequest
from core.snippets import call_to, languages

HEIGHT_PX = 380


def code_export(body: Mapping[str, Any], connection: Connection, *, key: str) -> None:
    """The code that sends ``body`` over ``connection``. The key comes from the environment; nothing secret is in it."""
    try:
        encode_body(body)
    except InvalidRequest as refused:
        st.markdown(f":red[:material/error: {plain(refused.cause)}]")
        return
    call = call_to(body, connection)
    offered = languages(call)
    chosen = st.selectbox("Language", offered, format_func=lambda one: one.label, key=f"code-language-{key}", persist_state="session")
    code = chosen.write(call)
    long_code(code, language=chosen.highlight, height=HEIGHT_PX)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        needs = f"{chosen.install} · " if chosen.install else ""
        with st.container(width="stretch"):
            st.caption(plain(f"{needs}The key is read from {call.key_variable}." if chosen.id != "json" else "The body alone."))
        st.download_button(
            "Download all of it" if len(code) > MOST_SHOWN else "Download",
            code.encode("utf-8", "surrogatepass"),
            chosen.file,
            icon=":material/download:",
            key=f"code-download-{key}",
            on_click="ignore",
        )


@st.dialog("View code", width="large", icon=":material/code:")
def code_dialog(body: Mapping[str, Any], connection: Connection, *, key: str) -> None:
    """The code in a dialog, where a popover has no room."""
    code_export(body, connection, key=key)
