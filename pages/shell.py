"""The frame around every page: its title, the navigation, the style. Runs the page that was chosen."""

import logging
import secrets
from pathlib import Path

import streamlit as st

from components.browser_back import browser_back
from components.runs import lane
from components.storage_banner import storage_banner

COMPONENTS = Path(__file__).parent.parent / "components"

# An icon of our own, because Streamlit has browsers fetch a :material/…: one from fonts.gstatic.com.
st.set_page_config(page_title="Router playground", page_icon=str(COMPONENTS / "icon.svg"), layout="wide")
# Here and not where it is used: what a part of the page draws alone later (a dialog, a toast) takes the place of any style that came after.
for style in (COMPONENTS / "page.css", lane.CSS, COMPONENTS / "parameter_form" / "form.css"):
    st.html(style)
browser_back()
page = st.navigation(
    [
        st.Page(
            "playground.py",
            title="Playground",
            icon=":material/experiment:",
            default=True,
            help="Type a prompt, set parameters, watch the answer.",
        ),
        st.Page("compare.py", title="Compare", icon=":material/compare:", help="Settings side by side, and whether they really differ."),
        st.Page(
            "presets.py", title="Presets", icon=":material/bookmarks:", help="Settings and comparisons kept under a name, in versions."
        ),
        st.Page("history.py", title="History", icon=":material/history:", help="Find every run again, compare, mark and export them."),
        st.Page(
            "knowledge.py",
            title="Knowledge",
            icon=":material/library_books:",
            help="Search knowledge bases before anything is generated, and fill your own.",
        ),
        st.Page("prompts.py", title="Prompts", icon=":material/edit_note:", help="Stored prompts: look, edit, and use one by its id."),
        st.Page(
            "connections.py", title="Connections", icon=":material/cable:", help="Choose the server that answers, its address and its key."
        ),
        st.Page(
            "settings.py",
            title="Settings",
            icon=":material/settings:",
            help="Prices of models, which runs are kept for how long, and the state of the storage.",
        ),
        st.Page("share.py", title="Shared", icon=":material/share:", visibility="hidden"),
    ],
    position="top",
)
try:
    storage_banner()
    page.run()
except Exception:  # one of the two borders: a fault of ours shows as a sentence and a number, never as a traceback in the page
    number = secrets.token_hex(4)
    logging.getLogger(__name__).exception("page %s failed, bug %s", page.title, number)
    st.error(
        f"This page failed. What you set is kept: reload to try again. If it happens again, report it with the number {number}.",
        icon=":material/error:",
    )
