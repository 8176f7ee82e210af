"""What each field of the plug-in does, through the official client's four ways to ask."""

from __future__ import annotations

from typing import Any

import pytest
from orq_ai_sdk import Orq

from core.local_router.server import LocalRouter
from tests.core.local_router.effects.conftest import Asker

shows = pytest.mark.shows
PROMPT = "Write to jane@example.com or look at python.org/docs"


def hidden(seen: Any) -> dict[str, int]:
    entities: dict[str, int] = seen.event("pii")["entities"]
    return entities


def plugin(**fields: Any) -> dict[str, Any]:
    return {"plugins": [{"id": "pii_redaction", **fields}], "echo": True, "max_tokens": 4, "prompt": PROMPT}


@shows("plugins[].id")
def test_values_are_hidden_from_the_model_and_come_back(ask: Asker):
    with_it, without = ask(**plugin()), ask(prompt=PROMPT, echo=True, max_tokens=4)
    assert hidden(with_it) == {"EMAIL_ADDRESS": 1}
    assert with_it.text.startswith(PROMPT)
    assert with_it.usage["prompt_tokens"] != without.usage["prompt_tokens"]  # the model read the placeholder
    assert without.events("pii") == []


@shows("plugins[].entities[]")
def test_entities_are_all_that_is_hidden(ask: Asker):
    assert hidden(ask(**plugin(entities=["IBAN_CODE"]))) == {}
    assert hidden(ask(**plugin(entities=["EMAIL_ADDRESS"]))) == {"EMAIL_ADDRESS": 1}


@shows("plugins[].regions[]")
def test_regions_select_their_kinds(ask: Asker):
    asked = {"prompt": "PESEL 44051401359"}
    assert hidden(ask(**plugin(regions=["pl"]) | asked)) == {"PL_PESEL": 1}
    assert hidden(ask(**plugin(regions=["us"]) | asked)) == {}


@shows("plugins[].threshold")
def test_threshold_says_how_sure_is_sure_enough(ask: Asker):
    assert hidden(ask(**plugin(threshold=0.4))) == {"EMAIL_ADDRESS": 1, "URL": 1}
    assert hidden(ask(**plugin(threshold=0.9))) == {"EMAIL_ADDRESS": 1}


@shows("plugins[].entity_thresholds{}")
def test_an_entitys_own_threshold_wins(ask: Asker):
    asked = {"entities": ["EMAIL_ADDRESS", "URL"], "threshold": 0.9}
    assert hidden(ask(**plugin(**asked, entity_thresholds={"URL": 0.3}))) == {"EMAIL_ADDRESS": 1, "URL": 1}
    assert hidden(ask(**plugin(**asked))) == {"EMAIL_ADDRESS": 1}


@shows("plugins[].language")
def test_language_says_which_words_tell_a_kind(ask: Asker):
    asked = {"prompt": "sitio: python.org/docs"}
    assert hidden(ask(**plugin(language="es") | asked)) == {"URL": 1}
    assert hidden(ask(**plugin(language="nl") | asked)) == {}


@shows("plugins[].on_failure")
def test_on_failure_blocks_or_lets_pass(ask: Asker):
    blocked = ask(**plugin(language="tlh"))
    assert (blocked.status, blocked.event("pii")["result"], blocked.trace["attempts"]) == (400, "blocked", 0)
    passed = ask(**plugin(language="tlh", on_failure="passthrough"))
    assert (passed.status, passed.event("pii")["result"]) == (200, "passed_through")
    assert "tlh" in passed.event("pii")["reason"]


def test_input_marked_as_personal_is_hidden_whatever_it_is(ask: Asker):
    inputs = [{"key": "who", "value": "Ada of Ockham", "is_pii": True}, {"key": "what", "value": "a poem"}]
    seen = ask(**plugin(entities=["URL"]) | {"prompt": "Greet {{who}} with {{what}}", "orq": {"inputs": inputs}})
    assert hidden(seen) == {"INPUT": 1}
    assert seen.text.startswith("Greet Ada of Ockham with a poem")
    assert "Ockham" not in str(seen.trace)


def test_official_client_reads_the_capabilities(patient_router: LocalRouter):
    with Orq(api_key="sk-any", server_url=patient_router.base_url) as orq:
        read = orq.pii.capabilities()
    assert "nl" in read.languages
    assert "NL_BSN" not in read.base_entities
    assert "NL_BSN" in read.all_entities
    assert read.region_entities["nl"].entities == ["NL_BSN"]
    assert {"nl", "all"} <= set(read.regions)
    assert (read.default_threshold, read.max_text_chars) == (0.5, 1_000_000)
