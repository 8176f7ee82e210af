"""A page with nothing but the form, driven through Streamlit's AppTest."""

from __future__ import annotations

import copy
import json
from typing import Any

from streamlit.testing.v1 import AppTest

from core.contract.parameters import block
from core.draft import MISSING, get_path, set_path

GROUPS = (
    "sampling",
    "length_and_stopping",
    "routing",
    "cache_and_timeout",
    "knowledge",
    "prompt_and_inputs",
    "thinking",
    "identity_and_trace",
    "pii",
    "orq_twins",
    "extra",
)
MODELS = ["local/pydoc", "local/pydoc-3"]


def _script() -> None:
    import streamlit as st

    from components.parameter_form import collect, forget_widgets, parameter_form, request_field
    from core.outgoing import outgoing

    def replace(draft):
        st.session_state["draft"] = draft
        forget_widgets("a")

    draft = st.session_state["draft"] = collect("a", st.session_state["draft"])
    problems = outgoing(draft).problems
    kind = st.session_state.get("kind", "local")
    models = ["local/pydoc", "local/pydoc-3"]
    picks = {path: lambda path=path: {name: name for name in st.session_state["picks"][path]} for path in st.session_state.get("picks", {})}
    st.button("load", key="load", on_click=lambda: replace(st.session_state["next"]))
    request_field("a", draft, "model", problems, models=models)
    request_field("a", draft, "prompt", problems)
    parameter_form("a", draft, problems, models=models, kind=kind, disabled=st.session_state.get("off", False), picks=picks)


class FormPage:
    """The form in slot ``a`` on ``body``; ``groups`` (all by default) are open; ``picks`` are what a router has, by field."""

    def __init__(
        self,
        body: dict[str, Any] | None = None,
        *,
        extra: str = "",
        kind: str = "local",
        groups: tuple[str, ...] = GROUPS,
        picks: dict[str, list[str]] | None = None,
    ) -> None:
        self.at = AppTest.from_function(_script, default_timeout=30)
        self.at.session_state["draft"] = {"body": copy.deepcopy(body or {}), "extra": extra}
        self.at.session_state["kind"] = kind
        self.at.session_state["picks"] = picks or {}
        for group in GROUPS:
            self.at.session_state[f"a.group.{group}"] = group in groups
        self.run()

    def run(self) -> FormPage:
        """One script run; nothing may raise in it."""
        self.at.run()
        assert not self.at.exception, (self.at.exception[0].message, self.at.exception[0].stack_trace[-3:])
        return self

    @property
    def draft(self) -> dict[str, Any]:
        """The draft as the page holds it."""
        return self.at.session_state["draft"]

    @property
    def body(self) -> dict[str, Any]:
        """What would be sent, without extra fields."""
        return self.draft["body"]

    def widget(self, path: str) -> Any:
        """The widget (or anything else with a key) of ``path``."""
        return self.at.get_by_key(f"a.{path}")

    def has(self, path: str) -> bool:
        """Whether something with the key of ``path`` is on the page."""
        try:
            self.widget(path)
        except KeyError:
            return False
        return True

    def set(self, path: str, value: Any) -> FormPage:
        """Let the widget of ``path`` hold ``value``, as a reader would, and run."""
        widget = self.widget(path)
        if widget.type == "multiselect":  # AppTest refuses what is not among the options; a browser does not
            return self._send(widget.proto.id, string_array_value={"data": value})
        if widget.type == "selectbox" and value is not None:
            return self._send(widget.proto.id, string_value=value)
        widget.set_value(value)
        return self.run()

    def click(self, path: str) -> FormPage:
        """Press the button of ``path``."""
        self.widget(path).click()
        return self.run()

    def edit_table(self, path: str, row: int, **cells: Any) -> FormPage:
        """Type into the cells of one row of the table of ``path``; the row after the last one adds."""
        return self._send(self.widget(path).proto.id, string_value=json.dumps({"edited_rows": {row: cells}}))

    def _send(self, widget_id: str, **value: Any) -> FormPage:
        """Run with one widget's state as a browser would send it."""
        states = self.at._tree.get_widget_states()
        states.widgets.add(id=widget_id, **value)
        self.at._run(states)
        assert not self.at.exception, (self.at.exception[0].message, self.at.exception[0].stack_trace[-3:])
        return self

    def replace(self, body: dict[str, Any]) -> FormPage:
        """Put another draft in place of this one, as a preset does."""
        self.at.session_state["next"] = {"body": copy.deepcopy(body), "extra": ""}
        self.at.button(key="load").click()
        return self.run()

    def texts(self) -> str:
        """Everything the page says in Markdown and captions, escapes removed."""
        return "\n".join(element.value for element in (*self.at.markdown, *self.at.caption)).replace("\\", "")


def switched_on(*leaves: str) -> dict[str, Any]:
    """A body in which every block around the leaves (bracketed paths) is on, lists with one item."""
    body: dict[str, Any] = {}
    for leaf in leaves:
        names = leaf.split(".")
        for end in range(1, len(names)):
            _switch_on(body, ".".join(names[:end]))
        if leaf.startswith("thinking."):
            body["thinking"] = {"type": "enabled"}
    return body


def _switch_on(body: dict[str, Any], bracketed: str) -> None:
    if not is_block(bracketed):
        return
    spec, path = block(bracketed), bracketed.replace("[]", ".0").removesuffix(".0")
    if get_path(body, path) is MISSING:
        start = copy.deepcopy(spec.template)
        set_path(body, path, [start] if spec.repeated else start)


def at_first_item(editor: str) -> str:
    """Where the widget ``editor`` (without brackets) stands when every repeated block has one item: ``orq.knowledge_bases.0.top_k``."""
    *outer, last = editor.split(".")
    place: list[str] = []
    for depth, name in enumerate(outer):
        at = ".".join(outer[: depth + 1])
        place.extend([name, "0"] if is_block(at) and block(at).repeated else [name])
    return ".".join([*place, last])


def is_block(path: str) -> bool:
    """Whether the contract has a block with a switch at ``path``."""
    try:
        block(path)
    except KeyError:
        return False
    return True
