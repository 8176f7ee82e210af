"""Blocks: objects with one switch. Off is not sent and folded away; on with nothing set is ``{}`` or says what is missing."""

from __future__ import annotations

import copy
from collections.abc import Container
from typing import Any

import streamlit as st

from components.filters.builder import filter_builder
from components.form.codecs import shown_value
from components.form.drawing import Form
from components.form.memory import EDITS
from components.parameter_form.fields import field, null_switch
from components.parameter_form.list_fields import list_field
from components.parameter_form.outline import Branch, Item, child_path, pattern
from components.plain_text import plain
from core.contract.parameters import ParameterSpec, block
from core.draft import MISSING, get_path, set_path

TABLE_KINDS = frozenset({"weights", "metadata", "inputs", "thresholds"})
HALF_KINDS = frozenset({"number", "integer", "choice", "constant", "text"})


def items_in(form: Form, items: tuple[Item, ...], *, block: str, root: str, badges: bool = False) -> None:
    """Draw fields and blocks that stand under ``root``; small fields share a row in pairs."""
    pending: list[tuple[ParameterSpec, str]] = []
    for item in items:
        path = child_path(block, root, item)
        if not is_wanted(form, item, path):
            continue
        if isinstance(item, ParameterSpec) and _is_half(item) and not (badges and form.kind == "openai" and not item.openai):
            pending.append((item, path))
            if len(pending) == 2:
                _pair(form, pending)
            continue
        _pair(form, pending)
        if isinstance(item, Branch):
            _block(form, item, path, badges=badges)
        else:
            _one(form, item, path, badges=badges)
    _pair(form, pending)


def _one(form: Form, spec: ParameterSpec, path: str, *, badges: bool) -> None:
    if spec.widget in TABLE_KINDS:
        list_field(form, spec, path, badges=badges)
    elif spec.widget == "filter":
        filter_builder(form, spec, path)
    else:
        field(form, spec, path, badges=badges)


def _pair(form: Form, pending: list[tuple[ParameterSpec, str]]) -> None:
    """Draw what is pending, two in a row or one across it, and forget it."""
    if len(pending) == 1:
        field(form, *pending.pop())
    if not pending:
        return
    for column, (spec, path) in zip(st.columns(2, gap="small", wrap=False), pending, strict=False):
        with column:
            field(form, spec, path)
    pending.clear()


def _is_half(spec: ParameterSpec) -> bool:
    return spec.widget in HALF_KINDS or (spec.widget == "boolean" and not spec.nullable)


def is_wanted(form: Form, item: Item, path: str) -> bool:
    """Whether search, *only what I set* and ``visible_when`` let it show; what is set is never hidden by a condition."""
    if isinstance(item, Branch):
        if form.only_set and not form.is_set(path):
            return False
        return not form.query or _matches(form, item.spec, path) or any(_matches(form, leaf, leaf.path) for leaf in item.leaves())
    if form.only_set and not form.is_set(path):
        return False
    if form.query:
        return _matches(form, item, path)
    return form.is_set(path) or _condition_holds(form, item, path)


def _matches(form: Form, spec: Any, path: str) -> bool:
    """Whether every word of the search stands in the name, path or help."""
    text = f"{path} {pattern(spec.path)} {spec.label} {spec.help}".casefold()
    return all(word in text for word in form.query.split())


def _condition_holds(form: Form, spec: ParameterSpec, path: str) -> bool:
    condition = spec.visible_when
    if condition is None:
        return True
    mine, theirs = pattern(spec.editor).split("."), pattern(condition.path).split(".")
    shared = sum(1 for _ in _common(mine, theirs))
    root = path.split(".")[: len(path.split(".")) - (len(mine) - shared)]
    return form.value(".".join([*root, *theirs[shared:]])) in condition.any_of


def _common(left: list[str], right: list[str]) -> list[str]:
    found = []
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        found.append(one)
    return found


def _block(form: Form, branch: Branch, path: str, *, badges: bool) -> None:
    """Draw the switch and, when it is on, what is in it."""
    value, spec = form.value(path), branch.spec
    is_on = value is not MISSING and value is not None
    key = form.key(path)
    form.memory.seed(key, path, "block", is_on)
    label = form.label(spec, path, badges=badges, understood=branch.understood)
    if spec.nullable:
        with st.container(horizontal=True, gap="small", horizontal_alignment="distribute", vertical_alignment="center"):
            st.toggle(label, key=key, help=spec.help, disabled=form.disabled or value is None, on_change=form.on_change)
            null_switch(form, path, is_null=value is None)
    else:
        st.toggle(label, key=key, help=spec.help, disabled=form.disabled, on_change=form.on_change)
    form.marks(path, below=False)
    if is_on:
        with st.container(key=f"{key}.fields", gap="small"):
            _inside(form, branch, path, value)


def _inside(form: Form, branch: Branch, path: str, value: Any) -> None:
    if branch.spec.repeated and isinstance(value, list):
        for index, item in enumerate(value):
            _list_item(form, branch, path, index, item, len(value))
        form.button(f"{path}.add", "add", "add item", path, label=f"Add another to {branch.spec.label}")
    elif not branch.spec.repeated and isinstance(value, dict):
        items_in(form, branch.items, block=branch.spec.path, root=path)
        unknown_fields(form, value, _names(branch), path)
    else:
        _as_json(form, path, value)


def _list_item(form: Form, branch: Branch, path: str, index: int, item: Any, count: int) -> None:
    at = f"{path}.{index}"
    with st.container(border=True, gap="small", key=f"{form.key(at)}.item"):
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{branch.spec.label}** {index + 1} of {count}", width="content")
            with st.container(horizontal=True, gap="xxsmall", width="content"):
                form.button(f"{at}.duplicate", "content_copy", "duplicate item", path, index, help="Duplicate")
                form.button(f"{at}.remove", "delete", "remove item", path, index, help="Remove")
        form.marks(at, below=False)
        if isinstance(item, dict):
            items_in(form, branch.items, block=branch.spec.path, root=at)
            unknown_fields(form, item, _names(branch), at)
        else:
            _as_json(form, at, item)


def _as_json(form: Form, path: str, value: Any) -> None:
    key = form.key(f"{path}.json")
    form.memory.seed(key, path, "document", shown_value("document", value, nullable=False))
    st.text_area("as JSON", key=key, height=100, label_visibility="collapsed", disabled=form.disabled)
    st.caption(":material/data_object: The fields cannot show this value. It is edited as JSON, and sent as it stands.")


def unknown_fields(form: Form, holder: Any, known: Container[str], root: str) -> None:
    """Names in ``holder`` (what stands at ``root``) that are not ``known``: what is wrong with each, and a way to take it out."""
    for name in holder if isinstance(holder, dict) else ():
        path = f"{root}.{name}" if root else name
        if name in known or "." in name:
            continue
        row: dict[str, Any] = {"horizontal": True, "gap": "xsmall", "vertical_alignment": "center", "horizontal_alignment": "distribute"}
        with st.container(**row, wrap=False, key=form.key(f"{path}.unknown")):
            messages = form.faults(path) or [f"{name} is sent too"]
            st.markdown(f":small[:red[:material/error: {plain(' '.join(messages))}]]")
            form.button(f"{path}.reset", "close", "reset", path, help="Do not send it")


def _names(branch: Branch) -> frozenset[str]:
    """The names that the contract knows directly in a block."""
    return frozenset(child_path(branch.spec.path, "", item).lstrip(".").partition(".")[0] for item in branch.items)


def _move_shelf(draft: dict[str, Any], path: str, moved: dict[int, int | None]) -> None:
    """Follow list items whose index changed: ``moved`` is old to new, ``None`` for one that is gone."""
    shelf: dict[str, Any] = {}
    for name, value in draft["shelf"].items():
        head, _, tail = name.removeprefix(f"{path}.").partition(".")
        if not name.startswith(f"{path}.") or not head.isdecimal() or int(head) not in moved:
            shelf[name] = value
        elif moved[int(head)] is not None:
            shelf[f"{path}.{moved[int(head)]}.{tail}"] = value
    draft["shelf"] = shelf


def _add_item(draft: dict[str, Any], path: str) -> None:
    items = get_path(draft["body"], path)
    if isinstance(items, list):
        set_path(draft["body"], path, [*items, copy.deepcopy(block(path).template)])


def _duplicate_item(draft: dict[str, Any], path: str, index: int) -> None:
    items = get_path(draft["body"], path)
    if not isinstance(items, list) or index >= len(items):
        return
    _move_shelf(draft, path, {at: at + 1 for at in range(index + 1, len(items))})
    items.insert(index + 1, copy.deepcopy(items[index]))


def _remove_item(draft: dict[str, Any], path: str, index: int) -> None:
    items = get_path(draft["body"], path)
    if not isinstance(items, list) or index >= len(items):
        return
    _move_shelf(draft, path, {index: None, **{at: at - 1 for at in range(index + 1, len(items))}})
    del items[index]


EDITS["add item"] = _add_item
EDITS["duplicate item"] = _duplicate_item
EDITS["remove item"] = _remove_item
