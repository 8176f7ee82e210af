"""The Knowledge page through Streamlit's AppTest, on a router of its own: searching, switching off, filling and deleting."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.local_router.server import LocalRouter
from tests.support.script_page import ScriptPage, talking_to
from tests.support.server_thread import served

ITEM = "orq.knowledge_bases.0"
NOTES = {
    "otter.txt": "The otter hunts crabs at night and sleeps by the river.",
    "heron.txt": "The heron waits for fish in the river.",
    "mole.txt": "The mole digs tunnels and eats worms.",
    "swift.txt": "The swift catches insects at dusk.",
    "newt.txt": "The newt sleeps under stones.",
}


class Page(ScriptPage):
    """The Knowledge page; ``in_shell`` with the navigation around it, where another page can be gone to."""

    SAYS = ("markdown", "caption", "info", "error", "text")

    def __init__(self, base_url: str, item: dict[str, Any] | None = None, *, in_shell: bool = False) -> None:
        draft = {} if item is None else {"session.draft.k": {"body": {"orq": {"knowledge_bases": [item]}}, "extra": "", "shelf": {}}}
        super().__init__("shell.py" if in_shell else "knowledge.py", session=talking_to(base_url) | draft, timeout_s=60)
        if in_shell:
            self.at.switch_page("knowledge.py")
        self.run()

    @property
    def buttons(self) -> list[str]:
        return [button.key for button in self.at.button if button.key]

    def off_buttons(self) -> list[str]:
        return [key for key in self.buttons if key.startswith("knowledge.off.")]

    @property
    def found(self) -> list[str]:
        return [element.value for element in self.at.text]


@pytest.fixture(scope="module")
def router() -> Iterator[LocalRouter]:
    """A router with the base ``notes``, searched by words unless a request says otherwise."""
    with LocalRouter(api_key="", pace=0).running() as running, httpx.Client(base_url=running.base_url, timeout=30) as client:
        settings = {"retrieval_type": "keyword_search"}
        client.post("/v2/knowledge", json={"key": "notes", "retrieval_settings": settings}).raise_for_status()
        for name, text in NOTES.items():
            sent = {"name": name, "content_base64": base64.b64encode(text.encode()).decode(), "metadata": {"letters": len(name)}}
            client.post("/v2/knowledge/notes/documents", json=sent).raise_for_status()
        yield running


@pytest.fixture
def http(router: LocalRouter) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=router.base_url, timeout=30) as client:
        yield client


@pytest.fixture
def notes(http: httpx.Client) -> str:
    """The id of ``notes``."""
    base: str = http.get("/v2/knowledge/notes").json()["_id"]
    return base


def names(http: httpx.Client, base: str) -> list[str]:
    return [row["display_name"] for row in http.get(f"/v2/knowledge/{base}/datasources").json()["data"]]


def test_a_new_visitor_starts_at_the_built_in_base_and_is_told_what_to_do(router: LocalRouter) -> None:
    page = Page(router.base_url)
    assert page.widget(f"k.{ITEM}.knowledge_id").value == "python-reference"
    assert "Python's language reference" in page.words
    assert "Type what to search for" in page.words


def test_matches_are_shown_with_scores_and_metadata_before_anything_is_generated(router: LocalRouter, notes: str) -> None:
    page = Page(router.base_url, {"knowledge_id": notes}).set(f"k.{ITEM}.query", "night crabs")
    assert page.found == [NOTES["otter.txt"]]
    assert "1 · otter.txt, part 1" in page.words.replace("**", "")
    assert "letters 9" in page.words


def test_settings_of_the_search_are_the_requests_own_fields(router: LocalRouter, notes: str) -> None:
    page = Page(router.base_url, {"knowledge_id": notes}).set(f"k.{ITEM}.query", "river")
    assert len(page.found) == 2
    assert len(page.set(f"k.{ITEM}.top_k", 1.0).found) == 1
    page.set(f"k.{ITEM}.top_k", 101.0)
    assert "Not searched" in page.words
    assert "top_k must be between 1 and 100, got 101" in page.words
    assert page.widget("knowledge.use").disabled


def test_filter_narrows_what_is_found(router: LocalRouter, notes: str) -> None:
    item = {"knowledge_id": notes, "query": "sleeps", "filter_by": {"document": {"eq": "newt.txt"}}}
    assert Page(router.base_url, item).found == [NOTES["newt.txt"]]
    nothing = Page(router.base_url, item | {"filter_by": {"document": {"eq": "none"}}})
    assert "Nothing is found. Loosen filter_by" in nothing.words


def test_chunk_can_be_switched_off_and_on_again(router: LocalRouter, notes: str) -> None:
    page = Page(router.base_url, {"knowledge_id": notes, "query": "worms"})
    (off,) = page.off_buttons()
    page.click(off)
    assert page.found == []
    (on,) = [key for key in page.buttons if key.startswith("knowledge.on.")]
    page.click(on)
    assert page.found == [NOTES["mole.txt"]]
    assert not [key for key in page.buttons if key.startswith("knowledge.on.")]


def test_use_in_playground_takes_the_search_there_as_it_stands(router: LocalRouter, notes: str) -> None:
    item = {"knowledge_id": notes, "query": "worms", "top_k": None, "filter_by": {"letters": {"gte": 2}}}
    page = Page(router.base_url, item, in_shell=True).click("knowledge.use")
    assert page.at.session_state["session.draft.a"]["body"]["orq"] == {"knowledge_bases": [item]}
    assert page.at.get_by_key("a.prompt") is not None, "it goes there"


def test_base_that_the_playground_names_already_is_replaced(router: LocalRouter, notes: str) -> None:
    page = Page(router.base_url, {"knowledge_id": notes, "top_k": 2}, in_shell=True)
    body = {"model": "local/pydoc", "orq": {"knowledge_bases": [{"knowledge_id": "other"}, {"knowledge_id": notes}]}}
    page.at.session_state["session.draft.a"] = {"body": body, "extra": "", "shelf": {}}
    page.at.session_state["session.draft_id.a"] = "of-this-test"
    page.click("knowledge.use")
    bases = page.at.session_state["session.draft.a"]["body"]["orq"]["knowledge_bases"]
    assert bases == [{"knowledge_id": "other"}, {"knowledge_id": notes, "top_k": 2}]


def test_base_is_made_filled_and_deleted(router: LocalRouter, http: httpx.Client) -> None:
    page = Page(router.base_url)
    page.at.session_state["knowledge-new"] = True
    page.run().set("knowledge.new.key", "team-book").click("knowledge.create")
    assert "Nothing is in this base yet" in page.words
    files = [
        ("a.md", b"# A\n\nThe first page.", "text/markdown"),
        ("b.txt", b"The second page.", "text/plain"),
        ("c.pdf", b"no pdf", "application/pdf"),
    ]
    page.widget("knowledge.files.0").set_value(files)
    page.widget("knowledge.csv.0").set_value(("about.csv", b"file,year\na.md,2020\nb.txt,2021\n", "text/csv"))
    page.run().set("knowledge.metadata.0", "team: support\nyear: 1999").click("knowledge.add")
    base = page.widget(f"k.{ITEM}.knowledge_id").value
    rows = http.get(f"/v2/knowledge/{base}/datasources").json()["data"]
    assert {row["display_name"]: row["fields"] for row in rows} == {
        "a.md": {"team": "support", "year": 2020},
        "b.txt": {"team": "support", "year": 2021},
    }
    assert "c.pdf" in page.at.error[0].value.replace("\\", "")
    page.set("knowledge.document", rows[0]["_id"])
    assert any("The first page." in text for text in page.found)
    page.click("knowledge.document.delete").click("knowledge.keep")
    assert names(http, base) == ["a.md", "b.txt"]
    page.click("knowledge.document.delete").click("knowledge.sure")
    assert names(http, base) == ["b.txt"]
    page.click("knowledge.delete").click("knowledge.sure")
    assert http.get(f"/v2/knowledge/{base}").status_code == 404
    assert page.widget(f"k.{ITEM}.knowledge_id").value == "python-reference"


def test_key_that_is_taken_is_refused_beside_the_field(router: LocalRouter) -> None:
    page = Page(router.base_url)
    page.at.session_state["knowledge-new"] = True
    page.run().set("knowledge.new.key", "python-reference").click("knowledge.create")
    assert "exists already" in page.words


def test_built_in_base_cannot_be_filled_or_deleted(router: LocalRouter) -> None:
    page = Page(router.base_url).set("knowledge.view", "Documents")
    assert not {"knowledge.add", "knowledge.delete"} & set(page.buttons)
    assert len(page.at.dataframe) == 1


def test_router_without_knowledge_is_an_empty_page_with_a_next_step() -> None:
    with served(Starlette()) as nothing:
        page = Page(nothing, in_shell=True)
    assert "lists no knowledge bases" in page.words
    assert page.widget("knowledge.ask") is not None


def test_router_that_has_no_base_yet_says_so() -> None:
    async def none(_request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [], "has_more": False})

    with served(Starlette(routes=[Route("/v2/knowledge", none)])) as empty:
        page = Page(empty, in_shell=True)
    assert "has no knowledge bases yet" in page.words


def test_router_that_does_not_answer_is_told_and_can_be_asked_again(http: httpx.Client) -> None:
    page = Page("http://127.0.0.1:9")
    assert page.at.error
    assert {"knowledge.ask", "knowledge.elsewhere"} <= set(page.buttons)


def test_playground_offers_the_routers_bases(router: LocalRouter, notes: str) -> None:
    draft = {"body": {"orq": {"knowledge_bases": [{"knowledge_id": notes}]}}, "extra": "", "shelf": {}}
    mine = {"session.draft.a": draft, "session.draft_id.a": "of-this-test", "a.group.knowledge": True}
    page = ScriptPage("playground.py", session=talking_to(router.base_url) | mine, timeout_s=60).run()
    picker = page.widget("a.orq.knowledge_bases.0.knowledge_id")
    assert (picker.value, picker.options) == (notes, ["python-reference", "notes"])
