from __future__ import annotations

import math
from statistics import mean
from typing import Any

import numpy as np
import pytest

from core.local_router.answer import Piece
from core.local_router.generation import BATCH_TOKENS, Task, generate, paced, unpaced
from core.local_router.models import thinking
from core.local_router.models.ngram import LearnedText, NgramModel
from core.local_router.models.sampling import SamplingParameters
from core.local_router.models.thinking import LEVELS, Thinking, entropy_bits, read_thinking

PROMPT = "The zebra"
ENABLED = Thinking("enabled", 1_024)
ANSWER_TOKENS = 48


class Notebook:
    """Keeps what was noted; a millisecond passes whenever it is asked."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.now_ms = 0.0

    def note(self, kind: str, **data: Any) -> dict[str, Any]:
        self.events.append({"type": kind, "at_ms": self.elapsed_ms(), **data})
        return self.events[-1]

    def tell(self, **data: Any) -> None:
        raise AssertionError("local models tell nothing of their attempt")

    def elapsed_ms(self) -> float:
        self.now_ms += 1
        return self.now_ms


@pytest.fixture(scope="module")
def model(learned: LearnedText) -> NgramModel:
    return NgramModel(learned)


def said(model: NgramModel, asked: Thinking | None, notes: Notebook | None = None, **changes: Any) -> list[Piece]:
    """All pieces of an answer; without ``max_tokens`` it has ``ANSWER_TOKENS`` of text and whatever thinking takes."""
    spent = asked.budget_tokens if asked else 0
    prompt = changes.pop("prompt", PROMPT)
    values = {"max_tokens": ANSWER_TOKENS + spent, "n": 1, "stops": (), "echo": False}
    values |= {name: changes.pop(name) for name in values if name in changes}
    sampling = SamplingParameters(**{"seed": 1, **changes})
    task = Task(prompt, model.tokenizer.encode(prompt), sampling, **values, thinking=asked)
    return list(generate(model, task, notes or Notebook()))


def text(pieces: list[Piece], choice: int = 0) -> str:
    return "".join(piece.text for piece in pieces if piece.choice == choice)


def thought(pieces: list[Piece], choice: int = 0) -> int:
    return sum(piece.reasoning_tokens for piece in pieces if piece.choice == choice)


def mean_log_probability(model: NgramModel, pieces: list[Piece]) -> float:
    """Of the first tokens of an answer's text, in nats."""
    match, total = model.start(model.tokenizer.encode(PROMPT)), 0.0
    tokens = model.tokenizer.encode(text(pieces))[:ANSWER_TOKENS]
    for token in tokens:
        total += math.log(model.probability(match, token))
        match = model.advance(match, token)
    return total / len(tokens)


def test_thinking_makes_the_answer_likelier_and_more_of_it_more_so(model: NgramModel):
    def quality(asked: Thinking | None) -> float:
        return mean(mean_log_probability(model, said(model, asked, seed=seed)) for seed in range(30))

    without, low, high = quality(None), quality(Thinking("enabled", 1_024, "low")), quality(Thinking("enabled", 1_024, "high"))
    assert without + 0.1 < low < high  # nats a token; measured: -0.44, -0.18, -0.15


@pytest.mark.parametrize("budget", [1_024, 1_500.0, 4_000])
@pytest.mark.parametrize("level", [None, *LEVELS])
def test_never_more_than_the_levels_share_of_the_budget_is_spent_and_almost_all_of_it(model: NgramModel, budget, level):
    most = int(budget * LEVELS[level or "high"])
    spent = thought(said(model, Thinking("enabled", int(budget), level), max_tokens=int(budget) * 2))
    assert most - 2 * thinking.SHORTEST_DRAFT < spent <= most


@pytest.mark.parametrize("max_tokens", [1_025, 1_100, 2_000])
def test_thinking_counts_against_max_tokens(model: NgramModel, max_tokens):
    pieces = said(model, ENABLED, max_tokens=max_tokens)
    assert thought(pieces) + sum(piece.tokens for piece in pieces) == max_tokens
    assert pieces[-1].finish_reason == "length"


@pytest.mark.parametrize("max_tokens", [1_025, 1_100, 4_001])
def test_no_more_is_thought_than_the_answer_has_room_to_say(model: NgramModel, max_tokens):
    notes = Notebook()
    pieces = said(model, Thinking("enabled", max_tokens - 1), notes, max_tokens=max_tokens)
    assert 0 < notes.events[0]["steered_tokens"] <= max_tokens - thought(pieces) + thinking.DRAFT_TOKENS // 2


def test_thinking_has_no_text_and_comes_first(model: NgramModel):
    pieces = said(model, ENABLED)
    first = next(place for place, piece in enumerate(pieces) if piece.text)
    assert all(piece.reasoning_tokens and not piece.text for piece in pieces[:first])
    assert not any(piece.reasoning_tokens for piece in pieces[first:])


def test_same_seed_thinks_the_same_and_another_seed_something_else(model: NgramModel):
    assert said(model, ENABLED, seed=3) == said(model, ENABLED, seed=3)
    assert text(said(model, ENABLED, seed=3)) != text(said(model, ENABLED, seed=5))


def test_temperature_zero_says_the_same_whatever_the_seed(model: NgramModel):
    assert said(model, ENABLED, temperature=0, seed=3) == said(model, ENABLED, temperature=0, seed=None)


def test_thinking_at_temperature_zero_can_find_what_greed_does_not(model: NgramModel):
    def quality(asked: Thinking | None) -> float:
        return mean_log_probability(model, said(model, asked, temperature=0, prompt="import"))

    assert quality(ENABLED) >= quality(None)
    assert text(said(model, ENABLED, temperature=0, prompt="import")) != text(said(model, None, temperature=0, prompt="import"))


def test_each_choice_thinks_for_itself_and_as_it_would_alone(model: NgramModel):
    notes = Notebook()
    three, alone = said(model, ENABLED, notes, n=3), said(model, ENABLED)
    assert [thought(three, choice) for choice in range(3)] == [event["reasoning_tokens"] for event in notes.events]
    assert [event["choice"] for event in notes.events] == [0, 1, 2]
    assert text(three, 0) == text(alone)
    assert len({text(three, choice) for choice in range(3)}) == 3


def test_first_part_of_the_best_draft_begins_the_answer(model: NgramModel):
    notes = Notebook()
    pieces = said(model, Thinking("enabled", 1_024, "low"), notes)
    (event,) = notes.events
    assert event["drafts"] == thinking.DRAFTS
    assert event["steered_tokens"] == thinking.DRAFT_TOKENS // 2
    assert event["best_mean_log_probability"] > event["mean_log_probability"]
    free = said(model, None)
    assert text(pieces) != text(free)


def test_word_after_a_space_at_the_prompts_end_is_steered_too(model: NgramModel):
    for seed in range(10):
        assert not text(said(model, ENABLED, prompt="A class ", seed=seed))[0].isspace()


def test_stop_ends_a_steered_answer_before_itself(model: NgramModel):
    free = text(said(model, ENABLED))
    stop = free[10:14]
    pieces = said(model, ENABLED, stops=(stop,))
    assert text(pieces) == free.partition(stop)[0]
    assert pieces[-1].finish_reason == "stop"


def test_penalties_count_what_was_steered(model: NgramModel):
    def different(penalty: float) -> float:
        tokens = model.tokenizer.encode(text(said(model, Thinking("enabled", 2_048), frequency_penalty=penalty)))
        return len(set(tokens)) / len(tokens)

    assert different(2) > different(-2)


def test_adaptive_thinks_the_longer_the_less_is_sure(model: NgramModel):
    def spent(prompt: str) -> tuple[float, int]:
        notes = Notebook()
        pieces = said(model, Thinking("adaptive"), notes, prompt=prompt, max_tokens=4_000)
        assert thought(pieces) <= notes.events[0]["budget_tokens"] <= thinking.ADAPTIVE_TOKENS
        return notes.events[0]["entropy_bits"], thought(pieces)

    sure, torn, lost = spent("The try statement specifies exception"), spent("A function definition"), spent("The zebra")
    assert sure[0] < thinking.SURE_BITS < torn[0] < lost[0]
    assert 0 == sure[1] < torn[1] < lost[1]


@pytest.mark.parametrize("max_tokens", [1, 2, 16, 100])
def test_adaptive_leaves_half_of_max_tokens_to_the_answer(model: NgramModel, max_tokens):
    pieces = said(model, Thinking("adaptive"), max_tokens=max_tokens)
    assert thought(pieces) <= max_tokens // 2
    assert text(pieces)


def test_entropy_is_shannons():
    assert entropy_bits(np.full(8, 1 / 8)) == pytest.approx(3)
    assert entropy_bits(np.array([1 - 1e-12, 1e-12])) == pytest.approx(0, abs=1e-9)


def test_thinking_given_up_is_told_as_far_as_it_went(model: NgramModel):
    notes = Notebook()
    task = Task(PROMPT, model.tokenizer.encode(PROMPT), SamplingParameters(seed=1), 4_000, 1, (), False, Thinking("enabled", 2_000))
    pieces = generate(model, task, notes)
    spent = sum(next(pieces).reasoning_tokens for _ in range(50))
    pieces.close()
    assert notes.events[0]["reasoning_tokens"] == spent
    assert notes.events[0]["duration_ms"] > 0


async def test_others_get_their_turn_while_a_model_thinks(model: NgramModel):
    batches = [batch async for batch in unpaced(iter(said(model, ENABLED)))]
    assert max(sum(piece.reasoning_tokens for piece in batch) for batch in batches) < BATCH_TOKENS + thinking.DRAFTS


async def test_paced_thinking_takes_as_long_a_step_as_a_token_takes(model: NgramModel):
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    pieces = said(model, ENABLED)
    steps = sum(1 for piece in pieces if piece.reasoning_tokens or piece.tokens)
    [batch async for batch in paced(iter(pieces), 10, lambda: sum(slept), sleep)]
    assert sum(slept) == pytest.approx((steps - 1) / 10)
    assert steps < thought(pieces)


@pytest.mark.parametrize("body", [{}, {"thinking": None}, {"thinking": {"type": "disabled"}}], ids=str)
def test_nothing_is_thought_unless_asked_for(body):
    assert read_thinking(body) is None


def test_budget_sent_as_a_float_is_taken():
    asked = {"type": "enabled", "budget_tokens": 2048.0, "thinking_level": "low"}
    assert read_thinking({"thinking": asked}) == Thinking("enabled", 2_048, "low")
