"""The parameters as data: complete, in agreement with the contract's table, and fit to build a form from."""

from __future__ import annotations

import copy
import re
from typing import Any, get_args

import pytest

from core.contract.parameters import BLOCKS, GROUPS, PARAMETERS, BlockSpec, Group, ParameterSpec, WidgetKind, block, parameter
from core.contract.request import TREE, check_request
from tests.core.contract.bodies import LEAVES, MINIMAL

each_spec = pytest.mark.parametrize("spec", PARAMETERS, ids=[spec.path for spec in PARAMETERS])
each_block = pytest.mark.parametrize("spec", BLOCKS, ids=[spec.path for spec in BLOCKS])

OPENAI = {
    "model",
    "prompt",
    "echo",
    "frequency_penalty",
    "max_tokens",
    "presence_penalty",
    "seed",
    "stop",
    "temperature",
    "top_p",
    "n",
    "user",
    "stream",
}


def test_every_leaf_of_the_contract_has_a_spec_in_its_order() -> None:
    assert [spec.path for spec in PARAMETERS] == [leaf["path"] for leaf in LEAVES]
    assert len(PARAMETERS) == 75


@pytest.mark.parametrize(("spec", "leaf"), list(zip(PARAMETERS, LEAVES, strict=True)), ids=[leaf["path"] for leaf in LEAVES])
def test_a_spec_agrees_with_the_contracts_table(spec: ParameterSpec, leaf: dict[str, Any]) -> None:
    default = list(spec.default) if isinstance(spec.default, tuple) else spec.default
    assert (default, spec.minimum, spec.maximum) == (leaf.get("default"), leaf.get("minimum"), leaf.get("maximum"))
    assert (spec.required, spec.deprecated) == (leaf["required"], leaf.get("deprecated", False))
    assert spec.choices == tuple(leaf.get("enum", ()))
    nullable = block("thinking").nullable if spec.path == "thinking.type" else spec.nullable  # the table's note on thinking
    assert nullable == leaf["nullable"]


KINDS = {
    "string": {"model", "prompt", "text", "choice", "constant", "models", "weights", "tags"},
    "boolean": {"boolean"},
    "integer": {"integer", "codes"},
    "number": {"number", "codes", "weights", "thresholds"},
    "object": {"metadata"},
    "filter": {"filter"},
    "string|list[string]": {"stops"},
    "object|list[{key,value,is_pii}]": {"inputs"},
}


@pytest.mark.parametrize(("spec", "leaf"), list(zip(PARAMETERS, LEAVES, strict=True)), ids=[leaf["path"] for leaf in LEAVES])
def test_the_widget_fits_the_type(spec: ParameterSpec, leaf: dict[str, Any]) -> None:
    assert spec.widget in KINDS[leaf["type"]]
    assert (spec.widget in ("choice", "constant")) == bool(spec.choices)
    assert (spec.widget == "constant") == (len(spec.choices) == 1)


@each_spec
def test_a_spec_says_what_it_means_and_what_an_empty_widget_does(spec: ParameterSpec) -> None:
    assert len(spec.help) > 20
    assert spec.help.endswith(".")
    assert spec.placeholder
    assert spec.label == re.sub(r"\[\]|\{\}", "", spec.path).rpartition(".")[2]
    assert spec.group in GROUPS
    assert spec.openai == (spec.path in OPENAI)


@each_spec
def test_a_placeholder_that_names_a_default_names_the_servers(spec: ParameterSpec) -> None:
    if spec.placeholder.startswith("default "):
        shown = spec.default if not isinstance(spec.default, tuple) else ", ".join(map(str, spec.default))
        assert spec.placeholder.removeprefix("default ") == str(shown).lower()
    else:
        assert spec.default is None


@each_spec
def test_a_number_has_a_step_that_fits_into_its_range(spec: ParameterSpec) -> None:
    numeric = spec.widget in ("number", "integer", "codes", "thresholds") or spec.label == "weight"
    assert (spec.step is not None) == numeric
    if spec.step is not None and spec.maximum is not None and spec.minimum is not None:
        assert 0 < spec.step <= (spec.maximum - spec.minimum) / 4
    if spec.widget == "integer":
        assert isinstance(spec.step, int)


def test_quantities_carry_their_unit() -> None:
    assert {spec.path: spec.unit for spec in PARAMETERS if spec.unit} == {
        "timeout.call_timeout": "ms",
        "orq.timeout.call_timeout": "ms",
        "cache.ttl": "s",
        "orq.cache.ttl": "s",
    }


def test_thinkings_fields_are_shown_when_it_is_enabled() -> None:
    shown = {spec.path: spec.visible_when for spec in PARAMETERS if spec.visible_when}
    assert set(shown) == {"thinking.budget_tokens", "thinking.thinking_level"}
    for condition in shown.values():
        assert condition is not None
        assert set(condition.any_of) <= set(parameter(condition.path).choices)


@pytest.mark.parametrize("name", ["name", "fallbacks", "fallback_on_codes", "retry", "cache", "load_balancer", "timeout"])
def test_twins_are_edited_alike_in_the_group_of_twins(name: str) -> None:
    top = [spec for spec in PARAMETERS if re.match(rf"{name}(\[|\.|$)", spec.path)]
    assert top
    for spec in top:
        twin = parameter(f"orq.{spec.path}")
        assert twin.group == "orq twins"
        assert twin.editor == f"orq.{spec.editor}"
        assert (twin.widget, twin.help, twin.step, twin.unit, twin.placeholder) == (
            spec.widget,
            spec.help,
            spec.step,
            spec.unit,
            spec.placeholder,
        )


def test_groups_and_widgets_are_the_declared_ones_and_each_group_has_fields() -> None:
    assert get_args(Group) == GROUPS
    assert {spec.group for spec in PARAMETERS} == set(GROUPS)
    assert {spec.widget for spec in PARAMETERS} == set(get_args(WidgetKind))


class TestLookUp:
    @pytest.mark.parametrize(
        ("spelt", "path"),
        [
            ("temperature", "temperature"),
            ("orq.knowledge_bases[].top_k", "orq.knowledge_bases[].top_k"),
            ("orq.knowledge_bases.top_k", "orq.knowledge_bases[].top_k"),
            ("orq.knowledge_bases.0.top_k", "orq.knowledge_bases[].top_k"),
            ("orq.knowledge_bases.12.rerank_config.top_k", "orq.knowledge_bases[].rerank_config.top_k"),
            ("retry.on_codes.3", "retry.on_codes[]"),
            ("plugins.0.entity_thresholds", "plugins[].entity_thresholds{}"),
            ("fallbacks", "fallbacks[].model"),
            ("load_balancer.models", "load_balancer.models[].model"),
            ("load_balancer.models.1.weight", "load_balancer.models[].weight"),
        ],
    )
    def test_finds_a_leaf_however_it_is_spelt(self, spelt: str, path: str) -> None:
        assert parameter(spelt).path == path

    def test_finds_a_block_however_it_is_spelt(self) -> None:
        assert block("orq.knowledge_bases.0.search_options") is block("orq.knowledge_bases[].search_options")
        assert block("plugins[]") is block("plugins")

    def test_raises_for_what_there_is_not(self) -> None:
        with pytest.raises(KeyError):
            parameter("logit_bias")
        with pytest.raises(KeyError):
            block("temperature")


class TestBlocks:
    def test_every_object_of_the_request_has_one(self) -> None:
        edited_as_lists = {"fallbacks", "load_balancer.models", "orq.fallbacks", "orq.load_balancer.models"}
        objects = {path for path, node in TREE.items() if node.children} - {"", "orq"} - edited_as_lists
        assert {spec.path.replace("[]", "") for spec in BLOCKS} == objects

    @each_block
    def test_empty_is_legal_where_the_contract_takes_it(self, spec: BlockSpec) -> None:
        assert (_problems(spec, {}) == ()) == spec.empty_legal

    @each_block
    def test_null_is_legal_where_the_contract_takes_it(self, spec: BlockSpec) -> None:
        assert (_problems(spec, None) == ()) == spec.nullable

    @each_block
    def test_the_template_lacks_only_what_a_person_must_choose(self, spec: BlockSpec) -> None:
        problems = _problems(spec, copy.deepcopy(spec.template))
        assert all("is required" in problem.message for problem in problems)
        missing = {problem.path.rpartition(".")[2] for problem in problems}
        assert missing <= {"models", "call_timeout", "id", "knowledge_id", "model"}
        for name in spec.template:
            assert parameter(f"{spec.path}.{name}").choices

    @each_block
    def test_only_lists_repeat(self, spec: BlockSpec) -> None:
        assert spec.repeated == (spec.path in ("plugins", "orq.knowledge_bases"))
        assert spec.deprecated == (spec.path == "orq.contact")
        assert spec.help.endswith(".")


def _problems(spec: BlockSpec, value: Any) -> Any:
    body: dict[str, Any] = copy.deepcopy(MINIMAL)
    at: Any = body
    *parents, last = spec.path.split(".")
    for parent in parents:
        name = parent.removesuffix("[]")
        at[name] = [{"knowledge_id": "k"}] if parent.endswith("[]") else {}
        at = at[name][0] if parent.endswith("[]") else at[name]
    at[last] = [value] if spec.repeated and value is not None else value
    return check_request(body)
