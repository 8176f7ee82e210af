"""The playground, with a route that puts a draft into its store: ``POST /drafts`` with a body gives the id for ``?draft=``."""

from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from components.stream_panel import panel_route
from core.draft_store import new_draft_id
from core.workspace import lifespan, routes, workspace


async def keep(request: Request) -> PlainTextResponse:
    """Keep the draft whose body is sent."""
    draft_id = new_draft_id()
    workspace().drafts.save(draft_id, {"body": await request.json(), "extra": "", "shelf": {}})
    return PlainTextResponse(draft_id)


SHELL = Path(__file__).parents[3] / "pages" / "shell.py"
app = st.App(SHELL, routes=[Route("/drafts", keep, methods=["POST"]), *routes(), panel_route()], lifespan=lifespan)
