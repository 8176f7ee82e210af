"""``/v2/prompts``, through the official client and bare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from orq_ai_sdk import Orq
from orq_ai_sdk.models import OrqError

from core.local_router.prompts.bodies import USE_CASES
from core.local_router.prompts.starters import STARTERS
from core.local_router.server import LocalRouter

MINE: dict[str, Any] = {
    "display_name": "Mine",
    "path": "Default Project",
    "description": "why",
    "prompt": {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "{{topic}}:"}], "model": "a/b"},
    "metadata": {"use_cases": ["SQL"], "language": "German"},
}


@pytest.fixture(scope="module")
def own_router() -> Iterator[LocalRouter]:
    with LocalRouter(api_key="", pace=0).running() as running:
        yield running


@pytest.fixture(scope="module")
def orq(own_router: LocalRouter) -> Orq:
    return Orq(api_key="any", server_url=own_router.base_url)


@pytest.fixture
def http(own_router: LocalRouter) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=own_router.base_url, verify=False) as client:
        yield client


pytestmark = pytest.mark.filterwarnings("ignore:.*DEPRECATED.*:DeprecationWarning")


def test_official_client_lists_every_prompt_page_by_page(orq: Orq):
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = orq.prompts.list(limit=5, starting_after=cursor)
        seen += [prompt.id for prompt in page.data]
        if not page.has_more:
            break
        cursor = page.data[-1].id
    assert [one for one in seen if not one.startswith("prompt_")] == [starter.id for starter in STARTERS]


def test_official_client_makes_reads_changes_and_deletes_a_prompt(orq: Orq):
    made = orq.prompts.create(request=MINE)
    assert (made.display_name, made.prompt.model, [message.content for message in made.prompt.messages]) == (
        "Mine",
        "a/b",
        ["Be brief.", "{{topic}}:"],
    )
    assert orq.prompts.list().data[0].id == made.id
    orq.prompts.update(id=made.id, prompt={"messages": [{"role": "user", "content": "two"}]})
    read = orq.prompts.retrieve(id=made.id)
    assert (read.display_name, read.description, read.prompt.messages[0].content) == ("Mine", "why", "two")
    versions = orq.prompts.list_versions(prompt_id=made.id)
    assert len(versions.data) == 2
    assert orq.prompts.get_version(prompt_id=made.id, version_id=versions.data[1].id).prompt.messages[0].content == "Be brief."
    orq.prompts.delete(id=made.id)
    with pytest.raises(OrqError) as raised:
        orq.prompts.retrieve(id=made.id)
    assert raised.value.status_code == 404


async def test_official_client_reads_asynchronously(own_router: LocalRouter):
    async with Orq(api_key="any", server_url=own_router.base_url) as orq:
        assert (await orq.prompts.retrieve_async(id="summarize")).prompt.messages[0].role == "user"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"display_name": ""}, "display_name"),
        ({"display_name": "\ud800"}, "display_name"),
        ({"prompt": {"messages": [{"role": "king", "content": "x"}]}}, "prompt.messages.0.role"),
        ({"prompt": {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}}, "prompt.messages.0.content"),
        ({"prompt": {"messages": [{"role": "user", "content": "x"}], "temperature": 1}}, "prompt.temperature"),
        ({"metadata": {"use_cases": ["Juggling"]}}, "metadata.use_cases.0"),
        ({"colour": "red"}, "colour"),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_wrong_field_is_refused_by_name(http: httpx.Client, change, param, method):
    path = "/v2/prompts" if method == "POST" else "/v2/prompts/summarize"
    body = json.dumps((MINE if method == "POST" else {}) | change).encode()
    answer = http.request(method, path, content=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("starting_after=no", "starting_after"),
        ("ending_before=", "ending_before"),
    ],
)
@pytest.mark.parametrize("path", ["/v2/prompts", "/v2/prompts/summarize/versions", "/v2/identities", "/v2/router/threads"])
def test_wrong_query_is_refused_by_name(http: httpx.Client, path, query, param):
    answer = http.get(f"{path}?{query}")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize("path", ["nowhere", "nowhere/versions", "summarize/versions/nowhere", "%ff", "%00"])
def test_unknown_prompt_or_version_is_not_found(http: httpx.Client, path):
    assert http.get(f"/v2/prompts/{path}").status_code == 404


def test_starters_have_use_cases_that_the_client_knows():
    assert {starter.use_case for starter in STARTERS} <= set(USE_CASES)
