from __future__ import annotations

import asyncio

import pytest

from core.local_router.answer import AnswerCut
from core.local_router.api_error import ApiError
from core.local_router.clock import Clock
from core.local_router.retrieval.rewriting import asked_for, expansions
from tests.core.local_router.fakes import FakeTime, Outcome, ScriptedModel

FOUND = ["The otter eats crabs in the river.", "An otter sleeps by the river; crabs hide.", "The river has a dam."]


def test_expansion_adds_words_that_the_found_chunks_share():
    (only,) = expansions("otter", FOUND, lambda words: [5 for _ in words], 100)
    assert only.startswith("otter ")
    assert {"river", "crabs"} <= set(only.split())
    assert "dam" not in only


def test_frequent_words_of_the_base_come_after_its_rare_ones():
    counts = {"the": 100, "river": 50, "crabs": 2}
    (only,) = expansions("otter", FOUND, lambda words: [counts.get(word, 1) for word in words], 100)
    assert only.split() == ["otter", "crabs", "river", "the"]


def test_nothing_found_means_nothing_to_add():
    assert expansions("otter", [], lambda words: [1 for _ in words], 100) == []


class Lines(ScriptedModel):
    """Says whole texts, not words."""

    def __init__(self, text: str) -> None:
        super().__init__([text])

    async def _say(self, outcomes):  # type: ignore[no-untyped-def]
        from core.local_router.answer import Piece

        yield [Piece(0, outcomes[0], "stop", 1)]


async def ask(model: ScriptedModel, clock: Clock | None = None) -> list[str]:
    return await asked_for("where do otters sleep", "up/model", model, "me", clock or FakeTime().clock)


async def test_model_is_asked_once_and_its_lines_are_the_queries():
    model = Lines('1. otter holt\n- "resting place of otters"\n\nwhere do otters sleep\notter holt\ndens\nfourth\n')
    assert await ask(model) == ["otter holt", "resting place of otters", "dens"]
    (call,) = model.asked
    assert (call.model, call.caller) == ("up/model", "me")
    assert "where do otters sleep" in call.body["prompt"]


@pytest.mark.parametrize(("outcomes", "status"), [([503], 503), ([AnswerCut()], 502)])
async def test_failure_of_the_model_has_a_status(outcomes: list[Outcome], status: int):
    with pytest.raises(ApiError) as raised:
        await ask(ScriptedModel(outcomes))
    assert raised.value.status == status


async def test_model_that_takes_too_long_is_a_504_and_is_stopped():
    model = ScriptedModel([lambda: asyncio.Event().wait()])
    with pytest.raises(ApiError) as raised:
        await ask(model, Clock(limit=lambda _seconds: asyncio.timeout(0.02)))
    assert (raised.value.status, model.closed) == (504, 1)
