"""Cached answers outlive the router: given again by its successor, no longer than their time, and never waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.contract.response import parse_usage
from core.errors import StorageUnavailable
from core.local_router.answer import Piece
from core.local_router.kept_answers import KeptAnswer, KeptAnswers, packed
from core.local_router.server import LocalRouter
from core.storage.answer_repository import AnswerRepository
from core.storage.database import FILE_NAME, Database

BODY = {"model": "local/pydoc", "prompt": "A function", "max_tokens": 8, "temperature": 1, "cache": {"type": "exact_match", "ttl": 60}}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database.of(tmp_path, None)
    made.open()
    yield made
    made.close()


def ask(router: LocalRouter, **fields: Any) -> tuple[str, str]:
    """What the cache did, and the text."""
    headers = {"Authorization": f"Bearer {router.api_key.get_secret_value()}"}
    answer = httpx.post(f"{router.base_url}/v2/router/completions", json={**BODY, **fields}, headers=headers, trust_env=False, timeout=30)
    return answer.headers["x-router-cache"], answer.json()["choices"][0]["text"]


def test_restarted_router_gives_the_answer_again(database: Database, tmp_path: Path):
    with LocalRouter(pace=0, answers=AnswerRepository(database)).running() as router:
        how, text = ask(router)
        other = ask(router, seed=1)
    assert how == "miss"
    assert b"A function" not in (tmp_path / FILE_NAME).read_bytes()
    with LocalRouter(pace=0, answers=AnswerRepository(database)).running() as successor:
        assert router.api_key != successor.api_key
        assert ask(successor) == ("hit", text)
        assert ask(successor, seed=1) == ("hit", other[1])
        assert ask(successor, seed=2)[0] == "miss"


def test_callers_of_an_open_router_have_answers_of_their_own_after_a_restart_too(database: Database):
    def say(router: LocalRouter, key: str) -> str:
        headers = {"Authorization": f"Bearer {key}"}
        url = f"{router.base_url}/v2/router/completions"
        return httpx.post(url, json=BODY, headers=headers, trust_env=False, timeout=30).headers["x-router-cache"]

    with LocalRouter(pace=0, api_key="", answers=AnswerRepository(database)).running() as router:
        assert say(router, "mine") == "miss"
    with LocalRouter(pace=0, api_key="", answers=AnswerRepository(database)).running() as successor:
        assert (say(successor, "yours"), say(successor, "mine")) == ("miss", "hit")


PIECES = (Piece(0, "one \ud83d", None, 1), Piece(1, "", "stop", 0, parse_usage({"total_tokens": 7, "odd": 1}), 3))


@pytest.fixture
def now() -> list[datetime]:
    return [datetime(2026, 1, 1, tzinfo=UTC)]


@pytest.fixture
def keeping(database: Database, now: list[datetime]) -> Callable[[], KeptAnswers]:
    return lambda: KeptAnswers(AnswerRepository(database), lambda: now[0])


async def kept(keeping: Callable[[], KeptAnswers], ttl_s: float = 60) -> None:
    answers = keeping()
    answers.keep("k", packed("m", "fp", 4, PIECES, ttl_s), ttl_s)
    await answers.aclose()


async def test_answer_comes_back_equal_with_its_age(keeping: Callable[[], KeptAnswers], now: list[datetime]):
    await kept(keeping)
    now[0] += timedelta(seconds=59)
    found = await keeping().find("k")
    assert found is not None
    assert (found.model, found.fingerprint, found.prompt_tokens, found.pieces) == ("m", "fp", 4, PIECES)
    assert (found.ttl_s, found.age_s) == (60, 59.0)


@pytest.mark.parametrize("seconds", [60, -1])
async def test_answer_is_not_given_after_its_time_nor_before_it(keeping: Callable[[], KeptAnswers], now: list[datetime], seconds: int):
    await kept(keeping)
    now[0] += timedelta(seconds=seconds)
    assert await keeping().find("k") is None


class Gone:
    """Storage that fails, or hangs until it is let go."""

    def __init__(self, let_go: threading.Event | None = None) -> None:
        self.asked = 0
        self._let_go = let_go

    def find(self, _key: str, _now: datetime) -> tuple[bytes, datetime] | None:
        self.asked += 1
        if self._let_go is not None:
            self._let_go.wait(10)
        raise StorageUnavailable("It is gone.", "Wait.")

    def save_all(self, found: Mapping[str, KeptAnswer]) -> None:
        raise StorageUnavailable("It is gone.", "Wait.")


@pytest.mark.parametrize("hangs", [False, True])
async def test_storage_that_is_gone_is_asked_once_and_not_waited_for(hangs: bool):
    let_go = threading.Event()
    store = Gone(let_go if hangs else None)
    answers = KeptAnswers(store, patience_s=0.2)
    assert await answers.find("k") is None
    assert await answers.find("k") is None
    let_go.set()
    assert store.asked == 1
