"""The frame around every page: its title, the navigation, the style. Runs the page that was chosen."""

from pathlib import Path

import streamlit as st

st.set_page_config(page_title="Router playground", page_icon=":material/experiment:", layout="wide")
st.html(Path(__file__).parent.parent / "components" / "page.css")
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
