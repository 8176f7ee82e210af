"""One to eight panels: ``?slots=4&model=tokens=1500/rate=100``. Run, Stop all, and a button that does nothing but rerun."""

import secrets
import time

import streamlit as st

from components.stream_panel import stream_panel
from tests.browser.panel_app.stage import stage

st.set_page_config(page_title="Panels", layout="wide")
here = stage()
channel = st.session_state.setdefault("channel", secrets.token_urlsafe(9))
slots = "abcdefgh"[: int(st.query_params.get("slots", "1"))]
upstream = st.query_params.get("upstream", here.upstream.base_url)
st.session_state.setdefault("reruns", 0)
st.session_state["reruns"] += 1


def run() -> None:
    """Start one run a slot."""
    for slot in slots:
        body = {"model": st.session_state["model"], "prompt": "go", "stream": True, "user": f"{slot}-{secrets.token_hex(3)}"}
        if "n=" in body["model"]:
            body["n"] = int(body["model"].partition("n=")[2].partition("/")[0])
        st.query_params[slot] = here.hub.start(body, here.to(upstream), slot=slot, channel=channel)


def stop() -> None:
    """Stop every slot's run."""
    for slot in slots:
        here.hub.stop(st.query_params.get(slot, ""))


def done() -> None:
    """Count what the panels tell."""
    st.session_state["done"] = st.session_state.get("done", 0) + 1


time.sleep(float(st.query_params.get("slow", "0")))
st.text_input("Model", st.query_params.get("model", "tokens=200/rate=50"), key="model")
with st.container(horizontal=True):
    st.button("Run", key="run", on_click=run, type="primary", shortcut="Ctrl+Enter")
    st.button("Stop", key="stop", on_click=stop)
    st.button("Ping", key="ping")
    shown = st.checkbox("Panels", value=True, key="shown")
columns = st.columns(min(len(slots), 4))
for number, slot in enumerate(slots if shown else ""):
    run_id = st.query_params.get(slot)
    snapshot = here.hub.snapshot(run_id) if run_id else None
    if run_id and snapshot:
        here.hub.attach(channel, slot, run_id)
    with columns[number % 4]:
        stream_panel(
            key=f"panel-{slot}",
            channel=channel,
            channel_token=here.signer.channel_token(channel),
            slot=slot,
            run=run_id,
            run_token=here.signer.run_token(run_id) if run_id else None,
            status=snapshot.status if snapshot else None,
            placeholder="The answer appears here while it is written.\nCtrl+Enter runs the prompt.",
            on_done=done,
        )
st.caption(f"reruns {st.session_state['reruns']} · done {st.session_state.get('done', 0)}")
