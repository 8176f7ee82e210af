"""The Settings page: what models cost, which runs are let go, and the state of the storage."""

from collections.abc import Callable

import streamlit as st

from components.plain_text import plain
from components.settings.price_table import price_table
from components.settings.retention_form import retention_form
from components.settings.storage_state import storage_state
from components.share.addresses import share_address
from core.errors import StorageProblem


def draw(section: Callable[[], None]) -> None:
    """A section, or why it cannot be drawn: the others can still be used."""
    try:
        section()
    except StorageProblem as problem:
        st.error(plain(f"{problem.cause} {problem.next_step}"), icon=":material/database_off:")


draw(price_table)
draw(retention_form)
draw(storage_state)
st.subheader("Sharing", anchor=False)
st.link_button("What I have shared", share_address(), icon=":material/share:", help="Links to frozen copies: look, and take them back")
