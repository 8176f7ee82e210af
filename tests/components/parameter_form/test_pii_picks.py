"""What a router can look for, offered where the plug-in names it; typing stays free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from components.parameter_form import pii_picks as picks
from components.parameter_form.pii_picks import ENTITIES, LANGUAGE, REGIONS, THRESHOLDS, pii_picks
from core.client.client import RouterClient
from core.connection import Connection
from core.local_router.server import LocalRouter
from core.router_resources.listing import RouterListing
from core.router_resources.pii_capabilities import listed_capabilities
from tests.components.parameter_form.form_page import FormPage

OFFERED = {
    LANGUAGE: ["auto", "en", "nl"],
    REGIONS: ["gb", "nl"],
    ENTITIES: ["EMAIL_ADDRESS", "NL_BSN"],
    THRESHOLDS: ["EMAIL_ADDRESS", "NL_BSN"],
}
PLUGIN = {"plugins": [{"id": "pii_redaction"}]}


def form(**fields: object) -> FormPage:
    return FormPage({"plugins": [{"id": "pii_redaction", **fields}]}, groups=("pii",), picks=OFFERED)


def sent(page: FormPage) -> dict[str, object]:
    (plugin,) = page.body["plugins"]
    return {name: value for name, value in plugin.items() if name != "id"}


def test_what_the_router_can_do_is_offered() -> None:
    page = form()
    assert page.widget("plugins.0.language").options == ["auto", "en", "nl"]
    assert page.widget("plugins.0.regions").options == ["gb", "nl"]
    assert page.widget("plugins.0.entities").options == ["EMAIL_ADDRESS", "NL_BSN"]
    assert page.widget("plugins.0.entity_thresholds.add").options == ["EMAIL_ADDRESS", "NL_BSN"]
    assert page.body == PLUGIN


def test_what_is_picked_and_what_is_typed_are_both_sent() -> None:
    page = form().set("plugins.0.language", "nl").set("plugins.0.regions", ["nl", "xx"]).set("plugins.0.entities", ["NL_BSN", "MY_OWN"])
    assert sent(page) == {"language": "nl", "regions": ["nl", "xx"], "entities": ["NL_BSN", "MY_OWN"]}
    assert sent(page.set("plugins.0.language", "tlh"))["language"] == "tlh"
    assert "language" not in sent(page.set("plugins.0.language", None))


def test_value_the_router_does_not_know_is_shown_as_it_is() -> None:
    page = form(language="tlh", regions=["xx"])
    assert page.widget("plugins.0.language").value == "tlh"
    assert page.widget("plugins.0.regions").value == ["xx"]


def test_entity_is_added_to_the_thresholds_with_the_plugins_own() -> None:
    page = form(entities=["EMAIL_ADDRESS", "URL"]).set("plugins.0.entity_thresholds.add", "URL")
    assert sent(page)["entity_thresholds"] == {"URL": 0.5}
    assert page.widget("plugins.0.entity_thresholds.add").options == ["EMAIL_ADDRESS"], "only named entities that have none"
    page = form(entities=["URL"], threshold=0.8).set("plugins.0.entity_thresholds.add", "URL")
    assert sent(page)["entity_thresholds"] == {"URL": 0.8}


def test_threshold_of_an_entity_that_is_not_named_is_marked() -> None:
    page = form(entities=["URL"]).set("plugins.0.entity_thresholds.add", "NL_BSN")
    assert "must also be named in entities" in page.texts()


def test_without_a_router_that_tells_everything_can_be_typed() -> None:
    page = FormPage(PLUGIN, groups=("pii",)).set("plugins.0.language", "nl").set("plugins.0.entities", ["URL"])
    page.set("plugins.0.entity_thresholds.add", "URL")
    assert sent(page) == {"language": "nl", "entities": ["URL"], "entity_thresholds": {"URL": 0.5}}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The base URLs that were asked, in order."""
    asked: list[str] = []

    def ask(connection: Connection, work: Callable[[RouterClient], Coroutine[Any, Any, Any]], timeout_s: float = 0) -> Any:
        async def answer() -> Any:
            async with RouterClient(connection) as client:
                return await work(client)

        asked.append(connection.base_url)
        return asyncio.run(answer())

    monkeypatch.setattr(picks, "workspace", lambda: kept)
    kept = SimpleNamespace(pii=RouterListing(ask, listed_capabilities))
    return asked


def connection(base_url: str) -> Connection:
    return Connection("Mine", "orq", base_url, "/v2/router/completions", SecretStr("sk-any"))


def test_local_router_tells_all_four_fields_when_asked_once(asked: list[str]) -> None:
    with LocalRouter(pace=0, api_key="").running() as router:
        found = {path: names() for path, names in pii_picks(connection(router.base_url)).items()}
    assert list(found[LANGUAGE])[:2] == ["auto", "da"]
    assert {"nl", "all"} <= set(found[REGIONS])
    assert {"EMAIL_ADDRESS", "NL_BSN"} <= set(found[ENTITIES])
    assert found[THRESHOLDS] == found[ENTITIES]
    assert asked == [router.base_url]


def test_router_that_is_gone_has_nothing_to_offer_and_is_asked_once(asked: list[str]) -> None:
    gone = pii_picks(connection("http://127.0.0.1:9"))
    assert [names() for names in gone.values()] == [{}, {}, {}, {}]
    assert asked == ["http://127.0.0.1:9"]
