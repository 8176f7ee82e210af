"""Fields whose widget is a table: weights, metadata, inputs, thresholds. What no table can show is edited as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

import streamlit as st

from components.form.codecs import UNSET, Unshowable, shown_value
from components.form.drawing import Form
from components.form.memory import DIFFERS, FOLDS, Change, put
from components.parameter_form.list_tables import TABLES
from components.routing.load_balancer_editor import load_balancer_editor
from components.table_editor import Row, table_editor
from core.contract.parameters import ParameterSpec
from core.draft import MISSING, get_path

OBJECT, LIST = "object", "list"
FIRST_THRESHOLD = 0.5
"""What an entity just added has, to be edited, where its plug-in has no threshold."""

VALUE_HELP = '5 is a number, true a boolean, {"a": 1} an object, anything else a text'


def list_field(form: Form, spec: ParameterSpec, path: str, *, badges: bool = False) -> None:
    """Draw the table for the list at ``path``, or its JSON when a table cannot show it faithfully."""
    if spec.widget == "inputs":
        _inputs_head(form, spec, path, badges=badges)
    else:
        _head(form, spec, path)
    value = form.value(path)
    name = "inputs list" if spec.widget == "inputs" and isinstance(value, list) else spec.widget
    try:
        items = TABLES[name].items(value)
        rows = TABLES[name].rows(items)
    except Unshowable:
        _as_json(form, path, value)
    else:
        key, codec = form.key(path), f"table:{name}"
        edition = form.memory.edition(key, codec, items)
        form.memory.note(key, path, codec, items)
        _draw(name, rows, key=key, edition=edition, disabled=form.disabled)
        if name == "weights":
            _adder(form, path, "model", form.models)
        elif name == "thresholds":
            _adder(form, path, "entity", _entities(form, spec, path))
    form.marks(path)


def _head(form: Form, spec: ParameterSpec, path: str) -> None:
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f":small[{form.label(spec, path)}]", help=spec.help, width="content")
        if form.is_set(path):
            form.button(f"{path}.reset", "close", "reset", path, help="Do not send it")


def _inputs_head(form: Form, spec: ParameterSpec, path: str, *, badges: bool) -> None:
    """Not sent, an object, or a list of entries that can be marked as personal data."""
    value = form.value(path)
    key = form.key(f"{path}.shape")
    form.memory.seed(key, path, "inputs shape", UNSET if value is MISSING else LIST if isinstance(value, list) else OBJECT)
    st.segmented_control(
        form.label(spec, path, badges=badges, understood=spec.openai),
        [UNSET, OBJECT, LIST],
        key=key,
        required=True,
        width="stretch",
        disabled=form.disabled,
        help=spec.help,
    )


def _draw(name: str, rows: list[Row], *, key: str, edition: int, disabled: bool) -> None:
    column = st.column_config
    if name == "weights":
        load_balancer_editor(rows, key=key, edition=edition, disabled=disabled)
        return
    columns: Mapping[str, Any]
    match name:
        case "thresholds":
            columns = {
                "entity": column.TextColumn("entity", help="One of the entities above"),
                "threshold": column.NumberColumn("threshold", help="0 to 1", step=0.001, format="%.10g"),
            }
        case "metadata":
            columns = {
                "object": column.NumberColumn("#", help="Rows with one number make one object", width=40, step=1),
                "key": column.TextColumn("key"),
                "value": column.TextColumn("value", help=VALUE_HELP),
            }
        case _:
            columns = {"key": column.TextColumn("key", help="The name in {{name}}"), "value": column.TextColumn("value", help=VALUE_HELP)}
            if name == "inputs list":
                columns = {**columns, "is_pii": column.CheckboxColumn("is_pii", help="Personal data", width=60)}
    table_editor(rows, key=key, columns=columns, edition=edition, disabled=disabled, alt=name)


def _entities(form: Form, spec: ParameterSpec, path: str) -> list[str]:
    """The entities that can have a threshold and have none: those the plug-in names, or all that the router knows."""
    named = form.value(f"{path.rpartition('.')[0]}.entities")
    known = [name for name in named if isinstance(name, str)] if isinstance(named, list) and named else form.pickable(spec.path)
    value = form.value(path)
    return [name for name in known if not isinstance(value, dict) or name not in value]


def _adder(form: Form, path: str, what: Literal["model", "entity"], options: Sequence[str]) -> None:
    """A picker under a table, which puts what is picked or typed into a new row."""
    key = form.key(f"{path}.add")
    form.memory.seed(key, path, f"add {what}", None)
    label = f"Add {'an' if what == 'entity' else 'a'} {what}"
    st.selectbox(
        label,
        options,
        index=None,
        key=key,
        accept_new_options=True,
        placeholder=f"{label}: pick or type",
        label_visibility="collapsed",
        disabled=form.disabled,
    )


def _as_json(form: Form, path: str, value: Any) -> None:
    key = form.key(f"{path}.json")
    form.memory.seed(key, path, "document", shown_value("document", value, nullable=False))
    st.text_area("as JSON", key=key, height=100, label_visibility="collapsed", disabled=form.disabled)
    st.caption(":material/data_object: A table cannot show this value. It is edited as JSON, and sent as it stands.")


def _fold_table(draft: dict[str, Any], change: Change) -> None:
    table = TABLES[change.argument]
    put(draft, change.path, table.value(table.edited(change.drawn, change.now)))


def _fold_shape(draft: dict[str, Any], change: Change) -> None:
    """Change between object and list; entries that only a list can hold wait on the shelf until the list is back."""
    path, shelf = change.path, draft["shelf"]
    value = get_path(draft["body"], path)
    if change.now == UNSET:
        if value is not MISSING:
            shelf[path] = value
        put(draft, path, MISSING)
        return
    if value is MISSING:
        value = shelf.pop(path, {} if change.now == OBJECT else [])
    with suppress(Unshowable):
        value = _reshaped(value, change.now, shelf, path)
    put(draft, path, value)


def _reshaped(value: Any, shape: str, shelf: dict[str, Any], path: str) -> Any:
    if shape == LIST and not isinstance(value, list):
        marks = {item.get("key"): item for item in shelf.pop(f"{path}.list", [])}
        items = TABLES["inputs"].items(value)
        return [{**marks.get(item["key"], {}), **item} for item in items]
    if shape == OBJECT and not isinstance(value, dict):
        items = TABLES["inputs list"].items(value)
        shelf[f"{path}.list"] = value
        return TABLES["inputs"].value(items)
    return value


def _add_model(draft: dict[str, Any], change: Change) -> None:
    value = get_path(draft["body"], change.path, [])
    added = {"model": change.now}
    if change.now and isinstance(value, list) and value[-1:] != [added]:
        put(draft, change.path, [*value, added])


def _add_entity(draft: dict[str, Any], change: Change) -> None:
    value = get_path(draft["body"], change.path, {})
    if change.now and isinstance(value, dict) and change.now not in value:
        of_all = get_path(draft["body"], f"{change.path.rpartition('.')[0]}.threshold", None)
        put(draft, change.path, {**value, change.now: FIRST_THRESHOLD if of_all is None else of_all})


FOLDS["table"] = _fold_table
DIFFERS["table"] = lambda name, now, items: TABLES[name].edited(items, now) != items
FOLDS["inputs shape"] = _fold_shape
FOLDS["add model"] = _add_model
FOLDS["add entity"] = _add_entity
