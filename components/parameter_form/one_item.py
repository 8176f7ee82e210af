"""The fields of one item of a list of blocks, by themselves: one of ``orq.knowledge_bases`` on a page of its own."""

from __future__ import annotations

import streamlit as st

from components.form.drawing import Form
from components.parameter_form.blocks import items_in
from components.parameter_form.outline import Branch, Item, child_path, outline, pattern


def item_fields(form: Form, block: str, index: int, names: tuple[str, ...]) -> None:
    """Draw the fields and blocks ``names`` of item ``index`` of ``block`` (``orq.knowledge_bases``), in the contract's order."""
    branch = next(item for items in outline().values() for item in items if isinstance(item, Branch) and pattern(item.spec.path) == block)
    wanted: tuple[Item, ...] = tuple(item for item in branch.items if child_path(branch.spec.path, "", item).lstrip(".") in names)
    with st.container(key=f"form-{form.slot}-{'-'.join(names)}", gap="xsmall"):
        items_in(form, wanted, block=branch.spec.path, root=f"{block}.{index}")
