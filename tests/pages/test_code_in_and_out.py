"""The dialogs of *Import* and *View code* on both pages, through Streamlit's AppTest.

AppTest runs a dialog's body when its opener is pressed and not again, so what is pasted is put into the session before that.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.connection import DEFAULT_PATHS, Connection
from core.snippets import call_to, language, languages
from tests.pages.test_compare import Page as Compare
from tests.pages.test_playground import Page as Playground
from tests.support.replay import Replay, Script

URL = "https://my.orq.ai/v2/router/completions"
PASTED: dict[str, Any] = {"model": "a/b", "prompt": "It's *pasted*", "top_p": 0.4, "logit_bias": {"1": 2}, "temperature": 9}
COMMAND = f"curl {URL} -H 'Authorization: Bearer sk-canary-0123456789' -d '" + json.dumps(PASTED).replace("'", "'\\''") + "'"
TAKEN = {"model": "a/b", "prompt": "It's *pasted*", "top_p": 0.4}


def in_playground(replay: Replay, text: str) -> Playground:
    page = Playground(replay).say("before/it", "Mine").set("a.seed", 5)
    page.at.session_state["import-text-a"] = text
    return page.click("import-a-open")


def test_report_says_what_became_of_each_field_before_anything_is_changed(replay: Replay) -> None:
    page = in_playground(replay, COMMAND)
    assert "Read as curl: 3 understood, 1 kept raw, 1 rejected, 1 secrets removed" in page.words
    assert "temperature** :red[:material/block: rejected] · temperature must be between 0 and 2, got 9" in page.words
    assert "logit_bias** :blue[:material/extension: kept raw]" in page.words
    assert "Removed: the header Authorization" in page.words
    assert f"It went to {URL}" in page.words.replace("\u2060", "")
    assert "canary" not in page.words
    kept = page.at.session_state["session.draft.a"]["body"]
    assert (kept["model"], kept["prompt"], kept["seed"], "top_p" in kept) == ("before/it", "Mine", 5, False)


def test_run_has_no_shortcut_while_a_call_is_pasted(replay: Replay) -> None:
    page = in_playground(replay, COMMAND)
    assert page.at.get_by_key("run").proto.shortcut == ""
    assert page.click("import-apply-a").at.get_by_key("run").proto.shortcut


def test_apply_fills_the_draft_and_undo_brings_the_former_one_back(replay: Replay) -> None:
    page = in_playground(replay, COMMAND)
    former = page.at.session_state["session.draft.a"]
    page.click("import-apply-a")
    draft = page.at.session_state["session.draft.a"]
    assert (draft["body"], json.loads(draft["extra"])) == (TAKEN, {"logit_bias": {"1": 2}})
    assert (page.at.get_by_key("a.prompt").value, page.at.get_by_key("a.top_p").value) == ("It's *pasted*", 0.4)
    assert "Imported from curl: 3 understood, 1 kept raw, 1 rejected, 1 secrets removed" in page.words
    page.click("import-undo-a")
    restored = page.at.session_state["session.draft.a"]
    assert (restored["body"], restored["extra"]) == (former["body"], former["extra"])
    assert page.at.get_by_key("a.prompt").value == "Mine"
    assert "Imported from" not in page.words


def test_what_holds_no_call_is_said_and_cannot_be_applied(replay: Replay) -> None:
    page = in_playground(replay, "hello")
    assert "There is no call in this that could be read." in page.words
    assert not [button for button in page.at.button if button.key == "import-apply-a"]
    page = in_playground(replay, f"curl {URL} -d @body.json")
    assert "it is in the file body.json" in page.words
    assert page.at.get_by_key("import-apply-a").disabled


def test_call_is_imported_into_a_slot_of_a_comparison_alone_and_undone(replay: Replay) -> None:
    model = replay.add(Script.of("one"))
    mine = {"model": model, "prompt": "Shared", "stream": True}
    page = Compare(replay, mine, {**mine, "seed": 3})
    page.at.session_state["import-text-compare-b"] = COMMAND
    page.open("more-compare-b").click("import-open-compare-b")
    assert "Read as curl: 3 understood, 1 kept raw, 1 rejected, 1 secrets removed" in page.words
    before = page.board
    page.click("import-apply-compare-b")
    slots = page.board["slots"]
    assert (slots[1]["draft"]["body"], slots[1]["own_prompt"]) == (TAKEN, True)
    assert slots[0] == before["slots"][0]
    assert page.board["prompt"] == "Shared"
    assert "Imported from curl: 3 understood, 1 kept raw, 1 rejected, 1 secrets removed" in page.words
    page.click("compare.undo")
    assert "Imported from" not in page.words
    assert [slot["draft"]["body"] for slot in page.board["slots"]] == [slot["draft"]["body"] for slot in before["slots"]]
    assert not replay.calls(model)


def shown_code(page: Any) -> list[str]:
    return [block.value for block in page.at.code]


@pytest.mark.parametrize("chosen", ["curl", "orq-python", "httpx-async", "fetch", "curl-cmd", "json"])
def test_code_of_the_playground_is_what_the_draft_would_send(replay: Replay, chosen: str) -> None:
    page = Playground(replay).say("a/b", "Say it").set("a.temperature", 0.5)
    call = call_to(
        {"model": "a/b", "prompt": "Say it", "max_tokens": 200, "temperature": 0.5, "stream": True},
        Connection("Orq", "orq", replay.url, DEFAULT_PATHS["orq"]),
    )
    page.at.session_state["code-a"] = True
    page.run()
    picker: Any = page.at.get_by_key("code-language-a")
    assert picker.options == [one.label for one in languages(call)]
    page.at.session_state["code-a"] = True
    picker.select_index(picker.options.index(language(chosen).label))
    page.run()
    assert language(chosen).write(call) in shown_code(page)


def test_code_of_a_slot_is_what_that_slot_would_send(replay: Replay) -> None:
    page = Compare(replay, {"model": "a/b", "prompt": "p"}, {"model": "c/d", "prompt": "p", "seed": 3})
    page.open("more-compare-b").click("code-open-compare-b")
    (code,) = [text for text in shown_code(page) if text.startswith("curl ")]
    assert '"model": "c/d"' in code
    assert '"seed": 3' in code
    assert "a/b" not in code
    assert replay.url in code
