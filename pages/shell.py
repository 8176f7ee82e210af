"""The frame around every page: its title, the navigation, the style. Runs the page that was chosen."""

from pathlib import Path

import streamlit as st

COMPONENTS = Path(__file__).parent.parent / "components"

# An icon of our own, because Streamlit has browsers fetch a :material/…: one from fonts.gstatic.com.
st.set_page_config(page_title="Router playground", page_icon=str(COMPONENTS / "icon.svg"), layout="wide")
st.html(COMPONENTS / "page.css")
st.navigation(
    [
        st.Page(
            "playground.py",
            title="Playground",
            icon=":material/experiment:",
            default=True,
            help="Type a prompt, set parameters, watch the answer.",
        ),
        st.Page(
            "connections.py", title="Connections", icon=":material/cable:", help="Choose the server that answers, its address and its key."
        ),
    ],
    position="top",
).run()
