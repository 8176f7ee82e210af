"""The form for a connection: the kind of server, its address and path, its key, and a test with a real call."""

from __future__ import annotations

from typing import Any

import streamlit as st
from pydantic import SecretStr

from components import session
from components.connections.call_limit_field import call_limit_field
from components.connections.verdict_box import verdict_box
from components.plain_text import plain
from components.services import workspace
from core.connection import DEFAULT_PATHS, Connection, ServerKind
from core.connection_check import Verdict, check_connection
from core.server_choice import (
    KEY_VARIABLES,
    ServerChoice,
    base_url_problem,
    chosen_kind,
    double_path_problem,
    find_key,
    headers_problem,
    parse_headers,
    path_problem,
)

CHECK_TIMEOUT_S = 40.0
KINDS: dict[ServerKind, tuple[str, str]] = {
    "local": ("Local router", "Runs inside this playground with a small language model of its own. No account, no cost, no network."),
    "orq": ("Orq", "The real service. Needs a key; every parameter is understood."),
    "openai": (
        "OpenAI-compatible server",
        "Ollama, llama.cpp, vLLM, LM Studio, LiteLLM, OpenAI… Routing, cache, knowledge and `orq` fields are not understood there; "
        "the form marks them.",
    ),
}


def connection_form() -> None:
    """Draw the form; what is edited is used by the next run."""
    with st.container(key="connection", width=720):
        _form()


def _form() -> None:
    kind = chosen_kind(session.server_choice(), workspace().settings, session.streamlit_secrets())
    st.subheader("Which server answers", anchor=False)
    if "connection.kind" not in st.session_state:
        st.session_state["connection.kind"] = kind
    st.radio(
        "Server",
        list(KINDS),
        key="connection.kind",
        format_func=lambda option: KINDS[option][0],
        captions=[caption for _name, caption in KINDS.values()],
        label_visibility="collapsed",
        on_change=_choose_kind,
    )
    if kind == "local":
        _local()
    else:
        _remote(kind)
    call_limit_field(session.connection())
    _test_button(session.connection())


def _choose_kind() -> None:
    _update({"kind": st.session_state["connection.kind"]})
    session.set_verdict(None)


def _update(changes: dict[str, Any]) -> None:
    kept = session.server_choice().model_dump(exclude_unset=True)
    session.set_server_choice(ServerChoice.model_validate({**kept, **changes}))


def _local() -> None:
    connection = workspace().local_connection
    st.caption(f"Listening on `{connection.base_url}`, started with this playground on a free port, with a key made at start.")
    st.caption("Models: `local/pydoc` and two weaker ones, `rehearsal/…` models that fail on request, and those of the servers below.")


def _remote(kind: ServerKind) -> None:
    connection = session.connection()
    url = _field(kind, "base_url", "Base URL", connection.base_url, "The part before the path, like https://my.orq.ai", base_url_problem)
    path = _field(kind, "path", "Path", connection.path, f"Usually {DEFAULT_PATHS[kind]}", path_problem)
    doubled = double_path_problem(url, path)
    if doubled:
        st.warning(plain(doubled), icon=":material/warning:")
    _key(kind, connection)
    with st.expander("Headers and time-outs", icon=":material/tune:"):
        _headers(kind, connection)
        left, right = st.columns(2)
        with left:
            _seconds(kind, "connect_timeout_s", "Connect time-out (s)", connection.connect_timeout_s, "How long to wait for a connection.")
        with right:
            _seconds(
                kind,
                "read_timeout_s",
                "Read time-out (s)",
                connection.read_timeout_s,
                "The longest silence between two pieces of an answer.",
            )


def _field(kind: ServerKind, name: str, label: str, current: str, help_text: str, problem_of: Any) -> str:
    """A text field of the connection; what cannot be used is marked and not taken over."""
    key = f"connection.{kind}.{name}"
    if key not in st.session_state:
        st.session_state[key] = current
    typed = st.text_input(label, key=key, help=help_text, on_change=_take_text, args=(kind, name, problem_of)).strip()
    problem = problem_of(typed) if typed else None
    if problem:
        st.caption(f":red[:material/error: {plain(problem)}. In use: {plain(current)}]")
    return current


def _take_text(kind: ServerKind, name: str, problem_of: Any) -> None:
    typed = st.session_state[f"connection.{kind}.{name}"].strip()
    if typed and problem_of(typed):
        return
    _set_field(kind, name, typed or None)


def _set_field(kind: ServerKind, name: str, value: Any) -> None:
    fields = session.server_choice().fields(kind).model_dump(exclude_unset=True)
    _update({kind: {**fields, name: value}})
    session.set_verdict(None)


def _key(kind: ServerKind, connection: Connection) -> None:
    """The key's field. What is typed goes to the server's memory and the field empties itself; it is never shown again."""
    _found, source = find_key(kind, connection.base_url, workspace().settings, session.typed_key(kind), session.streamlit_secrets())
    variable = KEY_VARIABLES[kind]
    state = {
        "typed": "A typed key is in use. It stays in the server's memory until this session ends, and is never shown again.",
        "environment": f"The key from the environment variable {variable} is in use.",
        "secrets": f"The key {variable} from Streamlit's secrets is in use.",
        "none": "No key. " + ("Type one, or set ORQ_API_KEY before start." if kind == "orq" else "Many local servers need none."),
    }[source]
    st.text_input(
        "API key",
        type="password",
        key=f"connection.{kind}.key",
        placeholder="Type a key to use it in this session",
        autocomplete="off",
        on_change=_take_key,
        args=(kind,),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption((":material/key: " if source != "none" else ":material/key_off: ") + plain(state))
        if source == "typed":
            st.button("Forget the key", type="tertiary", icon=":material/delete:", on_click=session.set_typed_key, args=(kind, None))


def _take_key(kind: ServerKind) -> None:
    field = f"connection.{kind}.key"
    typed = st.session_state[field].strip()
    st.session_state[field] = ""
    session.set_verdict(None)
    if typed:
        session.set_typed_key(kind, SecretStr(typed))


def _headers(kind: ServerKind, connection: Connection) -> None:
    key = f"connection.{kind}.headers"
    if key not in st.session_state:
        st.session_state[key] = "\n".join(f"{name}: {value}" for name, value in connection.headers.items())
    typed = st.text_area(
        "Extra headers",
        key=key,
        height=80,
        placeholder="X-Project: playground",
        help="One `Name: value` a line, sent with every request. A key belongs in its own field, where it is never shown again.",
        on_change=_take_headers,
        args=(kind,),
    )
    problem = headers_problem(typed)
    if problem:
        st.caption(f":red[:material/error: {plain(problem)}]")


def _take_headers(kind: ServerKind) -> None:
    typed = st.session_state[f"connection.{kind}.headers"]
    if headers_problem(typed) is None:
        _set_field(kind, "headers", parse_headers(typed) or None)


def _seconds(kind: ServerKind, name: str, label: str, current: float, help_text: str) -> None:
    key = f"connection.{kind}.{name}"
    if key not in st.session_state:
        st.session_state[key] = current
    st.number_input(
        label, min_value=0.1, max_value=3600.0, step=1.0, format="%g", key=key, help=help_text, on_change=_take_seconds, args=(kind, name)
    )


def _take_seconds(kind: ServerKind, name: str) -> None:
    _set_field(kind, name, st.session_state[f"connection.{kind}.{name}"])


def _test_button(connection: Connection) -> None:
    """The test: a real list of models and one real completion of at most one token."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Test",
            key="connection.test",
            type="primary",
            icon=":material/network_check:",
            help="Lists the models, then asks one for a single token: a real call.",
        ):
            with st.spinner("Calling…"):
                session.set_verdict(_check(connection))
        st.page_link("playground.py", label="To the Playground", icon=":material/arrow_forward:")
    verdict = session.verdict()
    if verdict is None:
        return
    verdict_box(verdict)
    if verdict.models:
        with st.expander(f"{len(verdict.models)} models", icon=":material/list:"):
            st.code("\n".join(verdict.models), language=None, height=240)


def _check(connection: Connection) -> Verdict:
    current = workspace()
    current.forget_models(connection)
    draft = session.draft("a")
    model = draft["body"].get("model") if draft else None
    try:
        return current.call(lambda: check_connection(connection, model=model), CHECK_TIMEOUT_S)
    except TimeoutError:
        return Verdict(False, f"No answer within {CHECK_TIMEOUT_S:.0f} seconds.", "Check the base URL, or try again.", ())
