"""A field for every ``{{name}}`` of the prompt, under it: the same values as in the editor of ``orq.inputs``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from components.form.drawing import NOT_UNDERSTOOD
from components.form.memory import FOLDS, Change, Memory, put, widget_key
from components.form.text_forms import is_encodable, json_text, parse_literal
from components.plain_text import plain
from core.connection import ServerKind
from core.contract.placeholders import input_values, is_inputs, is_personal, placeholders, with_input, without_input
from core.draft import MISSING, get_path

MOST_FIELDS = 24
LONGEST_BARE = 100
INPUTS = "orq.inputs"
MARKS = "orq.inputs.personal"
"""Where the shelf remembers which names were marked as personal when their value went."""

HELP = "Takes the place of {name} in the prompt. Sent in orq.inputs; left empty, nothing is sent and {name} stays as it is."
PERSONAL = "Marked as personal data (is_pii): the PII plug-in hides it from the model."


def placeholder_fields(slot: str, draft: Mapping[str, Any], template: str, *, kind: ServerKind, disabled: bool = False) -> None:
    """Draw the fields for the names in ``template``; nothing when it has none. What is typed comes back through ``collect``."""
    names, inputs = placeholders(template), get_path(draft["body"], INPUTS, None)
    if not names:
        return
    with st.container(key=f"placeholders-{slot}", gap="xsmall"):
        badge = f" {NOT_UNDERSTOOD}" if kind == "openai" else ""
        st.markdown(f":small[Inputs of the prompt, sent as orq.inputs{badge}]")
        if inputs is not None and not is_inputs(inputs):
            st.caption(":material/data_object: orq.inputs holds something that single fields cannot show. Edit it under Prompt and inputs.")
            return
        for start in range(0, min(len(names), MOST_FIELDS), 2):
            row = names[start : min(start + 2, MOST_FIELDS)]
            for column, name in zip(st.columns(len(row), gap="small"), row, strict=True):
                with column:
                    _field(slot, inputs, name, disabled=disabled)
        if len(names) > MOST_FIELDS:
            st.caption(f"{len(names) - MOST_FIELDS} more can be filled under Prompt and inputs.")


def _field(slot: str, inputs: Any, name: str, *, disabled: bool) -> None:
    shown = shown_input(inputs, name)
    label = _label(name) + (" :material/lock:" if is_personal(inputs, name) else "")
    if shown is None:
        st.markdown(f":small[{label}] :small[:gray[is edited under Prompt and inputs]]")
        return
    key = widget_key(slot, f"placeholder.{name}")
    Memory(slot).seed(key, INPUTS, f"placeholder:{name}", shown)
    help_text = plain(HELP.format(name=f"{{{{{name}}}}}")) + (f" {PERSONAL}" if is_personal(inputs, name) else "")
    st.text_area(label, key=key, height="content", placeholder="no value", help=help_text, disabled=disabled)


def _label(name: str) -> str:
    """``{{name}}`` as Markdown, without escapes where it needs none: screen readers are given the label as it is written here."""
    is_literal = name == name.strip("_") and len(name) <= LONGEST_BARE
    return f"{{{{{name}}}}}" if is_literal else plain(f"{{{{{name}}}}}")


def shown_input(inputs: Any, name: str) -> str | None:
    """What the field of ``name`` holds: a text as it is, another value as JSON, empty for none; None where no field can show it."""
    value = input_values(inputs).get(name, "")
    text = value if isinstance(value, str) else json_text(value)
    return text if is_encodable(text) and "\0" not in text and "\r" not in text else None


def _fold_placeholder(draft: dict[str, Any], change: Change) -> None:
    """A text stays a text; a value that was none before is read as the table of inputs reads it. Empty takes the input away."""
    name, typed = change.argument, change.now or ""
    inputs = get_path(draft["body"], INPUTS, None)
    if inputs is not None and not is_inputs(inputs):
        return
    marks: list[str] = draft["shelf"].setdefault(MARKS, [])
    if typed:
        old = input_values(inputs).get(name, "")
        value = typed if isinstance(old, str) else parse_literal(typed)
        put(draft, INPUTS, with_input(inputs, name, value, personal=name in marks))
    elif inputs is not None:
        if is_personal(inputs, name) and name not in marks:
            marks.append(name)
        rest = without_input(inputs, name)
        put(draft, INPUTS, MISSING if rest is None else rest)
    if not marks:
        del draft["shelf"][MARKS]


FOLDS["placeholder"] = _fold_placeholder
