"""Where a draft's prompt comes from: its own field, or a stored prompt of the connected router, where that one is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from components.plain_text import plain
from components.prompts.placeholder_fields import placeholder_fields, shown_input
from components.services import workspace
from core.connection import Connection
from core.contract.placeholders import placeholders, unfilled
from core.draft import get_path
from core.router_resources.prompts import StoredPrompt

PROMPT_ID = "orq.prompt.id"
IDENTITY_ID = "orq.identity.id"
MOST_NAMED = 3


def stored_prompt(connection: Connection, body: Mapping[str, Any]) -> StoredPrompt | None:
    """The stored prompt that ``body`` asks for, where the router lists it."""
    asked = get_path(body, PROMPT_ID, None)
    if not asked:
        return None
    return next((prompt for prompt in workspace().prompts.items(connection) if prompt.id == asked), None)


def template(connection: Connection, body: Mapping[str, Any]) -> str:
    """The text whose placeholders are filled: empty where a stored prompt takes the prompt's place and its text is not known."""
    if get_path(body, PROMPT_ID, None):
        stored = stored_prompt(connection, body)
        return stored.text if stored else ""
    prompt = body.get("prompt")
    return prompt if isinstance(prompt, str) else ""


def prompt_source(slot: str, draft: Mapping[str, Any], connection: Connection) -> None:
    """Draw what belongs under the prompt: the stored prompt that takes its place, and a field for each placeholder."""
    body = draft["body"]
    if get_path(body, PROMPT_ID, None):
        stored = stored_prompt(connection, body)
        if stored is None:
            st.caption(":material/edit_note: A stored prompt takes this prompt's place (orq.prompt). Its text is not known here.")
        else:
            with st.expander("A stored prompt takes this prompt's place", icon=":material/edit_note:", key=f"{slot}.stored_prompt"):
                st.markdown(f":small[**{plain(stored.name)}**]")
                st.code(stored.text, language=None, wrap_lines=True)
    placeholder_fields(slot, draft, template(connection, body), kind=connection.kind)


def without_value(connection: Connection, body: Mapping[str, Any]) -> str:
    """Which placeholders have no value, as a sentence for the pre-flight line; empty where all have one."""
    names = unfilled(template(connection, body), get_path(body, "orq.inputs", None))
    if not names:
        return ""
    said = ", ".join(f"{{{{{name[:30]}}}}}" for name in names[:MOST_NAMED])
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{said}{more} {'has' if len(names) == 1 else 'have'} no value and {'stays' if len(names) == 1 else 'stay'} as written"


def drawn_inputs(connection: Connection, body: Mapping[str, Any]) -> tuple[tuple[str, str | None], ...]:
    """What the fields under the prompt hold, to tell whether an edit elsewhere changes them."""
    inputs = get_path(body, "orq.inputs", None)
    return tuple((name, shown_input(inputs, name)) for name in placeholders(template(connection, body)))


def prompt_names(connection: Connection) -> dict[str, str]:
    """What to call each stored prompt by its id."""
    return {prompt.id: f"{prompt.name} · {prompt.id}" for prompt in workspace().prompts.items(connection)}


def identity_names(connection: Connection) -> dict[str, str]:
    """What to call each identity by its id."""
    return {one.id: f"{one.name} · {one.id}" if one.name else one.id for one in workspace().identities.items(connection)}
