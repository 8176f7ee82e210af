"""A blind vote in a browser: nothing that reaches it tells whose an answer is, until the reveal."""

from __future__ import annotations

from playwright.sync_api import Response, WebSocket, expect

from core.comparison.votes import votes_of
from core.storage.comparison_repository import ComparisonRepository
from core.storage.database import Database
from tests.browser.conftest import Opener
from tests.browser.test_compare import Compare
from tests.support.app_process import AppProcess
from tests.support.conditions import eventually
from tests.support.playground_page import COLD_MS, WITHIN_MS, PlaygroundPage
from tests.support.replay import Replay, Script

CANARIES = ("name-canary-7", "0.73219")
"""The name of a slot, and a temperature that only it has."""


def _answers(page: PlaygroundPage) -> list[str]:
    return page.keyed("blind-answers").locator("code").all_inner_texts()


def test_nothing_tells_whose_an_answer_is_before_the_reveal(scripted_playground: AppProcess, replay: Replay, open_page: Opener) -> None:
    page = open_page(scripted_playground.url, fresh=True)
    page.expected_problems.append("/compare/_stcore/")
    received: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: received.append(data if isinstance(data, str) else data.decode("utf-8", "replace")))

    def keep(response: Response) -> None:
        received.append(response.url)

    page.page.context.on("page", lambda tab: tab.on("websocket", listen))
    page.page.on("websocket", listen)
    page.page.context.on("response", keep)
    page.open()
    page.page.get_by_role("link", name="Compare").click()
    page.keyed("slot-compare-b").wait_for()
    compare = Compare(page.idle())
    models = {letter: replay.add(Script.of(f"an answer of {number} words, and then it ends")) for number, letter in enumerate("ab", 7)}
    compare.prompt("first").models(**models)
    compare.press("more-compare-b")
    page.keyed("name-compare-b").locator("input").fill(CANARIES[0])
    page.keyed("name-compare-b").locator("input").press("Enter")
    page.idle()
    page.page.keyboard.press("Escape")
    compare.settings("b").set_field("temperature", float(CANARIES[1]))
    compare.press("edit-compare-b").press("compare.checks").press("compare.vote")
    page.keyed("blind.prompt").locator("textarea").wait_for()
    received.clear()
    page.keyed("blind.prompt").locator("textarea").fill("which is best?")
    page.keyed("blind.run").locator("button:visible").click()
    first = page.keyed("blind-answer-1").locator("code")
    expect(first).to_contain_text("an answer of", timeout=WITHIN_MS)
    page.idle()
    calls = {letter: replay.call(model) for letter, model in models.items()}
    assert {call.body["prompt"] for call in calls.values()} == {"which is best?"}
    assert any("an answer of 7 words" in text for text in received)  # it would be seen here, if anything were told
    in_order = _answers(page)
    seen = [page.page.content(), page.page.url]
    received.append("the page is loaded again")
    page.page.reload()
    page.keyed("blind.pick.1").locator("button:visible").wait_for(timeout=COLD_MS)
    beside = open_page(scripted_playground.url, same_as=page)
    beside.expected_problems.append("/compare/_stcore/")
    beside.page.goto(page.page.url)
    beside.keyed("blind.pick.1").locator("button:visible").wait_for(timeout=COLD_MS)
    assert [_answers(page.idle()), _answers(beside.idle())] == [in_order, in_order]
    assert any("an answer of 7 words" in text for text in received[received.index("the page is loaded again") :])
    seen += [page.page.content(), beside.page.content(), beside.page.url, *received]
    beside.page.close()
    stored = ComparisonRepository(Database.of(scripted_playground.data_dir, None))
    link = page.query["compare"]
    runs = eventually(lambda: (kept := stored.find(link)) and kept.run_ids, what="the comparison to be stored")
    secrets = (*models.values(), *CANARIES, *runs, "compare-a", "compare-b", "tokens/s", "first token")
    assert [secret for secret in secrets if any(secret in text for text in seen)] == []
    page.keyed("blind.pick.1").locator("button:visible").click()
    page.keyed("blind.reveal").locator("button:visible").wait_for()
    assert [secret for secret in secrets if any(secret in text for text in [page.page.content(), *received])] == []
    page.keyed("blind.reveal").locator("button:visible").click()
    expect(page.page.get_by_text(CANARIES[0]).first).to_be_visible(timeout=WITHIN_MS)
    eventually(lambda: (kept := stored.find(link)) and len(votes_of(kept.parts.get("votes"))) == 1, what="the vote to be stored")
    page.keyed("blind.leave").locator("button:visible").click()
    compare.panel("a").wait_for_text("an answer of 7 words")
    expect(page.keyed("compare-votes")).to_contain_text("was picked in 1 of 1 vote", timeout=WITHIN_MS)
