"""Stored prompts and identities read from a real router, and lists that are kept for a while."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from core.client.client import RouterClient
from core.connection import DEFAULT_PATHS, Connection
from core.errors import PlaygroundError, RouterRejected
from core.local_router.prompts.starters import STARTERS
from core.local_router.server import LocalRouter
from core.router_resources.listing import RouterListing
from core.router_resources.prompts import create_prompt, delete_prompt, identities, prompt_from, save_prompt, stored_prompts


def connection(base_url: str, key: str = "k") -> Connection:
    return Connection("Here", "local", base_url, DEFAULT_PATHS["local"], SecretStr(key))


async def test_prompt_is_made_changed_and_deleted():
    with LocalRouter(api_key="", pace=0).running() as router:
        async with RouterClient(connection(router.base_url)) as client:
            made = await create_prompt(client, name="Mine", description="why", text="Dear {{who}}")
            assert (made.placeholders, made.version, made.plain) == (("who",), 1, True)
            saved = await save_prompt(client, made.id, name="Ours", description="why", text="To {{whom}}")
            assert (saved.name, saved.text, saved.version) == ("Ours", "To {{whom}}", 2)
            assert (await save_prompt(client, made.id, name="Ours", description="", text=None)).text == "To {{whom}}"
            assert (await stored_prompts(client) or ())[0].id == made.id
            await delete_prompt(client, made.id)
            assert [prompt.id for prompt in await stored_prompts(client) or ()] == [starter.id for starter in STARTERS]


async def test_identities_are_those_of_the_key():
    with LocalRouter(api_key="", pace=0).running() as router:
        body = {"model": "rehearsal/ok", "prompt": "A", "max_tokens": 2, "orq": {"identity": {"id": "ada", "display_name": "Ada"}}}
        async with RouterClient(connection(router.base_url)) as client:
            await client.call("POST", "/v2/router/completions", body)
            (ada,) = await identities(client) or ()
        async with RouterClient(connection(router.base_url, "other")) as client:
            assert await identities(client) == ()
    assert (ada.id, ada.name, ada.requests) == ("ada", "Ada", 1)


async def test_prompts_are_read_over_several_pages():
    with LocalRouter(api_key="", pace=0).running() as router:
        async with RouterClient(connection(router.base_url)) as client:
            for number in range(95):
                await create_prompt(client, name=f"n{number}", description="", text="x")
            found = await stored_prompts(client) or ()
    assert len({prompt.id for prompt in found}) == len(found) == 95 + len(STARTERS)


@pytest.mark.parametrize(
    "row",
    [
        None,
        [],
        {},
        {"_id": 3, "prompt": []},
        {"_id": "p", "prompt": {"messages": "no"}},
        {"_id": "p", "prompt": {"messages": [1, {"content": 7}]}},
    ],
    ids=str,
)
def test_odd_row_is_an_empty_prompt(row: Any):
    assert (prompt_from(row).text, prompt_from(row).plain) == ("", False)


class Router:
    """Stands for the workspace: answers with what it is given, in turn."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Connection] = []

    def ask(self, connection: Connection, work: Any, timeout_s: float = 0) -> Any:
        self.asked.append(connection)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def nothing(_client: RouterClient) -> None:
    return None


def test_list_is_asked_for_again_when_it_is_old_or_forgotten():
    router, now = Router(("a",), ("b",), ("c",)), [0.0]
    listing: RouterListing[str] = RouterListing(router.ask, nothing, fresh_s=10, now=lambda: now[0])
    here = connection("http://127.0.0.1:1")
    assert (listing.of(here), listing.of(here)) == (("a",), ("a",))
    now[0] = 10.0
    assert listing.of(here) == ("b",)
    listing.forget(here)
    assert listing.items(here) == ("c",)


def test_who_has_another_key_sees_another_list():
    router = Router(("mine",), ("yours",))
    listing: RouterListing[str] = RouterListing(router.ask, nothing)
    assert listing.of(connection("http://127.0.0.1:1", "a")) == ("mine",)
    assert listing.of(connection("http://127.0.0.1:1", "b")) == ("yours",)
    assert "http" not in repr(listing.__dict__)


def test_failure_is_kept_and_has_no_items():
    refused: PlaygroundError = RouterRejected("No.", "Try.", status=500)
    router = Router(refused)
    listing: RouterListing[str] = RouterListing(router.ask, nothing)
    here = connection("http://127.0.0.1:1")
    assert (listing.of(here), listing.of(here), listing.items(here), len(router.asked)) == (refused, refused, (), 1)
