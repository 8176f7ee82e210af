"""Completeness: every leaf of the contract has a widget under its key, and the widget reaches exactly its path."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from components.parameter_form.outline import pattern
from core.contract.parameters import BLOCKS, PARAMETERS, ParameterSpec, parameter
from core.draft import MISSING, get_path, set_path
from tests.components.parameter_form.form_page import FormPage, at_first_item, switched_on

LEAVES = [leaf["path"] for leaf in json.loads((Path(__file__).parents[2] / "parameters.json").read_text())["request"]]
TABLES: dict[str, tuple[dict[str, Any], Any]] = {
    "weights": ({"model": "local/pydoc", "weight": 0.25}, [{"model": "local/pydoc", "weight": 0.25}]),
    "metadata": ({"key": "plan", "value": "pro"}, [{"plan": "pro"}]),
    "inputs": ({"key": "name", "value": "Ada"}, {"name": "Ada"}),
    "thresholds": ({"entity": "PERSON", "threshold": 0.5}, {"PERSON": 0.5}),
}
ENTRIES: dict[str, tuple[Any, Any]] = {
    "number": (1.5, 1.5),
    "integer": (7.0, 7),
    "text": ("some text", "some text"),
    "prompt": ("two\nlines", "two\nlines"),
    "model": ("openai/gpt-4o", "openai/gpt-4o"),
    "boolean": ("true", True),
    "stops": (["\\n"], ["\n"]),
    "models": (["local/pydoc", "x/y"], [{"model": "local/pydoc"}, {"model": "x/y"}]),
    "codes": (["429", "503"], [429, 503]),
    "tags": (["one", "two words"], ["one", "two words"]),
    "filter": ("fields", {"": {"eq": ""}}),
}
EMPTY: dict[str, Any] = {"number": None, "integer": None, "text": "", "prompt": "", "boolean": "–", "filter": "–"}


def group_of(spec: ParameterSpec) -> str:
    return "length_and_stopping" if spec.group == "Request" else spec.group.lower().replace(" ", "_")


@cache
def page_of(group: str) -> FormPage:
    """One page per group, with that group open; a test puts its own draft into it."""
    return FormPage(groups=(group,))


def page_for(spec: ParameterSpec) -> tuple[FormPage, str, dict[str, Any]]:
    """A page with the leaf's blocks on, the widget's path, and its body."""
    body = switched_on(spec.path)
    return page_of(group_of(spec)).replace(body), at_first_item(spec.editor), body


def entry_of(spec: ParameterSpec) -> tuple[Any, Any]:
    if spec.widget in ("choice", "constant"):
        return spec.choices[-1], spec.choices[-1]
    return ENTRIES[spec.widget]


def without(body: dict[str, Any], path: str) -> dict[str, Any]:
    """``body`` without the leaf at ``path``, its blocks still on."""
    rest = copy.deepcopy(body)
    *_, last = path.split(".")
    holder = get_path(rest, path.rpartition(".")[0]) if "." in path else rest
    if isinstance(holder, dict):
        holder.pop(last, None)
    return {name: value for name, value in rest.items() if (name, value) != ("orq", {})}


def test_the_leaves_are_those_of_the_contract() -> None:
    assert len(LEAVES) == 75
    assert [spec.path for spec in PARAMETERS] == LEAVES


@pytest.mark.parametrize("leaf", LEAVES)
def test_setting_a_leaf_changes_exactly_its_path_and_clearing_takes_it_out(leaf: str) -> None:
    spec = parameter(leaf)
    page, path, body = page_for(spec)
    if spec.widget in TABLES:
        cells, expected = TABLES[spec.widget]
        page.edit_table(path, 0, **cells)
    else:
        typed, expected = entry_of(spec)
        page.set(path, typed)
    assert get_path(page.body, path) == expected
    assert without(page.body, path) == without(body, path)
    if spec.widget in TABLES:
        page.edit_table(path, 0, _remove=True)
    else:
        page.set(path, EMPTY.get(spec.widget, [] if isinstance(entry_of(spec)[0], list) else None))
    cleared = {} if spec.widget == "inputs" else MISSING
    assert get_path(page.body, path) == cleared


@pytest.mark.parametrize("leaf", [spec.path for spec in PARAMETERS if spec.nullable])
def test_the_null_switch_sends_null_and_gives_the_value_back(leaf: str) -> None:
    spec = parameter(leaf)
    page, path, _ = page_for(spec)
    typed, expected = entry_of(spec)
    page.set(path, typed).set(f"{path}.null", True)
    assert get_path(page.body, path, "absent") is None
    assert page.widget(path).disabled
    page.set(f"{path}.null", False)
    assert get_path(page.body, path) == expected


def test_every_leaf_is_on_the_page_once_its_block_is_and_null_only_where_it_is_legal() -> None:
    page = FormPage(switched_on(*LEAVES))
    for spec in PARAMETERS:
        path = at_first_item(spec.editor)
        assert page.has(path), path
        assert page.has(f"{path}.null") == spec.nullable, path


def test_the_block_switches_bear_the_blocks_paths_and_only_thinking_may_be_null() -> None:
    page = FormPage(switched_on(*LEAVES))
    for spec in BLOCKS:
        path = at_first_item(pattern(spec.path))
        assert page.widget(path).value is True, path
        assert page.has(f"{path}.null") == (spec.path == "thinking"), path


ODD_TEXTS = [
    '<script>alert("x")</script>',
    "`**[a](b)** :red[x] $y$",
    "\u202egnp.exe",
    "line\nbreak",
    "\ud800",
    "nul\0",
    "",
    "  ",
    "x" * 3000,
]
ODD_LISTS: list[Any] = [[], [None], [{"model": 1}], [["x"]], [{"a": {"b": 1}}, {}]]
ODD_VALUES: list[Any] = [*ODD_TEXTS, *ODD_LISTS, 5, 1.5, 16.5, 2**70, True, None, {}, {"x": None}, {"": ""}]


def test_any_value_is_shown_without_being_altered() -> None:
    """A half-edited or imported draft may hold anything anywhere; showing it changes nothing and raises nothing."""
    page = FormPage()
    for value in ODD_VALUES:
        body = switched_on(*LEAVES)
        for spec in PARAMETERS:
            set_path(body, at_first_item(spec.editor), copy.deepcopy(value))
        page.replace(body)
        assert page.run().body == body


def test_any_value_in_place_of_a_block_is_shown_without_being_altered() -> None:
    page = FormPage()
    for value in ODD_VALUES:
        body = {pattern(spec.path): copy.deepcopy(value) for spec in BLOCKS if "." not in spec.path}
        body["orq"] = {pattern(spec.path)[4:]: copy.deepcopy(value) for spec in BLOCKS if spec.path.count(".") == 1}
        page.replace(body)
        assert page.run().body == body
