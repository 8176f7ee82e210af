"""A Streamlit app that is only panels, over a replay upstream in the same process: what the panel's tests and benchmarks look at."""

import streamlit as st

from tests.browser.panel_app.stage import lifespan, stage

app = st.App("page.py", routes=stage().routes(), lifespan=lifespan)
