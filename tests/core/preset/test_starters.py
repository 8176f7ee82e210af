"""Every starter runs on the local router and does what its description promises."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

import core.__main__ as command
from core.client.client import RouterClient
from core.connection import DEFAULT_PATHS, Connection
from core.contract.conflicts import conflicts
from core.local_router.config import RouterConfig
from core.local_router.server import LocalRouter
from core.metrics import Timings
from core.preset.calls import calls_of
from core.preset.document import write_presets
from core.preset.schema import preset_schema
from core.preset.starters import starter, starters
from core.terminal.call import Outcome


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRouter]:
    folder = tmp_path_factory.mktemp("router")
    with LocalRouter(pace=0, config=RouterConfig(folder, folder / "router.toml")).running() as running:
        yield running


class Seen:
    """One answer of a starter: the outcome, and what the router's trace tells."""

    def __init__(self, outcome: Outcome, trace: dict[str, Any]) -> None:
        assert outcome.error is None, outcome.error
        assert outcome.completion is not None
        self.completion = outcome.completion
        self.trace = trace

    @property
    def texts(self) -> list[str]:
        return [choice.text for choice in self.completion.choices]

    @property
    def text(self) -> str:
        return self.texts[0]

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.trace["events"] if event["type"] == kind]

    def attempts(self) -> list[tuple[str, int]]:
        return [(event["target"], event["status"]) for event in self.events("attempt")]


def asked(router: LocalRouter, body: dict[str, Any]) -> Seen:
    connection = Connection("local router", "local", router.base_url, DEFAULT_PATHS["local"], router.api_key)
    headers: dict[str, str] = {}

    async def once() -> Outcome:
        async with RouterClient(connection) as client, client.stream(body) as reply:
            async for _ in reply:
                pass
            headers.update(reply.headers)
            return Outcome(reply.completion(), None, Timings())

    outcome = asyncio.run(once())
    key = router.api_key.get_secret_value() if router.api_key else ""
    trace = httpx.get(
        f"{router.base_url}/v2/router/traces/{headers['x-router-request-id']}", headers={"Authorization": f"Bearer {key}"}, timeout=30
    )
    return Seen(outcome, trace.raise_for_status().json())


Promise = Callable[[list[list[Seen]]], None]
"""What must be true of the answers: by slot, then in the order they came; a draft's are two runs of one slot."""


def greedy(answers: list[list[Seen]]) -> None:
    (first, second), *_ = answers
    assert first.text == second.text != ""
    assert "\n" not in first.text


def creative(answers: list[list[Seen]]) -> None:
    (first, second), *_ = answers
    assert first.text != second.text


def seeded(answers: list[list[Seen]]) -> None:
    (first, second), *_ = answers
    assert first.text == second.text != ""


def strict_stop(answers: list[list[Seen]]) -> None:
    for seen in answers[0]:
        assert "." not in seen.text
        assert seen.completion.choices[0].finish_reason == "stop"


def valid_json(answers: list[list[Seen]]) -> None:
    prompt = starter("json-with-stop").preset.content.sent()[0][1].body["prompt"]  # type: ignore[union-attr]
    for seen in answers[0]:
        assert json.loads(prompt + seen.text + '"}')["term"] == "generator"


def one_line(answers: list[list[Seen]]) -> None:
    (first, second), *_ = answers
    assert first.text == second.text
    assert "\n" not in first.text
    assert first.completion.usage is not None
    assert (first.completion.usage.completion_tokens or 0) <= 4


def three_choices(answers: list[list[Seen]]) -> None:
    for seen in answers[0]:
        assert [choice.index for choice in seen.completion.choices] == [0, 1, 2]
        assert len(set(seen.texts)) > 1


def falls_back(answers: list[list[Seen]]) -> None:
    for seen in answers[0]:
        assert seen.attempts() == [("rehearsal/429", 429), ("rehearsal/503", 503), ("local/pydoc", 200)]
        assert seen.completion.model == "local/pydoc"


def draws(answers: list[list[Seen]]) -> None:
    for seen in answers[0]:
        [(target, status)] = seen.attempts()
        assert (target in ("local/pydoc", "local/pydoc-3"), status) == (True, 200)
        assert seen.events("draw")


def cached(answers: list[list[Seen]]) -> None:
    (first, second), *_ = answers
    assert first.text == second.text != ""
    assert len(first.attempts()) == 1
    assert second.attempts() == []


def retries(answers: list[list[Seen]]) -> None:
    assert [status for _, status in answers[0][0].attempts()] == [503, 504, 200]


def filtered(answers: list[list[Seen]]) -> None:
    for seen in answers[0]:
        [event] = seen.events("retrieval")
        assert 1 <= len(event["chunks"]) <= 3
        assert all(chunk["metadata"]["has_code"] and chunk["metadata"]["characters"] < 2_000 for chunk in event["chunks"])


def thinks(answers: list[list[Seen]]) -> None:
    for seen in answers[0]:
        usage = seen.completion.usage
        assert usage is not None
        assert usage.completion_tokens_details is not None
        assert 0 < (usage.completion_tokens_details.reasoning_tokens or 0) <= 1_024
        assert seen.text


def hides(answers: list[list[Seen]]) -> None:
    for seen in answers[0]:
        assert seen.text.startswith("Write to ada@example.com about the account GB82 WEST 1234 5698 7654 32.")
        assert "ada@example.com" not in json.dumps(seen.trace)
        assert {"EMAIL_ADDRESS", "IBAN_CODE"} <= set(json.dumps(seen.trace).replace('"', " ").replace(":", " ").split())


def fills_in(answers: list[list[Seen]]) -> None:
    assert all(seen.text.startswith("The while statement") for seen in answers[0])


def four_temperatures(answers: list[list[Seen]]) -> None:
    assert [len(of_slot) for of_slot in answers] == [3, 3, 3, 3]
    assert len({seen.text for seen in answers[0]}) == 1
    assert len({seen.text for seen in answers[3]}) > 1


def three_models(answers: list[list[Seen]]) -> None:
    assert [of_slot[0].completion.model for of_slot in answers] == ["local/pydoc", "local/pydoc-3", "local/pydoc-1"]


PROMISES: dict[str, Promise] = {
    "greedy-extraction": greedy,
    "creative": creative,
    "seeded": seeded,
    "strict-stop": strict_stop,
    "json-with-stop": valid_json,
    "few-shot-classifier": one_line,
    "choices": three_choices,
    "fallback-chain": falls_back,
    "weighted-canary": draws,
    "cached-repeat": cached,
    "timeout-and-retry": retries,
    "knowledge-with-filter": filtered,
    "thinking": thinks,
    "personal-data-hidden": hides,
    "inputs": fills_in,
    "temperatures": four_temperatures,
    "models": three_models,
}
ONCE = ("timeout-and-retry", "models")
"""Run once: their second run is another one."""


def test_every_starter_has_a_promise() -> None:
    assert sorted(PROMISES) == sorted(one.id for one in starters())
    assert len(starters()) >= 12


@pytest.mark.parametrize("name", sorted(PROMISES))
def test_starter_does_what_it_promises(router: LocalRouter, name: str) -> None:
    found = starter(name)
    assert found is not None
    content = found.preset.content
    times = 1 if content.kind == "comparison" or name in ONCE else 2
    PROMISES[name]([[asked(router, body) for body in slot.bodies * times] for slot in calls_of(content)])


@pytest.mark.parametrize("name", sorted(PROMISES))
def test_starter_is_described_valid_and_without_conflicts(name: str) -> None:
    found = starter(name)
    assert found is not None
    described = found.preset.label
    assert described.description
    assert described.tags
    assert [conflict for _, leaving in found.preset.content.sent() for conflict in conflicts(leaving.body)] == []
    Draft202012Validator(preset_schema()).validate(json.loads(write_presets([found.preset], "json")))


def test_starter_runs_from_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    folder = Path(__file__).parents[3] / "core" / "preset" / "starters"
    assert command.main(["run", str(folder / "16-temperatures.yaml")]) == 0
    assert "--- D · hot · 3 of 3 ---" in capfd.readouterr().out
