"""The Playground: one prompt, every parameter, a live answer."""

import streamlit as st

from components import session
from components.playground.sheet import Sheet
from components.runs import run_column
from components.services import workspace
from components.share.entries import share_playground

SLOT = "a"

slot = run_column.gather(SLOT, linked_draft=st.query_params.get("draft"), linked_run=st.query_params.get("run"))
models = workspace().models(slot.connection)
sheet = Sheet(slot)

if shown := session.run_id(SLOT):
    st.query_params["run"] = shown  # before anything is drawn: who reloads in that moment finds the run again

sheet.preset_line()
text, settings = st.columns([0.62, 0.38], gap="medium")
with text:
    run_column.request(slot, models)
    run_column.output(slot)
    sheet.routing()
    share_playground(slot)
with settings:
    run_column.parameters(slot, models, refresh=sheet.refreshed, changed=sheet.edited)
with st.bottom:
    sheet.bar()

st.query_params["draft"] = session.keep_draft(SLOT, workspace().drafts)
