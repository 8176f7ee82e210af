"""The panel that shows a slot's run as it streams; the text comes over the page's own event stream, not through Streamlit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HERE = Path(__file__).parent
SCRIPTS = ("feed.js", "text.js", "panel.js")
"""One module in three files, in this order."""


def _module() -> bytes:
    """The panel's JavaScript with its style sheet in it: one file to fetch, and never a panel without its looks."""
    style = json.dumps((HERE / "panel.css").read_text(encoding="utf-8"))
    scripts = [(HERE / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return "\n".join([f"const STYLE = {style};", *scripts]).encode()


_MODULE = _module()
_ADDRESS = f"/api/panel/{hashlib.sha256(_MODULE).hexdigest()[:16]}.js"


@dataclass(frozen=True, slots=True)
class PanelState:
    """What a panel tells Python. ``done`` is the id of the run whose end caused this rerun, ``None`` in every other rerun."""

    done: str | None


# Streamlit sends a component's whole script with every rerun that changes its data: 30 KB for each panel and run. So it gets this
# loader, and the browser fetches the module itself once and keeps it.
_LOADER = Template("""
export default async function (component) {
  const { default: panel } = await import(new URL(component.data.base + "$address", location.origin).href);
  return panel(component);
}
""")

_panel = st.components.v2.component("playground_stream_panel", js=_LOADER.substitute(address=_ADDRESS))


def panel_route() -> Route:
    """The route that serves the panel's script, below any path; an application with panels on its pages needs it."""
    return Route("/{base:path}" + _ADDRESS.removeprefix("/"), _script)


async def _script(_request: Request) -> Response:
    return Response(_MODULE, media_type="text/javascript", headers={"Cache-Control": "public, max-age=31536000, immutable"})


def stream_panel(
    *,
    key: str,
    channel: str,
    channel_token: str,
    slot: str,
    run: str | None,
    run_token: str | None,
    status: str | None,
    placeholder: str = "",
    on_done: Callable[[], None] | None = None,
    height: int | None = None,
) -> PanelState:
    """Show what the hub's ``channel`` shows in ``slot``.

    ``key`` must be the slot's, never the run's. ``run`` and ``status`` are what this script knows of the slot's run: the panel fires
    ``done`` for every run whose end it saw and Python does not know yet (again after some seconds, where it is not heard).
    ``placeholder`` is shown while there is no run; ``height`` is that of the text in pixels, by default about half of the window.
    ``on_done`` is called before the rerun.
    """
    data = {
        "base": _base_path(),
        "channel": channel,
        "channel_token": channel_token,
        "slot": slot,
        "run": run,
        "run_token": run_token,
        "status": status,
        "placeholder": placeholder,
        "height": height,
    }
    result = _panel(key=key, data=data, on_done_change=on_done or _nothing)
    return PanelState(result.done)


def _base_path() -> str:
    """What stands before ``/api`` in addresses: empty, unless the app is served below a path."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def _nothing() -> None:
    """Streamlit gives a trigger its attribute only when it has a callback."""
