"""The widgets that build a metadata filter: a shape, conditions of field, operator and value, or JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from components.filters.conditions import (
    AS_JSON,
    OPERATOR_LABELS,
    OPERATOR_NAMES,
    VIEWS,
    Condition,
    conditions,
    in_view,
    json_view_text,
    spell,
    value_icon,
    value_text,
    view_of,
    with_operator,
    with_value_text,
)
from components.form.codecs import UNSET
from components.form.drawing import Form
from components.form.memory import EDITS, FOLDS, Change, put
from components.form.text_forms import parse_json
from components.plain_text import plain
from core.contract.parameters import ParameterSpec
from core.draft import MISSING, get_path

SYNTAX = '`5` is a number, `true` a boolean, `"5"` a text; a list is `a, b`.'


def filter_builder(form: Form, spec: ParameterSpec, path: str) -> None:
    """Draw the builder for the filter at ``path``. Its first row bears the path's key; row 0's field ``<key>.0.field``."""
    value = form.value(path)
    view = view_of(value, json_view=form.shelf.get(f"{path}.view") == AS_JSON)
    form.memory.seed(form.key(path), path, "filter view", view)
    st.segmented_control(
        form.label(spec, path),
        VIEWS,
        key=form.key(path),
        required=True,
        width="stretch",
        disabled=form.disabled,
        help=spec.help,
    )
    if view == AS_JSON:
        _json_view(form, path, value)
    elif view != UNSET:
        found = conditions(value)
        _rows(form, path, found[1] if found else ())
    form.marks(path)


def _rows(form: Form, path: str, rows: tuple[Condition, ...]) -> None:
    for index, row in enumerate(rows):
        with st.container(horizontal=True, gap="xxsmall", vertical_alignment="center", wrap=False, key=form.key(f"{path}.{index}.row")):
            _row(form, path, index, row)
    st.caption(SYNTAX)
    if all(row.field for row in rows):
        form.button(f"{path}.add", "add", "add condition", path, label="Add a condition")


def _row(form: Form, path: str, index: int, row: Condition) -> None:
    at = f"{path}.{index}"
    hidden: dict[str, Any] = {"label_visibility": "collapsed", "disabled": form.disabled}
    for part, shown in (("field", row.field), ("operator", row.operator), ("value", value_text(row))):
        form.memory.seed(form.key(f"{at}.{part}"), path, f"filter:{index}:{part}", shown)
    st.text_input(f"field {index + 1}", key=form.key(f"{at}.field"), placeholder="field", **hidden)
    st.selectbox(
        f"operator {index + 1}",
        OPERATOR_NAMES,
        key=form.key(f"{at}.operator"),
        format_func=lambda name: OPERATOR_LABELS[name],
        width=88,
        **hidden,
    )
    st.text_input(f"value {index + 1}", key=form.key(f"{at}.value"), placeholder="value", icon=value_icon(row), **hidden)
    form.button(f"{at}.remove", "close", "remove condition", path, index, help="Remove this condition")


def _json_view(form: Form, path: str, value: Any) -> None:
    key = form.key(f"{path}.json")
    text = json_view_text(value)
    form.memory.seed(key, path, "document", text)
    st.text_area(
        "as JSON", key=key, height=140, label_visibility="collapsed", disabled=form.disabled, placeholder='{"year": {"gte": 2020}}'
    )
    if isinstance(value, str):
        try:
            parse_json(value)
        except ValueError as error:
            st.caption(f":red[:material/error: {plain(str(error))}]")
    elif value is not MISSING and conditions(value) is None:
        st.caption(":material/info: Conditions cannot show this without loss, so it stays JSON.")


def _fold_view(draft: dict[str, Any], change: Change) -> None:
    value, shelf = get_path(draft["body"], change.path), draft["shelf"]
    chosen = in_view(value, change.now, shelf.get(change.path, MISSING))
    shelf[f"{change.path}.view"] = change.now
    if change.now != UNSET:
        shelf.pop(change.path, None)
    elif value is not MISSING:
        shelf[change.path] = value
    put(draft, change.path, chosen)


def _fold_part(draft: dict[str, Any], change: Change) -> None:
    found = conditions(get_path(draft["body"], change.path))
    index, _, part = change.argument.partition(":")
    if found is None or int(index) >= len(found[1]):
        return
    shape, rows = found[0], list(found[1])
    row = rows[int(index)]
    match part:
        case "field":
            rows[int(index)] = replace(row, field=change.now or "")
        case "operator":
            rows[int(index)] = with_operator(row, change.now)
        case _:
            rows[int(index)] = with_value_text(row, change.now or "")
    put(draft, change.path, spell(shape, rows))


def _add_condition(draft: dict[str, Any], path: str) -> None:
    found = conditions(get_path(draft["body"], path))
    if found is not None:
        put(draft, path, spell(found[0], [*found[1], Condition()]))


def _remove_condition(draft: dict[str, Any], path: str, index: int) -> None:
    found = conditions(get_path(draft["body"], path))
    if found is not None:
        rows = [row for at, row in enumerate(found[1]) if at != index]
        put(draft, path, spell(found[0], rows) if rows else MISSING)


FOLDS["filter"] = _fold_part
FOLDS["filter view"] = _fold_view
EDITS["add condition"] = _add_condition
EDITS["remove condition"] = _remove_condition
