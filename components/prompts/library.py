"""The library of stored prompts: a list with search on the left, the chosen prompt's editor on the right."""

from __future__ import annotations

import copy
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import streamlit as st

from components import session
from components.parameter_form import forget_widgets
from components.plain_text import plain
from components.services import workspace
from core.client.client import RouterClient
from core.connection import Connection
from core.contract.placeholders import placeholders
from core.draft import set_path
from core.errors import PlaygroundError
from core.router_resources.prompts import StoredPrompt, create_prompt, delete_prompt, save_prompt

NEW = ""
"""The id of the prompt that is not stored yet."""

LIST_HEIGHT_PX = 480
"""The list scrolls by itself: on a narrow screen the editor stands under it."""

_CHOSEN, _SAID = "prompts.chosen", "prompts.said"
_FIELDS = ("name", "description", "text")
ONLY_TEXT = (
    "This prompt has several messages or another role. Their texts are shown with an empty line between them; only name and description \
can be edited here."
)


def prompt_library() -> None:
    """Draw the library of the connection in use, or what to do where its router has none."""
    connection = session.connection()
    listed = workspace().prompts.of(connection)
    st.subheader("Stored prompts", anchor=False)
    if listed is None:
        _not_served(connection)
    elif isinstance(listed, PlaygroundError):
        st.error(plain(f"{listed.cause} {listed.next_step}"), icon=":material/error:")
        with st.container(horizontal=True, gap="small"):
            _elsewhere()
            st.button("Try again", icon=":material/refresh:", on_click=workspace().prompts.forget, args=(connection,))
    else:
        _library(connection, listed)


def _not_served(connection: Connection) -> None:
    st.info(
        f"{plain(connection.name)} keeps no stored prompts: it has nothing at /v2/prompts. The local router and Orq do.",
        icon=":material/edit_note:",
    )
    _elsewhere()


def _elsewhere() -> None:
    if st.button("Choose another connection", key="prompts.elsewhere", icon=":material/cable:"):
        st.switch_page("connections.py")


def _library(connection: Connection, prompts: Sequence[StoredPrompt]) -> None:
    left, right = st.columns([0.36, 0.64], gap="large")
    with left:
        chosen = _list(prompts)
    with right:
        if said := st.session_state.pop(_SAID, None):
            st.toast(plain(said), icon=":material/check:")
        _editor(connection, chosen)


def _list(prompts: Sequence[StoredPrompt]) -> StoredPrompt | None:
    """The list, and the prompt chosen in it; None for a new one."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        query = st.text_input(
            "Find a prompt", key="prompts.search", placeholder="Find a prompt", icon=":material/search:", label_visibility="collapsed"
        )
        st.button("New", key="prompts.new", icon=":material/add:", on_click=_choose, args=(NEW,))
    words = (query or "").casefold().split()
    found = {prompt.id: prompt for prompt in prompts if all(word in _searched(prompt) for word in words)}
    if not found:
        st.caption(f"No prompt matches “{plain(query or '')}”." if prompts else "There is no stored prompt yet. Add one with New.")
        return None
    known = {prompt.id: prompt for prompt in prompts}
    chosen = st.session_state.setdefault(_CHOSEN, next(iter(found)))
    if chosen != NEW and chosen not in known:
        chosen = st.session_state[_CHOSEN] = next(iter(found))
    # A radio button of another prompt must not jump back: what it shows is the choice as the session holds it.
    st.session_state["prompts.radio"] = chosen if chosen in found else None
    with st.container(height=LIST_HEIGHT_PX, border=False, key="prompts.list"):
        st.radio(
            "Stored prompts",
            list(found),
            key="prompts.radio",
            format_func=lambda one: plain(found[one].name),
            captions=[plain(prompt.description, 120) for prompt in found.values()],
            label_visibility="collapsed",
            on_change=lambda: _choose(st.session_state["prompts.radio"]),
        )
    return known.get(chosen)


def _searched(prompt: StoredPrompt) -> str:
    return f"{prompt.id} {prompt.name} {prompt.description} {prompt.text}".casefold()


def _choose(prompt_id: str) -> None:
    st.session_state[_CHOSEN] = prompt_id


def _editor(connection: Connection, prompt: StoredPrompt | None) -> None:
    at = f"prompts.{prompt.id if prompt else 'new'}"
    stored = {"name": prompt.name, "description": prompt.description, "text": prompt.text} if prompt else dict.fromkeys(_FIELDS, "")
    kept = st.session_state.get(f"{at}.kept", stored)  # what was typed and not saved, while another prompt was looked at
    if f"{at}.text" not in st.session_state:
        st.session_state[f"{at}.begun"] = kept
    # Given as the fields' defaults, for those go out with every run: a browser that missed the first run's messages has them, too.
    begun = st.session_state[f"{at}.begun"]
    name = st.text_input("Name", begun["name"], key=f"{at}.name", placeholder="What it is called").strip()
    description = st.text_input("Description", begun["description"], key=f"{at}.description", placeholder="What it is for").strip()
    editable = prompt is None or prompt.plain
    text = st.text_area(
        "Prompt",
        begun["text"],
        key=f"{at}.text",
        height=260,
        placeholder="Write it with {{name}} where a value goes",
        disabled=not editable,
    )
    _about(prompt, text, editable=editable)
    typed = {"name": name, "description": description, "text": text}
    changed = typed != stored
    st.session_state[f"{at}.kept"] = typed if changed else stored
    with st.container(horizontal=True, gap="small", key="prompts.buttons"):
        if st.button("Save", key="prompts.save", icon=":material/save:", type="primary", disabled=not (changed and name and text.strip())):
            _save(connection, prompt, name, description, text if editable else None, at)
        if prompt is not None:
            _uses(prompt, changed=changed)
            with st.popover("Delete", icon=":material/delete:"):
                st.markdown(f"Delete **{plain(prompt.name)}** with all of its versions?")
                if st.button("Delete it", key="prompts.delete", type="primary"):
                    _do(connection, lambda client: delete_prompt(client, prompt.id), f"{prompt.name} is deleted", NEW)
    if changed and not (name and text.strip()):
        st.caption("A prompt needs a name and a text before it can be saved.")


def _about(prompt: StoredPrompt | None, text: str, *, editable: bool) -> None:
    """The placeholders found, and what else there is to know."""
    names = placeholders(text)
    badges = " ".join(f":blue-badge[{plain(name, 40)}]" for name in names[:24])
    st.markdown(f":small[Placeholders: {badges}]" if names else ":small[:gray[No placeholders. Write {{name}} where a value goes.]]")
    if prompt is None:
        return
    told = [f"`orq.prompt.id` {plain(prompt.id)}"]
    if prompt.version is not None:
        told.append(f"version {prompt.version}")
    if prompt.model:
        told.append(f"written for {plain(prompt.model)}; a request's own model answers")
    st.caption(" · ".join(told))
    if not editable:
        st.caption(f":material/info: {ONLY_TEXT}")


def _uses(prompt: StoredPrompt, *, changed: bool) -> None:
    """Two ways into the Playground."""
    by_id = st.button(
        "Use in Playground",
        key="prompts.use",
        icon=":material/experiment:",
        disabled=changed,
        help="Sends orq.prompt with this id: the router puts the newest version in the prompt's place.",
    )
    copied = st.button(
        "Copy text to Playground",
        key="prompts.copy",
        icon=":material/content_copy:",
        disabled=changed,
        help="Puts the text into the Playground's prompt, where it can be edited; orq.prompt is not sent.",
    )
    if by_id or copied:
        _into_playground(prompt, by_id=by_id)
        st.switch_page("playground.py")


def _into_playground(prompt: StoredPrompt, *, by_id: bool) -> None:
    """The text goes into the prompt either way: the contract requires one, and a router that does not know the id gets to see it."""
    draft = copy.deepcopy(session.restore_draft("a", workspace().drafts, linked=None, fallback=None))
    draft["body"]["prompt"] = prompt.text
    orq = draft["body"].get("orq")
    if by_id:
        set_path(draft["body"], "orq.prompt", {"id": prompt.id, "version": "latest"})
    elif isinstance(orq, dict):
        orq.pop("prompt", None)
        if not orq:
            del draft["body"]["orq"]
    session.set_draft("a", draft)
    forget_widgets("a")


def _save(connection: Connection, prompt: StoredPrompt | None, name: str, description: str, text: str | None, at: str) -> None:
    async def save(client: RouterClient) -> StoredPrompt:
        if prompt is None:
            return await create_prompt(client, name=name, description=description, text=text or "")
        return await save_prompt(client, prompt.id, name=name, description=description, text=text)

    saved = _do(connection, save, f"{name} is saved", None)
    if saved is not None:
        for field in (*_FIELDS, "kept"):
            st.session_state.pop(f"{at}.{field}", None)
        st.session_state[_CHOSEN] = saved.id
        st.rerun()


def _do(connection: Connection, work: Callable[[RouterClient], Coroutine[Any, Any, Any]], said: str, then: str | None) -> Any:
    """Change something on the router; with ``then``, choose that prompt and draw anew. What went wrong is shown here."""
    try:
        result = workspace().ask(connection, work)
    except PlaygroundError as error:
        st.error(plain(f"{error.cause} {error.next_step}"), icon=":material/error:")
        return None
    workspace().prompts.forget(connection)
    st.session_state[_SAID] = said
    if then is not None:
        st.session_state.pop(_CHOSEN, None)
        st.rerun()
    return result
