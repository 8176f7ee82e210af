"""One field: a widget for one leaf of the contract, with its three states (not sent, null, value)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from components.form.codecs import FALSE, LARGEST_EXACT, NULL, TRUE, UNSET, Unshowable, shown_value
from components.form.drawing import Form
from components.form.memory import EDITS
from components.form.text_forms import json_text
from core.contract.parameters import ParameterSpec
from core.draft import MISSING, drop_path
from core.local_router.retrieval.overlap import OVERLAP_MODEL

COMMON_STOPS = ("\\n", "\\n\\n", "###", "END")
COMMON_CODES = ("408", "409", "425", "429", "500", "502", "503", "504", "529")
RERANK_MODEL = "orq.knowledge_bases[].rerank_config.model"
AS_JSON = "This value does not fit the field's own widget. It is shown as JSON, and sent as it stands."
ROUNDED = f"A browser rounds whole numbers beyond {LARGEST_EXACT:,}: check the digits here."

Draw = Callable[[Form, ParameterSpec, str, dict[str, Any]], None]


def field(form: Form, spec: ParameterSpec, path: str, *, badges: bool = False) -> None:
    """Draw the widget of ``spec`` for the leaf at ``path`` (list indices filled in), its null switch, and what is wrong there."""
    value = form.value(path)
    kind, shown = _shown(spec, value)
    if kind == "text" and _known(form, spec):
        kind, shown = "picked", shown or None
    with_button = kind == "text" and spec.widget == "text" and value is not MISSING
    if spec.nullable or with_button:
        key = form.key(f"{path}.{'beside' if spec.nullable else 'reset_beside'}")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", wrap=False, key=key):
            _widget(form, spec, path, kind, shown, value, badges=badges)
            if spec.nullable:
                null_switch(form, path, is_null=value is None)
            if with_button:
                form.button(f"{path}.reset", "close", "reset", path, help="Do not send it")
    else:
        _widget(form, spec, path, kind, shown, value, badges=badges)
    if kind == "json":
        too_large = isinstance(value, (int, float)) and abs(value) > LARGEST_EXACT
        st.caption(f":material/data_object: {ROUNDED if too_large else AS_JSON}")
    form.marks(path)


def null_switch(form: Form, path: str, *, is_null: bool) -> None:
    """The small switch that sends an explicit null, which is not the same as not sending the field."""
    key = form.key(f"{path}.null")
    form.memory.seed(key, path, "null", is_null)
    st.toggle(
        f"{path.rpartition('.')[2]} is null", key=key, disabled=form.disabled, on_change=form.on_change
    )  # form.css shows it as a small "null"


def _shown(spec: ParameterSpec, value: Any) -> tuple[str, Any]:
    try:
        choices = spec.choices if spec.widget in ("choice", "constant") else ()
        return spec.widget, shown_value(spec.widget, value, nullable=spec.nullable, choices=choices)
    except Unshowable:
        return "json", json_text(value)


def _widget(form: Form, spec: ParameterSpec, path: str, kind: str, shown: Any, value: Any, *, badges: bool) -> None:
    key = form.key(path)
    is_null = value is None and spec.nullable
    form.memory.seed(key, path, kind, shown)
    common: dict[str, Any] = {
        "label": form.label(spec, path, badges=badges, understood=spec.openai),
        "key": key,
        "help": spec.help,
        "disabled": form.disabled or is_null,
        "on_change": form.on_change,
    }
    if kind != "boolean":
        common["placeholder"] = NULL if is_null else spec.placeholder or "not sent"
    _DRAW[kind](form, spec, shown, common)


def _number(_form: Form, spec: ParameterSpec, _shown: Any, common: dict[str, Any]) -> None:
    st.number_input(
        value=None, step=float(spec.step or 1), format="%s", **common
    )  # as typed: no rounding, and no bounds that would swallow a value


def _text(_form: Form, _spec: ParameterSpec, _shown: Any, common: dict[str, Any]) -> None:
    st.text_input(**common)


def _json(_form: Form, _spec: ParameterSpec, _shown: Any, common: dict[str, Any]) -> None:
    st.text_input(icon=":material/data_object:", **common)


def _prompt(_form: Form, _spec: ParameterSpec, _shown: Any, common: dict[str, Any]) -> None:
    st.text_area(height=160, **common)


def _choice(_form: Form, spec: ParameterSpec, _shown: Any, common: dict[str, Any]) -> None:
    st.selectbox(options=spec.choices, index=None, **common)


def _boolean(_form: Form, _spec: ParameterSpec, shown: Any, common: dict[str, Any]) -> None:
    st.segmented_control(options=[NULL if shown == NULL else UNSET, TRUE, FALSE], required=True, width="stretch", **common)


def _model(form: Form, spec: ParameterSpec, shown: Any, common: dict[str, Any]) -> None:
    listed = (OVERLAP_MODEL, *form.models) if form.kind == "local" and spec.path == RERANK_MODEL else form.models
    st.selectbox(options=_with(listed, [shown] if shown else []), index=None, accept_new_options=True, **common)


def _known(form: Form, spec: ParameterSpec) -> Mapping[str, str]:
    """What the connected router has that this field can name: what to show of each by its id."""
    return form.pickable(spec.path)


def _picked(form: Form, spec: ParameterSpec, shown: Any, common: dict[str, Any]) -> None:
    names = _known(form, spec)
    options = _with(names, [shown] if shown else [])
    st.selectbox(options=options, index=None, accept_new_options=True, format_func=lambda known: names.get(known, known), **common)


def _models(form: Form, _spec: ParameterSpec, shown: Any, common: dict[str, Any]) -> None:
    _many(_with(form.models, shown), common)


def _codes(_form: Form, _spec: ParameterSpec, shown: Any, common: dict[str, Any]) -> None:
    _many(_with(COMMON_CODES, shown), common)


def _stops(_form: Form, _spec: ParameterSpec, shown: Any, common: dict[str, Any]) -> None:
    _many(_with(COMMON_STOPS, shown), common)


def _tags(form: Form, spec: ParameterSpec, shown: Any, common: dict[str, Any]) -> None:
    _many(_with((*spec.choices, *_known(form, spec)), shown), common)


def _many(options: list[str], common: dict[str, Any]) -> None:
    st.multiselect(options=options, accept_new_options=True, select_all=False, **common)


def _with(options: Any, more: list[str]) -> list[str]:
    """``options`` and those of ``more`` that are not among them."""
    return list(dict.fromkeys([*options, *more]))


_DRAW: dict[str, Draw] = {
    "number": _number,
    "integer": _number,
    "text": _text,
    "json": _json,
    "prompt": _prompt,
    "choice": _choice,
    "constant": _choice,
    "boolean": _boolean,
    "model": _model,
    "picked": _picked,
    "models": _models,
    "codes": _codes,
    "stops": _stops,
    "tags": _tags,
}


def reset(draft: dict[str, Any], path: str) -> None:
    """Do not send ``path``."""
    drop_path(draft["body"], path)


EDITS["reset"] = reset
