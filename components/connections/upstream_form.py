"""The local router's upstreams: a list of them, and a form that adds an OpenAI-compatible server."""

from __future__ import annotations

from typing import Any

import streamlit as st
from pydantic import SecretStr, ValidationError

from components import session
from components.connections.verdict_box import verdict_box
from components.plain_text import plain
from components.services import workspace
from core.connection_check import Verdict
from core.local_router.upstreams import UpstreamConfig, UpstreamStatus
from core.local_router.upstreams.check import check_upstream
from core.local_router.upstreams.files import field_problems
from core.local_router.upstreams.presets import PRESETS
from core.server_choice import variable_problem

CHECK_TIMEOUT_S = 40.0
CHAT: dict[str, tuple[bool | None, str]] = {
    "auto": (None, "Over chat where there is nothing else"),
    "always": (True, "Always over chat completions"),
    "never": (False, "Never over chat completions"),
}
TEXTS = ("name", "base_url", "api_key_env", "models")


def upstreams() -> None:
    """Draw the list and the form; a change counts from the next request on."""
    with st.container(key="upstreams", width=720):
        st.subheader("Servers behind the local router", anchor=False)
        st.caption(
            "Their models are `name/model` in the Playground, with the router's balancing, retries, fallbacks, cache and knowledge around "
            "them. Everybody who uses this playground can use them, with the keys they were given."
        )
        router = workspace().router.upstreams
        for problem in router.problems:
            st.warning(plain(problem), icon=":material/warning:")
        workspace().models(workspace().local_connection)  # asks the upstreams that were never asked
        for status in router.status():
            _row(status)
        _form()


def _row(status: UpstreamStatus) -> None:
    name = status.config.name
    with st.container(border=True, key=f"upstreams.row.{name}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(name)}**", width="content")
            _badge(status)
        key = f" · {status.key}" if status.source == "file" or status.config.api_key_env or _typed(name) else ""
        st.caption(plain(status.config.base_url + key))
        if status.listed.problem and not session.upstreams.verdict(name):
            _error(status.listed.problem)
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Test", key=f"upstreams.test.{name}", icon=":material/network_check:"):
                with st.spinner("Calling…"):
                    session.upstreams.set_verdict(name, _check(status.config, workspace().router.upstreams.find_key(status.config)))
                st.rerun()
            if status.source == "added":
                st.button("Edit", key=f"upstreams.edit.{name}", icon=":material/edit:", on_click=_edit, args=(status.config,))
                st.button("Remove", key=f"upstreams.remove.{name}", icon=":material/delete:", on_click=_remove, args=(name,))
            else:
                st.caption("Written in router.toml")
        _show_verdict(name)


def _error(sentence: str) -> None:
    """Small and red; not a caption, whose faintness is hard to read in the dark."""
    st.markdown(f":small[:red[:material/error: {plain(sentence)}]]")


def _typed(name: str) -> bool:
    return workspace().router.upstreams.has_typed_key(name)


def _badge(status: UpstreamStatus) -> None:
    count = len(status.listed.models)
    models = f"{count} model{'' if count == 1 else 's'}"
    match status.listed.state:
        case "up":
            st.badge(f"answers · {models}", icon=":material/check_circle:", color="green")
        case "down":
            st.badge("does not answer", icon=":material/error:", color="red")
        case _:
            st.badge("asked for its models", icon=":material/hourglass_empty:", color="gray")


def _form() -> None:
    editing = session.upstreams.editing()
    title = f"Change {plain(editing)}" if editing else "Add an OpenAI-compatible server"
    with st.expander(title, icon=":material/edit:" if editing else ":material/add:", expanded=bool(editing), key="upstream.form"):
        if not editing:
            st.pills("Usual ones", [preset.label for preset in PRESETS], key="upstream.preset", on_change=_fill)
        left, right = st.columns([1, 2])
        with left:
            _text("name", "Name", "ollama", "Models are called name/model.", disabled=bool(editing))
        with right:
            _text("base_url", "Base URL", "http://127.0.0.1:11434", "The part before /v1.")
        _key_fields()
        _text("models", "Models", "asked from the server", "Names, separated by commas. Empty: the server is asked for its list.")
        st.selectbox(
            "Completions",
            list(CHAT),
            format_func=lambda option: CHAT[option][1],
            key="upstream.chat",
            help="A server without /v1/completions is asked over /v1/chat/completions, with the prompt as one user message.",
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Test", key="upstream.test", icon=":material/network_check:", help="Lists the models, then asks for one token."):
                _test_draft()
            st.button("Save" if editing else "Add", key="upstream.add", type="primary", icon=":material/check:", on_click=_save)
            if editing:
                st.button("Cancel", key="upstream.cancel", type="tertiary", on_click=_clear)
        _show_verdict("")
    added = session.upstreams.take_added()
    if added:
        _added(added)


def _added(name: str) -> None:
    """What came of adding or changing an upstream: whether it answers."""
    if any(status.config.name == name and status.listed.state == "down" for status in workspace().router.upstreams.status()):
        st.warning(plain(f"{name} was added, but does not answer. Start it, then press Test."), icon=":material/warning:")
    else:
        st.success(plain(f"{name} can be used: its models are {name}/… in the Playground."), icon=":material/check_circle:")


def _text(name: str, label: str, placeholder: str, help_text: str, *, disabled: bool = False) -> None:
    st.text_input(label, key=f"upstream.{name}", placeholder=placeholder, help=help_text, disabled=disabled)
    problem = session.upstreams.problems().get(name)
    if problem:
        _error(problem)


def _key_fields() -> None:
    """A key is typed, and then kept in the server's memory only, or is named by its environment variable."""
    left, right = st.columns(2)
    with left, st.container(key="upstream.key"):
        field = f"upstream.key.{session.upstreams.key_field()}"
        st.text_input(
            "API key",
            type="password",
            key=field,
            placeholder="none",
            autocomplete="off",
            help="Stays in the server's memory until the playground ends; it is written to no file and never shown again.",
            on_change=_take_key,
            args=(field,),
        )
        if session.upstreams.typed_key() is not None:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(":material/key: A key was typed.", width="content")
                st.button("Forget it", key="upstream.forget", type="tertiary", on_click=session.upstreams.set_typed_key, args=(None,))
        elif _typed(session.upstreams.editing() or ""):
            st.caption(":material/key: The key typed before stays in use.")
    with right:
        _text("api_key_env", "Or its environment variable", "UPSTREAM_OLLAMA_KEY", "The name of the variable that holds the key.")


def _take_key(field: str) -> None:
    typed = st.session_state[field].strip()
    session.upstreams.next_key_field()
    if typed:
        session.upstreams.set_typed_key(SecretStr(typed))


def _fill() -> None:
    """Fill the form with the preset that was picked."""
    for preset in PRESETS:
        if preset.label == st.session_state.get("upstream.preset"):
            _put_fields({"name": preset.name, "base_url": preset.base_url, "api_key_env": preset.api_key_env})


def _edit(config: UpstreamConfig) -> None:
    _clear()
    _put_fields(config.model_dump(exclude_none=True) | {"models": ", ".join(config.models or ())})
    st.session_state["upstream.chat"] = next(option for option, (chat, _) in CHAT.items() if chat is config.chat)
    session.upstreams.edit(config.name)


def _put_fields(values: dict[str, Any]) -> None:
    session.upstreams.set_problems({})
    for name in TEXTS:
        if name in values:
            st.session_state[f"upstream.{name}"] = values[name]


def _clear() -> None:
    for name in TEXTS:
        st.session_state[f"upstream.{name}"] = ""
    st.session_state["upstream.chat"] = "auto"
    st.session_state["upstream.preset"] = None
    session.upstreams.forget_form()


def _draft() -> UpstreamConfig | None:
    """What the form says; None when something in it cannot be used, which is then marked."""
    typed = {name: str(st.session_state.get(f"upstream.{name}") or "").strip() for name in TEXTS}
    models = [model.strip() for model in typed["models"].split(",") if model.strip()]
    values = {
        "name": session.upstreams.editing() or typed["name"],
        "base_url": typed["base_url"],
        "api_key_env": typed["api_key_env"] or None,
        "models": models or None,
        "chat": CHAT[st.session_state["upstream.chat"]][0],
    }
    try:
        config = UpstreamConfig.model_validate(values)
    except ValidationError as error:
        session.upstreams.set_problems({name: _said(name, problem) for name, problem in field_problems(error)})
        return None
    problem = variable_problem(config.api_key_env, config.base_url, workspace().settings) if config.api_key_env else None
    session.upstreams.set_problems({"api_key_env": problem} if problem else {})
    return None if problem else config


def _said(name: str, problem: str) -> str:
    """A field's problem under the field: its name where the sentence needs one."""
    whole = problem.removeprefix("cannot be used: ")
    return f"{name} {problem}" if whole == problem else whole


def _save() -> None:
    config = _draft()
    if config is None:
        return
    known = {status.config.name for status in workspace().router.upstreams.status()}
    if not session.upstreams.editing() and config.name in known:
        session.upstreams.set_problems({"name": f"There is an upstream {config.name} already; choose another name."})
        return
    try:
        workspace().router.upstreams.put(config, session.upstreams.typed_key())
    except ValueError as error:
        session.upstreams.set_problems({"name": str(error)})
        return
    except OSError as error:
        session.upstreams.set_problems({"name": f"It cannot be kept: {error.strerror}. Check the data directory."})
        return
    workspace().forget_models(workspace().local_connection)
    _clear()
    session.upstreams.set_added(config.name)


def _remove(name: str) -> None:
    workspace().router.upstreams.remove(name)
    workspace().forget_models(workspace().local_connection)
    _clear()


def _test_draft() -> None:
    config = _draft()
    if config is not None:
        with st.spinner("Calling…"):
            session.upstreams.set_verdict(
                "", _check(config, session.upstreams.typed_key() or workspace().router.upstreams.find_key(config))
            )
    st.rerun()


def _check(config: UpstreamConfig, key: SecretStr | None) -> Verdict:
    workspace().forget_models(workspace().local_connection)
    try:
        return workspace().call(lambda: check_upstream(config, key), CHECK_TIMEOUT_S)
    except TimeoutError:
        return Verdict(False, f"No answer within {CHECK_TIMEOUT_S:.0f} seconds.", "Check the base URL, or try again.", ())


def _show_verdict(name: str) -> None:
    verdict = session.upstreams.verdict(name)
    if verdict is not None:
        verdict_box(verdict)
