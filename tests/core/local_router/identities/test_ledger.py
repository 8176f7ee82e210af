"""Identities and threads, and what they used."""

from __future__ import annotations

import asyncio
import itertools
import logging
from pathlib import Path
from typing import Any

import pytest
from orq_ai_sdk import Orq
from orq_ai_sdk.models import OrqError

from core.local_router.answer import Answer, AnswerCut, Call, Piece
from core.local_router.api_error import ApiError
from core.local_router.clock import SYSTEM_CLOCK
from core.local_router.config import RouterConfig
from core.local_router.identities.attribution import Attribution
from core.local_router.identities.ledger import Ledger
from core.local_router.identities.records import Subject, Usage
from core.local_router.identities.store import PartyStore
from core.local_router.server import LocalRouter
from core.local_router.trace import Trace
from tests.core.local_router.fakes import ScriptedModel, heard
from tests.support.conditions import eventually

ADA, BEN = Subject("me", "identity", "ada"), Subject("me", "identity", "ben")


class Stepped:
    """Seconds that pass by one a look."""

    def __init__(self) -> None:
        self.now = itertools.count(1_000.0).__next__


def ledger(path: Path | None = None, interval_s: float = 3600) -> Ledger:
    return Ledger(PartyStore(path), Stepped().now, interval_s)


async def test_counts_are_there_as_soon_as_somebody_reads():
    one = ledger()
    one.note(ADA, Usage(requests=1), {"email": "a@example.com"})
    one.note(ADA, Usage(prompt_tokens=3, completion_tokens=4))
    found = (await one.store()).find("me", "identity", "ada")
    assert (found.usage, found.profile) == (Usage(1, 0, 3, 4, 1_001.0), {"email": "a@example.com"})


async def test_counts_are_written_by_and_by_without_a_reader(tmp_path: Path):
    one = ledger(tmp_path / "i.db", interval_s=0)
    one.note(ADA, Usage(requests=1))
    other = PartyStore(tmp_path / "i.db")
    await asyncio.to_thread(eventually, lambda: bool(other.page("me", "identity", 1)[0]), what="the write")


async def test_store_that_fails_loses_counts_and_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    (tmp_path / "i.db").mkdir()
    one = ledger(tmp_path / "i.db")
    one.note(ADA, Usage(requests=1))
    with caplog.at_level(logging.ERROR):
        await one.store()
    assert "not stored" in caplog.text


async def test_profile_grows_and_updated_moves_only_when_it_changes():
    one = ledger()
    one.note(ADA, Usage(), {"email": "a@example.com"})
    created = (await one.store()).find("me", "identity", "ada")
    one.note(ADA, Usage(), {"email": "a@example.com"})
    assert (await one.store()).find("me", "identity", "ada").updated == created.updated
    one.note(ADA, Usage(), {"tags": ["x"]})
    changed = (await one.store()).find("me", "identity", "ada")
    assert changed.profile == {"email": "a@example.com", "tags": ["x"]}
    assert changed.updated > created.updated == changed.created


async def test_list_is_searched_and_filtered_and_paged():
    one = ledger()
    for number in range(6):
        tags = ["even"] if number % 2 == 0 else ["odd", "x"]
        one.note(Subject("me", "identity", f"n{number}"), Usage(), {"display_name": f"Größe {number}", "tags": tags})
    one.note(Subject("me", "thread", "t"), Usage())
    one.note(Subject("you", "identity", "n9"), Usage())
    store = await one.store()

    def names(**query: Any) -> tuple[list[str], bool]:
        found, more = store.page("me", "identity", query.pop("limit", 10), **query)
        return [party.subject.name for party in found], more

    assert names() == (["n5", "n4", "n3", "n2", "n1", "n0"], False)
    assert names(search="GRÖSSE 3") == (["n3"], False)
    assert names(tags=["odd", "x"]) == (["n5", "n3", "n1"], False)
    assert names(limit=2) == (["n5", "n4"], True)
    third = store.find("me", "identity", "n3").id
    assert names(limit=2, after=third) == (["n2", "n1"], True)
    assert names(limit=2, before=third) == (["n5", "n4"], False)


class Inner:
    """Stands for the pipeline: one scripted model."""

    def __init__(self, *calls: Any) -> None:
        self.model = ScriptedModel(*calls)

    async def answer(self, call: Call, trace: Trace) -> Answer:
        return await self.model.answer(call)


async def used(inner: Any, *, closed_after: int | None = None, orq: dict[str, Any] | None = None) -> Usage:
    one = ledger()
    body = {"model": "m", "prompt": "p", "orq": orq or {"identity": {"id": "ada"}}}
    trace = Trace("req_1", "me", body, SYSTEM_CLOCK)
    try:
        answer = await Attribution(inner, one, str).answer(Call("m", body, "me"), trace)
        if closed_after is None:
            await heard(answer)
        else:
            for _ in range(closed_after):
                await anext(aiter(answer.batches))
            await answer.batches.aclose()
            await answer.batches.aclose()
    except ApiError:
        pass
    return (await one.store()).find("me", "identity", "ada").usage


async def test_whole_answer_counts_its_tokens():
    usage = await used(Inner(["one two three"]))
    assert (usage.requests, usage.failed, usage.prompt_tokens, usage.completion_tokens) == (1, 0, 7, 3)


async def test_answer_that_is_given_up_counts_what_was_spent():
    usage = await used(Inner(["one two three"]), closed_after=2)
    assert (usage.failed, usage.completion_tokens) == (0, 2)


async def test_refused_and_broken_answers_count_as_failed():
    refused, broken = await used(Inner([503])), await used(Inner(["one two", AnswerCut()]))
    assert (refused.requests, refused.failed, refused.completion_tokens) == (1, 1, 0)
    assert (broken.requests, broken.failed, broken.completion_tokens) == (1, 1, 2)


async def test_providers_own_usage_wins():
    class Provider:
        async def answer(self, call: Call, trace: Trace) -> Answer:
            from core.contract.response import Usage as Told

            async def say():
                yield [Piece(0, "a", None, 1)]
                yield [Piece(0, "b", "stop", 1, Told(prompt_tokens=11, completion_tokens=22, total_tokens=33))]

            return Answer("m", None, None, say())

    usage = await used(Provider())
    assert (usage.prompt_tokens, usage.completion_tokens) == (11, 22)


def test_router_with_a_key_of_its_own_keeps_identities_over_restarts_and_new_keys(tmp_path: Path):
    config = RouterConfig(tmp_path)
    for key in ("sk-one", "sk-two"):
        with LocalRouter(api_key=key, pace=0, config=config).running() as router, Orq(api_key=key, server_url=router.base_url) as orq:
            orq.router.completions.create(
                model="rehearsal/ok", prompt="A", max_tokens=2, orq={"identity": {"id": "ada", "email": "a@b.example"}}
            )
            listed = orq.identities.list(include_metrics=True)
    (ada,) = listed.data
    assert (ada.external_id, ada.email, ada.metrics.total_requests, ada.metrics.error_rate) == ("ada", "a@b.example", 2, 0)


def test_official_client_finds_and_forgets_an_identity():
    with LocalRouter(api_key="", pace=0).running() as router, Orq(api_key="any", server_url=router.base_url) as orq:
        for name in ("ada", "ben"):
            orq.router.completions.create(model="rehearsal/ok", prompt="A", max_tokens=2, orq={"identity": {"id": name, "tags": [name]}})
        assert [one.external_id for one in orq.identities.list(search="BE").data] == ["ben"]
        assert [one.external_id for one in orq.identities.list(filter_by_tags=["ada"]).data] == ["ada"]
        assert orq.identities.retrieve(id="ada", include_metrics=True).identity.metrics.total_requests == 1
        orq.identities.delete(id="ada")
        with pytest.raises(OrqError) as raised:
            orq.identities.retrieve(id="ada")
        assert raised.value.status_code == 404


def test_identity_that_is_deleted_at_the_same_time_is_not_there(monkeypatch: pytest.MonkeyPatch):
    delete = PartyStore.delete

    def delete_after_another(store: PartyStore, *party: Any) -> None:
        delete(store, *party)
        delete(store, *party)

    monkeypatch.setattr(PartyStore, "delete", delete_after_another)
    with LocalRouter(api_key="", pace=0).running() as router, Orq(api_key="any", server_url=router.base_url) as orq:
        orq.router.completions.create(model="rehearsal/ok", prompt="A", max_tokens=2, orq={"identity": {"id": "ada"}})
        with pytest.raises(OrqError) as raised:
            orq.identities.delete(id="ada")
    assert raised.value.status_code == 404
