"""A Streamlit app that is only panels, over a replay upstream in the same process: what the panel's tests and benchmarks look at."""

import streamlit as st

from components.stream_panel import panel_route
from tests.browser.panel_app.stage import lifespan, stage

app = st.App("page.py", routes=[*stage().routes(), panel_route()], lifespan=lifespan)
