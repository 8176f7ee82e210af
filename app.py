"""The ASGI application: the Streamlit pages, the routes their panels read, and what runs beside them."""

import streamlit as st
from starlette.middleware import Middleware

from components.stream_panel import panel_route
from core.message_bursts import MessageBursts
from core.workspace import lifespan, routes

app = st.App("pages/shell.py", routes=[*routes(), panel_route()], lifespan=lifespan, middleware=[Middleware(MessageBursts)])
