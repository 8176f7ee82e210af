"""Where the labels of a request can be read again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.local_router.effects.conftest import Asker

shows = pytest.mark.shows
ADA: dict[str, Any] = {
    "id": "ada",
    "display_name": "Ada",
    "email": "ada@example.com",
    "logo_url": "https://example.com/ada.png",
    "metadata": [{"plan": "pro"}, {"seats": 3}],
    "tags": ["beta", "eu"],
}


def listed(ask: Asker, path: str = "/v2/identities") -> list[dict[str, Any]]:
    return ask.get(path)["data"]


@shows(
    "orq.identity.id",
    "orq.identity.display_name",
    "orq.identity.email",
    "orq.identity.logo_url",
    "orq.identity.metadata[]",
    "orq.identity.tags[]",
)
def test_identity_is_made_on_first_use_with_all_that_came(ask: Asker):
    seen = ask(orq={"identity": ADA})
    assert seen.trace["identity"] == ADA
    (identity,) = listed(ask)
    kept = {name: identity[name] for name in ("external_id", "display_name", "email", "avatar_url", "metadata", "tags")}
    assert kept == {
        "external_id": "ada",
        "display_name": "Ada",
        "email": "ada@example.com",
        "avatar_url": "https://example.com/ada.png",
        "metadata": {"plan": "pro", "seats": 3},
        "tags": ["beta", "eu"],
    }


@shows(
    "orq.contact.id",
    "orq.contact.display_name",
    "orq.contact.email",
    "orq.contact.logo_url",
    "orq.contact.metadata[]",
    "orq.contact.tags[]",
)
def test_contact_is_an_identity_unless_there_is_one(ask: Asker):
    assert ask(orq={"contact": ADA}).trace["identity"] == ADA
    (identity,) = listed(ask)
    assert (identity["external_id"], identity["metadata"]["seats"], identity["avatar_url"]) == ("ada", 3, ADA["logo_url"])
    ask(orq={"contact": ADA | {"display_name": "No"}, "identity": {"id": "ben"}})
    assert [(one["external_id"], one.get("display_name")) for one in listed(ask)] == [("ben", None), ("ada", "Ada")]


@shows("orq.identity.id")
def test_usage_is_counted_for_each_identity(ask: Asker):
    first, second = ask(orq={"identity": {"id": "ada"}}), ask(orq={"identity": {"id": "ada"}}, max_tokens=5)
    ask(orq={"identity": {"id": "ben"}}, model="rehearsal/503")
    ben, ada = (identity["usage"] for identity in listed(ask))
    assert ada["requests"] == 2
    assert ada["prompt_tokens"] == first.usage["prompt_tokens"] + second.usage["prompt_tokens"]
    assert ada["completion_tokens"] == first.usage["completion_tokens"] + 5
    assert (ben["requests"], ben["failed"], ben["total_tokens"]) == (1, 1, 0)


@shows("orq.identity.display_name", "orq.identity.tags[]")
def test_what_comes_later_replaces_what_was_known_and_the_rest_stays(ask: Asker):
    ask(orq={"identity": ADA})
    ask(orq={"identity": {"id": "ada", "display_name": "Countess", "tags": ["new"]}})
    (identity,) = listed(ask)
    assert (identity["display_name"], identity["tags"], identity["email"]) == ("Countess", ["new"], "ada@example.com")


@shows("orq.thread.id", "orq.thread.tags[]")
def test_usage_is_counted_for_each_thread(ask: Asker):
    seen = ask(orq={"thread": {"id": "t-1", "tags": ["blue"]}})
    ask(orq={"thread": {"id": "t-1"}})
    (thread,) = listed(ask, "/v2/router/threads")
    assert (thread["id"], thread["tags"], thread["usage"]["requests"]) == ("t-1", ["blue"], 2)
    assert thread["usage"]["completion_tokens"] == 2 * seen.usage["completion_tokens"]


@shows("orq.identity.id")
def test_keys_see_their_own_identities_only(ask: Asker):
    ask(orq={"identity": {"id": "mine"}, "thread": {"id": "mine"}})
    assert [one["external_id"] for one in listed(ask)] == ["mine"]
    other = Asker(ask.router, ask.way)
    assert (listed(other), listed(other, "/v2/router/threads")) == ([], [])
