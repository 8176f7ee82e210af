"""The panel's Python half; its other half is looked at in a browser, in tests/browser/panel_app."""

from __future__ import annotations

import gzip

import httpx
import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from components import stream_panel as module
from components.stream_panel import panel_route
from core.signing import Signer

PAGE = """
import streamlit as st
from components.stream_panel import stream_panel

def count():
    st.session_state["called"] = st.session_state.get("called", 0) + 1

state = stream_panel(
    key="panel-a",
    channel="page",
    channel_token="ct",
    slot="a",
    run={run!r},
    run_token="rt",
    status={status!r},
    placeholder="Nothing yet",
    on_done=count,
)
st.text(f"done={{state.done}}")
"""


def test_a_panel_draws_and_tells_of_no_end_by_itself() -> None:
    page = AppTest.from_string(PAGE.format(run="r1", status="streaming")).run()
    assert not page.exception
    assert page.text[0].value == "done=None"
    assert "called" not in page.session_state


def test_data_is_small_and_holds_no_text_of_a_run() -> None:
    page = AppTest.from_string(PAGE.format(run=None, status=None)).run()
    proto = page.main.children[0].proto
    assert proto.component_name == "playground_stream_panel"
    assert len(proto.SerializeToString()) < 1_500


@pytest.mark.parametrize("path", ["", "/below/a/path"])
async def test_the_script_is_served_once_and_for_all(path: str) -> None:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=[panel_route()])), base_url="http://app")
    answer = await client.get(path + module._ADDRESS)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert "export default function" in answer.text
    assert (await client.get("/api/panel/another.js")).status_code == 404


def test_the_script_makes_no_markup_out_of_text_and_asks_nobody_else() -> None:
    script = module._MODULE.decode()
    for forbidden in ("innerHTML", "insertAdjacentHTML", "outerHTML", "document.write", "eval(", "DOMParser"):
        assert forbidden not in script
    assert [part for part in script.split('"') if part.startswith(("http:", "https:"))] == ["http://www.w3.org/2000/svg"] * 2
    assert len(gzip.compress(module._MODULE)) < 15_000


def test_tokens_open_only_what_they_were_made_for() -> None:
    signer, other = Signer("one"), Signer("two")
    token = signer.run_token("r")
    assert signer.opens_run("r", token)
    assert not signer.opens_run("s", token)
    assert not signer.opens_channel("r", token)
    assert not other.opens_run("r", token)
    assert not signer.opens_run("r", "ü")
    with pytest.raises(ValueError, match="secret"):
        Signer("")
