"""Lists of a connection's router, over real connections: who sees whose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.connection import Connection
from core.errors import RouterRejected
from core.router_resources.listing import MOST_KEPT, RouterListing
from core.workspace import Workspace, opened_workspace
from tests.support.server_thread import served

Listed = Callable[[Workspace, Connection], list[str]]


class PerKeyServer:
    """Lists models, knowledge bases, prompts and identities whose names end in the key that asked; 403 to the key ``nobody``."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def app(self) -> Starlette:
        def listing(row: Callable[[str], dict[str, Any]]) -> Callable[[Request], Any]:
            async def answer(request: Request) -> Response:
                key = request.headers["authorization"].removeprefix("Bearer ")
                self.asked.append(f"{request.url.path} {key}")
                if key == "nobody":
                    return JSONResponse({"error": {"message": "No."}}, 403)
                return JSONResponse({"object": "list", "has_more": False, "data": [row(key)]})

            return answer

        return Starlette(
            routes=[
                Route("/v3/router/models", listing(lambda key: {"id": f"model-{key}"})),
                Route("/v2/knowledge", listing(lambda key: {"_id": f"kb-{key}", "key": f"kb-{key}"})),
                Route("/v2/prompts", listing(lambda key: {"_id": f"prompt-{key}"})),
                Route("/v2/identities", listing(lambda key: {"_id": f"who-{key}", "external_id": f"who-{key}"})),
            ]
        )


@pytest.fixture
def server() -> Iterator[tuple[PerKeyServer, str]]:
    server = PerKeyServer()
    with served(server.app()) as base_url:
        yield server, base_url


def connection(base_url: str, key: str) -> Connection:
    return Connection("shared", "orq", base_url, "/v2/router/completions", SecretStr(key))


@pytest.mark.parametrize(
    ("listed", "prefix"),
    [
        (lambda current, at: list(current.models(at)), "model"),
        (lambda current, at: [base.id for base in current.knowledge.items(at)], "kb"),
        (lambda current, at: [prompt.id for prompt in current.prompts.items(at)], "prompt"),
        (lambda current, at: [who.id for who in current.identities.items(at)], "who"),
    ],
    ids=["models", "knowledge", "prompts", "identities"],
)
def test_session_sees_what_its_own_key_is_listed_and_nothing_of_another(
    server: tuple[PerKeyServer, str], listed: Listed, prefix: str
) -> None:
    asked, base_url = server
    current = opened_workspace()
    for _ in range(2):
        assert listed(current, connection(base_url, "alice")) == [f"{prefix}-alice"]
        assert listed(current, connection(base_url, "bob")) == [f"{prefix}-bob"]
        assert listed(current, connection(base_url, "nobody")) == []
    assert len(asked.asked) == len(set(asked.asked)) == 3  # each was kept


def test_forgotten_models_are_asked_for_again_with_that_key_only(server: tuple[PerKeyServer, str]) -> None:
    asked, base_url = server
    current = opened_workspace()
    for key in ("alice", "bob"):
        current.models(connection(base_url, key))
    current.forget_models(connection(base_url, "alice"))
    for key in ("alice", "bob"):
        current.models(connection(base_url, key))
    assert [line.split()[-1] for line in asked.asked] == ["alice", "bob", "alice"]


def test_lists_of_many_keys_are_bounded_and_the_first_read_goes() -> None:
    def ask(connection: Connection, _work: object, _timeout_s: float = 0) -> tuple[str, ...]:
        asked.append(connection.name)
        return (connection.name,)

    async def read(_client: object) -> tuple[str, ...]:
        raise RouterRejected("never called", "", status=500)

    asked: list[str] = []
    listing: RouterListing[str] = RouterListing(ask, read)  # type: ignore[arg-type]
    for number in range(MOST_KEPT + 1):
        listing.of(connection("http://127.0.0.1:1", f"key-{number}"))
    before = len(asked)
    listing.of(connection("http://127.0.0.1:1", f"key-{MOST_KEPT}"))
    assert len(asked) == before
    listing.of(connection("http://127.0.0.1:1", "key-0"))
    assert len(asked) == before + 1


def test_a_list_that_was_forgotten_while_it_was_being_read_is_read_again() -> None:
    there = ["old"]

    def ask(of: Connection, _work: object, _timeout_s: float = 0.0) -> tuple[str, ...]:
        found = tuple(there)
        if there == ["old"]:
            there[:] = ["old", "new"]
            listing.forget(of)  # another session added a server meanwhile
        return found

    listing: RouterListing[str] = RouterListing(ask, None)  # type: ignore[arg-type]
    shared = connection("http://127.0.0.1:9", "key")
    assert listing.items(shared) == ("old",)
    assert listing.items(shared) == ("old", "new")
