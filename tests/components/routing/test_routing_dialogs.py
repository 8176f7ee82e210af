"""What Rehearse and Weights say."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from components.routing.rehearsal import outcome, worst
from components.routing.weights import table
from core.rehearsal import rehearse
from core.shares_seen import shares_seen
from tests.core.test_shares_seen import BALANCED, runs


@pytest.mark.parametrize(
    ("routing", "said"),
    [
        (
            {"timeout": {"call_timeout": 1000}},
            ["Most billed attempts: 1 (1 on one model).", "Worst wall time: 1.00 s, all of it for the attempts."],
        ),
        (
            {"retry": {"count": 3}, "fallbacks": [{"model": "b"}], "timeout": {"call_timeout": 10_000}},
            [
                "Most billed attempts: 8 (4 on each of 2 models).",
                "Worst wall time: 1 min 38 s, 1 min 20 s of it for the attempts and 17.50 s for the waits between them.",
                "A provider whose Retry-After asks for a longer wait makes it longer.",
            ],
        ),
        ({"fallbacks": [{"model": "b"}]}, ["Most billed attempts: 2 (1 on each of 2 models).", "Worst wall time: unlimited"]),
        (
            {"retry": {"count": 1}},
            ["Most billed attempts: 2", "no timeout.call_timeout ends an attempt; at most 1.25 s for the waits", "A provider"],
        ),
    ],
    ids=["timeout", "all", "fallback", "retry"],
)
def test_worst_case_in_sentences(routing: dict[str, Any], said: list[str]) -> None:
    sentences = list(worst(rehearse({"model": "a", **routing}).worst))
    assert len(sentences) == len(said)
    assert all(part in sentence for part, sentence in zip(said, sentences, strict=True))


def test_outcome_in_a_sentence() -> None:
    assert outcome(rehearse({"model": "a", "retry": {}})).startswith("a answered after")
    assert outcome(rehearse({"model": "a"})) == "The request failed with 429 after 80 ms and 1 of at most 1 attempts."


def test_shares_in_a_table() -> None:
    found = shares_seen(BALANCED, runs(10, 30))
    assert found is not None
    shown = table(found).replace("\u00a0", " ").replace("\\", "")
    assert "| a | 25 % |" in shown
    assert "25 % (14–40 %) |" in shown
    assert "Seen (n = 40)" in shown


def page() -> None:
    from components.routing.rehearsal import rehearsal
    from components.routing.weights import weights
    from tests.core.test_shares_seen import BALANCED, runs

    body = {"model": "a", "retry": {"count": 2}, "fallbacks": [{"model": "<b onclick=x>**b**"}], **BALANCED}
    rehearsal(body, key="a")
    weights(body, runs(3, 9), key="a")


def test_dialogs_are_computed_when_they_are_opened_only() -> None:
    at = AppTest.from_function(page).run()
    assert not at.markdown
    at.get_by_key("rehearse-a").click().run()
    assert not at.exception
    shown = "\n".join(element.value for element in at.markdown)
    assert "Most billed attempts: 6" in shown.replace("\\", "")
    assert "| \\<b onclick" in shown, "a name is escaped"
    at.get_by_key("weights-a").click().run()
    assert not at.exception
    assert any("agree with the weights" in element.value for element in at.markdown)
