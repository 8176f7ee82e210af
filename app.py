"""The ASGI application: the Streamlit pages, the routes their panels read, and what runs beside them."""

import streamlit as st

from core.workspace import lifespan, routes

app = st.App("pages/shell.py", routes=routes(), lifespan=lifespan)
