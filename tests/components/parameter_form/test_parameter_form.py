"""The form as a reader works with it: switches, resets, search, marks, and what a draft keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.form.codecs import LARGEST_EXACT
from components.parameter_form import set_count, widget_key
from tests.components.parameter_form.form_page import FormPage


def header(page: FormPage, group: str) -> str:
    """What stands at the right of a group's header."""
    name = "extra" if group == "Extra fields" else group.lower().replace(" ", "_")
    return page.widget(f"group.{name}.count").markdown[0].value if page.has(f"group.{name}.count") else ""


def test_the_key_of_a_widget_is_the_slot_and_the_path() -> None:
    assert widget_key("a", "orq.retry.count") == "a.orq.retry.count"


# --- three states --------------------------------------------------------------------------------------------------------------------


def test_nothing_set_sends_nothing() -> None:
    assert FormPage().run().body == {}


def test_an_empty_field_names_the_servers_default() -> None:
    page = FormPage(groups=("sampling",))
    assert page.widget("temperature").placeholder == "default 1"


def test_a_number_that_nobody_touched_leaves_as_it_came() -> None:
    page = FormPage({"max_tokens": 16.0, "temperature": 1, "stop": "END"})
    page.set("seed", 7.0)
    assert page.body == {"max_tokens": 16.0, "temperature": 1, "stop": "END", "seed": 7}
    assert isinstance(page.body["max_tokens"], float)


def test_a_whole_number_is_sent_without_a_point_and_a_fraction_as_typed() -> None:
    page = FormPage().set("temperature", 1.0).set("top_p", 0.7)
    assert json.dumps(page.body) == '{"temperature": 1, "top_p": 0.7}'


def test_echo_false_is_not_the_same_as_echo_not_sent() -> None:
    page = FormPage().set("echo", "false")
    assert page.body == {"echo": False}
    assert page.set("echo", "–").body == {}


def test_null_switches_the_widget_off_and_says_so_in_it() -> None:
    page = FormPage({"temperature": 0.7}).set("temperature.null", True)
    assert page.body == {"temperature": None}
    assert page.widget("temperature").disabled
    assert page.widget("temperature").placeholder == "null"


@pytest.mark.parametrize(("path", "value"), [("temperature", 2.5), ("max_tokens", 16.5), ("max_tokens", 0.0), ("n", -3.0), ("top_p", 1.01)])
def test_a_number_out_of_range_reaches_the_draft_and_is_marked_at_its_field(path: str, value: float) -> None:
    page = FormPage().set(path, value)
    assert page.body[path] == value
    assert page.widget(path).value == value
    assert page.widget(path).label == f":red[{path}]"
    assert f"{path} must be" in page.texts()


def test_digits_beyond_what_a_browser_keeps_are_shown_as_text_and_kept() -> None:
    page = FormPage({"seed": LARGEST_EXACT + 2})
    assert page.widget("seed").value == "9007199254740993"
    assert "check the digits" in page.texts()
    assert page.set("seed", "9007199254740995").body == {"seed": 9007199254740995}
    assert page.set("seed", "12").body == {"seed": 12}
    assert page.widget("seed").value == 12


def test_a_number_that_a_browser_rounds_turns_into_text() -> None:
    page = FormPage().set("seed", 2.0**60)
    assert page.body == {"seed": 2**60}
    assert page.widget("seed").value == str(2**60)


def test_a_value_of_another_type_is_shown_as_json_and_can_be_corrected() -> None:
    page = FormPage({"temperature": "warm", "user": ""})
    assert page.widget("temperature").value == '"warm"'
    assert page.widget("user").value == '""'
    assert page.set("temperature", "0.5").body["temperature"] == 0.5
    assert page.set("user", "").body == {"temperature": 0.5}


# --- blocks --------------------------------------------------------------------------------------------------------------------------


def test_switching_a_block_on_fills_in_what_it_cannot_be_without() -> None:
    assert FormPage().set("cache", True).body == {"cache": {"type": "exact_match"}}


def test_a_block_that_may_be_empty_is_sent_as_an_empty_object() -> None:
    page = FormPage().set("retry", True)
    assert page.body == {"retry": {}}
    assert not page.widget("retry.count").value


def test_a_block_that_may_not_be_empty_says_what_is_missing() -> None:
    page = FormPage().set("timeout", True)
    assert page.body == {"timeout": {}}
    assert "call_timeout is required" in page.texts()
    assert header(page, "Cache and timeout") == ":gray[1 set] · :red[1 to correct]"


def test_the_fields_of_a_block_that_is_off_are_folded_away() -> None:
    page = FormPage({"retry": {"count": 2}})
    assert page.has("retry.count")
    assert not page.set("retry", False).has("retry.count")
    assert page.body == {}


def test_switching_a_block_off_and_on_brings_all_of_it_back() -> None:
    body = {"orq": {"knowledge_bases": [{"knowledge_id": "kb", "rerank_config": {"model": "m"}, "top_k": None}]}}
    page = FormPage(body).set("orq.knowledge_bases", False)
    assert page.body == {}
    assert page.set("orq.knowledge_bases", True).body == body


def test_clearing_the_last_field_keeps_the_block_on() -> None:
    assert FormPage({"retry": {"count": 2}}).set("retry.count", None).body == {"retry": {}}


def test_thinking_may_be_null_and_comes_back() -> None:
    page = FormPage({"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 4000}).set("thinking.null", True)
    assert page.body["thinking"] is None
    assert page.set("thinking.null", False).body["thinking"] == {"type": "enabled", "budget_tokens": 2048}


def test_fields_that_belong_to_another_choice_are_hidden_unless_they_are_set() -> None:
    page = FormPage({"thinking": {"type": "adaptive"}})
    assert not page.has("thinking.budget_tokens")
    page.set("thinking.type", "enabled")
    assert page.has("thinking.budget_tokens")
    page.set("thinking.budget_tokens", 2048.0).set("thinking.type", "disabled")
    assert page.has("thinking.budget_tokens")
    assert page.body["thinking"] == {"type": "disabled", "budget_tokens": 2048}


def test_items_are_added_duplicated_and_removed_with_what_waits_on_their_shelf() -> None:
    page = FormPage().set("orq.knowledge_bases", True)
    page.set("orq.knowledge_bases.0.knowledge_id", "one").click("orq.knowledge_bases.add")
    page.set("orq.knowledge_bases.1.knowledge_id", "two").set("orq.knowledge_bases.1.rerank_config", True)
    page.set("orq.knowledge_bases.1.rerank_config.model", "local/pydoc").set("orq.knowledge_bases.1.rerank_config", False)
    page.click("orq.knowledge_bases.0.duplicate")
    assert [item["knowledge_id"] for item in page.body["orq"]["knowledge_bases"]] == ["one", "one", "two"]
    page.click("orq.knowledge_bases.0.remove").click("orq.knowledge_bases.0.remove")
    assert page.body == {"orq": {"knowledge_bases": [{"knowledge_id": "two"}]}}
    assert page.widget("orq.knowledge_bases.0.knowledge_id").value == "two"
    page.set("orq.knowledge_bases.0.rerank_config", True)
    assert page.body["orq"]["knowledge_bases"][0]["rerank_config"] == {"model": "local/pydoc"}


def test_a_removed_item_can_be_brought_back() -> None:
    body = {"orq": {"knowledge_bases": [{"knowledge_id": "one"}, {"knowledge_id": "two"}]}}
    page = FormPage(body).click("orq.knowledge_bases.0.remove")
    assert page.click("undo").body == body


# --- lists ---------------------------------------------------------------------------------------------------------------------------


def test_a_stop_may_be_whitespace_and_shows_it() -> None:
    page = FormPage().set("stop", ["\\n\\n", "␣END", "\\t"])
    assert page.body == {"stop": ["\n\n", " END", "\t"]}
    assert page.widget("stop").value == ["\\n\\n", "␣END", "\\t"]


def test_a_single_stop_that_came_as_text_stays_text_until_there_are_two() -> None:
    page = FormPage({"stop": "a"})
    assert page.set("stop", ["b"]).body == {"stop": "b"}
    assert page.set("stop", ["b", "c"]).body == {"stop": ["b", "c"]}
    assert page.set("stop", ["b"]).body == {"stop": ["b"]}


def test_a_bad_code_is_kept_as_typed_and_marked() -> None:
    page = FormPage().set("fallback_on_codes", ["429", "often"])
    assert page.body == {"fallback_on_codes": [429, "often"]}
    assert page.widget("fallback_on_codes").label == ":red[fallback_on_codes]"


def test_fallbacks_keep_their_order() -> None:
    page = FormPage().set("fallbacks", ["z/last", "local/pydoc"])
    assert page.body == {"fallbacks": [{"model": "z/last"}, {"model": "local/pydoc"}]}


def test_more_fallbacks_than_five_are_marked() -> None:
    page = FormPage().set("fallbacks", [f"m/{number}" for number in range(6)])
    assert len(page.body["fallbacks"]) == 6
    assert page.widget("fallbacks").label == ":red[fallbacks]"


def test_a_model_is_added_to_the_balancer_from_the_picker_and_weighed_in_the_table() -> None:
    page = FormPage().set("load_balancer", True).set("load_balancer.models.add", "local/pydoc")
    page.set("load_balancer.models.add", "x/free-typed")
    page.edit_table("load_balancer.models", 0, weight=0.4).edit_table("load_balancer.models", 1, weight=7)
    assert page.body["load_balancer"]["models"] == [{"model": "local/pydoc", "weight": 0.4}, {"model": "x/free-typed", "weight": 7}]
    assert "weight must be" in page.texts()


def test_inputs_change_between_object_and_list_without_losing_what_only_a_list_holds() -> None:
    listed = [{"key": "name", "value": "Ada", "is_pii": True}]
    page = FormPage({"orq": {"inputs": listed}}).set("orq.inputs.shape", "object")
    assert page.body == {"orq": {"inputs": {"name": "Ada"}}}
    assert page.set("orq.inputs.shape", "list").body == {"orq": {"inputs": listed}}
    assert page.set("orq.inputs.shape", "–").body == {}
    assert page.set("orq.inputs.shape", "list").body == {"orq": {"inputs": listed}}


def test_personal_data_is_ticked_in_the_table() -> None:
    page = FormPage({"orq": {"inputs": [{"key": "name", "value": "Ada"}]}})
    page.edit_table("orq.inputs", 0, is_pii=True)
    assert page.body["orq"]["inputs"] == [{"key": "name", "value": "Ada", "is_pii": True}]


def test_a_list_that_no_table_can_show_is_edited_as_json() -> None:
    page = FormPage({"orq": {"identity": {"id": "x", "metadata": [1]}}})
    page.set("orq.identity.metadata.json", '[{"plan": "pro"}]')
    assert page.body["orq"]["identity"]["metadata"] == [{"plan": "pro"}]
    assert page.has("orq.identity.metadata")


# --- filters -------------------------------------------------------------------------------------------------------------------------

FILTER = "orq.knowledge_bases.0.filter_by"


def filter_page(value: object = None) -> FormPage:
    item = {"knowledge_id": "kb"} if value is None else {"knowledge_id": "kb", "filter_by": value}
    return FormPage({"model": "m", "prompt": "p", "orq": {"knowledge_bases": [item]}}, groups=("knowledge",))


def filter_of(page: FormPage) -> object:
    return page.body["orq"]["knowledge_bases"][0].get("filter_by")


def test_a_filter_is_built_row_by_row() -> None:
    page = (
        filter_page()
        .set(FILTER, "and")
        .set(f"{FILTER}.0.field", "year")
        .set(f"{FILTER}.0.operator", "gte")
        .set(f"{FILTER}.0.value", "2020")
    )
    page.click(f"{FILTER}.add").set(f"{FILTER}.1.field", "lang").set(f"{FILTER}.1.operator", "in").set(f"{FILTER}.1.value", "de, en")
    assert filter_of(page) == {"and": [{"year": {"gte": 2020}}, {"lang": {"in": ["de", "en"]}}]}
    assert filter_of(page.set(FILTER, "fields")) == {"year": {"gte": 2020}, "lang": {"in": ["de", "en"]}}
    assert filter_of(page.click(f"{FILTER}.0.remove")) == {"lang": {"in": ["de", "en"]}}


def test_no_second_row_is_offered_while_one_has_no_field() -> None:
    assert not filter_page().set(FILTER, "fields").has(f"{FILTER}.add")


def test_a_filter_goes_to_json_and_back() -> None:
    page = filter_page({"year": {"gte": 2020}}).set(FILTER, "JSON")
    assert json.loads(page.widget(f"{FILTER}.json").value) == {"year": {"gte": 2020}}
    page.set(f"{FILTER}.json", '{"or": [{"year": {"lt": 5}}]}')
    assert filter_of(page) == {"or": [{"year": {"lt": 5}}]}
    page.set(FILTER, "or")
    assert page.widget(f"{FILTER}.0.operator").value == "lt"


def test_what_is_no_json_is_kept_as_typed_and_marked_until_it_is() -> None:
    page = filter_page({"year": {"gte": 2020}}).set(FILTER, "JSON").set(f"{FILTER}.json", '{"year": ')
    assert page.widget(f"{FILTER}.json").value == '{"year": '
    assert "This is not JSON at line 1" in page.texts()
    assert page.at.session_state["draft"]["body"]["orq"]["knowledge_bases"][0]["filter_by"] == '{"year": '
    page.set(FILTER, "and")
    assert page.widget(f"{FILTER}.json").value == '{"year": '
    assert filter_of(page.set(f"{FILTER}.json", '{"year": {"eq": 1}}').set(FILTER, "and")) == {"and": [{"year": {"eq": 1}}]}


def test_a_filter_switched_off_comes_back() -> None:
    page = filter_page({"a": {"eq": 1}}).set(FILTER, "–")
    assert filter_of(page) is None
    assert filter_of(page.set(FILTER, "and")) == {"and": [{"a": {"eq": 1}}]}


def test_a_wrong_value_is_marked_at_the_filter() -> None:
    page = filter_page({"and": [{"year": {"gte": "soon"}}]})
    assert page.widget(FILTER).label == ":red[filter_by]"
    assert "must be a number" in page.texts()


# --- marks ---------------------------------------------------------------------------------------------------------------------------


def test_the_loser_of_twins_says_so() -> None:
    page = FormPage({"retry": {"count": 1}, "orq": {"retry": {"count": 2}}})
    assert "retry and orq.retry are both set" in page.texts()


def test_deprecated_blocks_are_marked_and_work() -> None:
    page = FormPage().set("orq.contact", True).set("orq.contact.id", "c1")
    assert page.body == {"orq": {"contact": {"id": "c1"}}}
    assert ":orange-badge[deprecated]" in page.widget("orq.contact").label


def test_what_an_openai_compatible_server_does_not_understand_is_marked_and_still_sent() -> None:
    page = FormPage({"retry": {"count": 2}}, kind="openai")
    assert "not understood by this server" in page.widget("retry").label
    assert "not understood" not in page.widget("temperature").label
    assert page.body == {"retry": {"count": 2}}
    assert "not understood" not in FormPage().widget("retry").label


def test_a_group_opens_when_a_problem_appears_in_it_and_may_be_closed_again() -> None:
    page = FormPage(groups=())
    assert not page.has("retry")
    page.replace({"retry": {"count": 9}})
    assert page.widget("retry.count").value == 9
    page.at.session_state["a.group.routing"] = False
    page.run()
    assert not page.has("retry")
    assert "1 to correct" in header(page, "Routing")


@pytest.mark.parametrize(
    ("body", "path", "rest"),
    [
        ({"top_q": 1, "seed": 2}, "top_q", {"seed": 2}),
        ({"orq": {"nam": "x", "name": "y"}}, "orq.nam", {"orq": {"name": "y"}}),
        ({"retry": {"counts": 2}}, "retry.counts", {"retry": {}}),
        ({"orq": {"knowledge_bases": [{"topk": 1}]}}, "orq.knowledge_bases.0.topk", {"orq": {"knowledge_bases": [{}]}}),
        ({"orq": 5}, "orq", {}),
    ],
)
def test_a_field_the_contract_does_not_know_is_marked_and_can_be_taken_out(body: dict[str, Any], path: str, rest: dict[str, Any]) -> None:
    page = FormPage(body)
    assert path.rpartition(".")[2] in page.texts()
    assert page.click(f"{path}.reset").body == rest


def test_hostile_text_is_shown_as_text() -> None:
    page = FormPage({"orq": {"knowledge_bases": [{"knowledge_id": "kb", "search_type": "![x](http://evil) :red[x]"}]}})
    assert "![x](http://evil)" not in "\n".join(element.value for element in page.at.markdown)


# --- finding and resetting -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("query", "found"), [("TOP_P", "top_p"), ("frequency", "frequency_penalty"), ("retry count", "retry")])
def test_search_finds_by_name_and_help_in_closed_groups_too(query: str, found: str) -> None:
    page = FormPage(groups=()).set("search", query)
    assert page.has(found)
    assert not page.has("seed")


def test_a_search_without_result_says_so() -> None:
    page = FormPage().set("search", "no such thing")
    assert "No parameter matches “no such thing”." in page.texts()


def test_only_what_i_set_shows_only_that() -> None:
    page = FormPage({"top_p": 0.5, "retry": {"count": 2}}, groups=()).set("only_set", True)
    assert page.has("top_p")
    assert page.has("retry.count")
    assert not page.has("temperature")
    assert not page.has("retry.on_codes")


def test_the_box_of_extra_fields_shows_among_what_is_set_only_when_it_holds_something() -> None:
    assert not FormPage({"top_p": 0.5}).set("only_set", True).has("extra")
    assert FormPage({"top_p": 0.5}, extra='{"logit_bias": {}}').set("only_set", True).has("extra")


def test_each_header_counts_what_is_set() -> None:
    page = FormPage({"top_p": 0.5, "temperature": None, "retry": {}})
    assert header(page, "Sampling") == ":gray[2 set]"
    assert header(page, "Routing") == ":gray[1 set]"
    assert header(page, "Knowledge") == ""
    assert set_count(page.body, "Sampling") == 2


def test_one_text_field_is_reset_by_its_button_which_is_there_only_when_it_is_set() -> None:
    page = FormPage({"user": "u", "name": "n"})
    assert page.click("user.reset").body == {"name": "n"}
    assert not page.has("user.reset")


def test_reset_all_keeps_model_and_prompt_and_can_be_undone() -> None:
    body = {"model": "local/pydoc", "prompt": "p", "top_p": 0.5, "orq": {"name": "x"}}
    page = FormPage(body, extra='{"logit_bias": {}}').click("reset_all")
    assert page.body == {"model": "local/pydoc", "prompt": "p"}
    assert page.draft["extra"] == ""
    page.click("undo")
    assert page.body == body
    assert page.draft["extra"] == '{"logit_bias": {}}'


def test_undo_is_gone_after_the_next_edit_which_it_would_lose() -> None:
    page = FormPage({"top_p": 0.5}).click("reset_all").set("seed", 3.0)
    assert not page.has("undo")


# --- extra fields --------------------------------------------------------------------------------------------------------------------


def test_extra_fields_are_kept_as_typed() -> None:
    page = FormPage().set("extra", '{"logit_bias": {}}')
    assert page.draft["extra"] == '{"logit_bias": {}}'


@pytest.mark.parametrize(
    ("text", "message"), [("{oops", "not JSON"), ('{"temperature": 1}', "has a field of its own"), ("[]", "JSON object")]
)
def test_bad_extra_fields_are_kept_and_marked_at_the_box(text: str, message: str) -> None:
    page = FormPage().set("extra", text)
    assert page.draft["extra"] == text
    assert message in page.texts()
    assert "1 to correct" in header(page, "Extra fields")


# --- drafts --------------------------------------------------------------------------------------------------------------------------


def test_a_draft_put_in_place_of_another_shows_at_once() -> None:
    page = FormPage({"temperature": 0.7, "retry": {"count": 2}, "stop": ["a"]})
    page.replace({"temperature": 0.2, "stop": ["b"]})
    assert page.widget("temperature").value == 0.2
    assert page.widget("stop").value == ["b"]
    assert page.body == {"temperature": 0.2, "stop": ["b"]}


def test_a_table_forgets_its_edits_when_the_draft_is_replaced() -> None:
    page = FormPage({"orq": {"inputs": {"a": 1}}}).edit_table("orq.inputs", 0, value="2")
    assert page.body == {"orq": {"inputs": {"a": 2}}}
    page.replace({"orq": {"inputs": {"b": 7}}})
    assert page.run().body == {"orq": {"inputs": {"b": 7}}}


def test_a_disabled_form_can_be_read_but_not_changed() -> None:
    page = FormPage({"temperature": 0.7})
    page.at.session_state["off"] = True
    page.run()
    assert page.widget("temperature").disabled
    assert page.widget("retry").disabled


def test_collecting_twice_is_as_collecting_once() -> None:
    """Run's callback collects, and so does the script after it."""
    from streamlit.testing.v1 import AppTest

    def script() -> None:
        import streamlit as st

        from components.parameter_form import collect, parameter_form

        state = st.session_state
        state.setdefault("draft", {"body": {"load_balancer": {"type": "weight_based"}, "stop": "a"}, "extra": ""})
        state["a.group.routing"] = True
        state["draft"] = collect("a", collect("a", state["draft"]))
        parameter_form("a", state["draft"], (), models=["m"], kind="local")

    at = AppTest.from_function(script).run()
    at.selectbox(key="a.load_balancer.models.add").set_value("m")
    at.multiselect(key="a.stop").set_value(["\\n"])
    at.toggle(key="a.retry").set_value(True)
    at.run()
    assert at.session_state["draft"]["body"] == {
        "load_balancer": {"type": "weight_based", "models": [{"model": "m"}]},
        "stop": "\n",
        "retry": {},
    }
