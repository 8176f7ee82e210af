from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.local_router.answer import Piece
from core.local_router.generation import BATCH_TOKENS, Task, generate, paced, unpaced
from core.local_router.models.corpus import topics
from core.local_router.models.ngram import LearnedText, NgramModel
from core.local_router.models.sampling import SamplingParameters

TEXT = LearnedText(topics())
MODEL = NgramModel(TEXT)


def task(prompt: str = "A class", **changes) -> Task:
    settings = {"temperature": 1.0, "seed": 1} | {name: changes.pop(name) for name in ("seed", "temperature") if name in changes}
    values = {"max_tokens": 40, "n": 1, "stops": (), "echo": False} | changes
    return Task(prompt, TEXT.tokenizer.encode(prompt), SamplingParameters(**settings), **values)


def text(pieces: list[Piece], choice: int = 0) -> str:
    return "".join(piece.text for piece in pieces if piece.choice == choice)


def test_length_is_reached_exactly():
    pieces = list(generate(MODEL, task(max_tokens=25, temperature=0)))
    assert sum(piece.tokens for piece in pieces) == 25
    assert [piece.finish_reason for piece in pieces] == [None] * 24 + ["length"]
    assert len(TEXT.tokenizer.encode(text(pieces))) == 25


def test_end_of_text_finishes_as_stop_and_costs_nothing():
    for seed in range(200):
        pieces = list(generate(MODEL, task(seed=seed, max_tokens=3_000)))
        if pieces[-1].finish_reason == "stop":
            assert pieces[-1] == Piece(0, "", "stop", 0)
            assert sum(piece.tokens for piece in pieces) == len(pieces) - 1 < 3_000
            return
    pytest.fail("the model never ended its text")


@given(st.integers(0, 10_000), st.data())
@settings(max_examples=60, deadline=None)
def test_stop_that_spans_tokens_ends_the_text_before_it(seed, data):
    free = text(list(generate(MODEL, task(seed=seed))))
    start = data.draw(st.integers(0, len(free) - 1))
    stop = free[start : start + data.draw(st.integers(1, 12))]
    pieces = list(generate(MODEL, task(seed=seed, stops=(stop,))))
    assert text(pieces) == free.partition(stop)[0]
    assert pieces[-1].finish_reason == "stop"


def test_tokens_of_the_stop_are_counted():
    free = list(generate(MODEL, task(temperature=0)))
    stop = free[3].text + free[4].text
    pieces = list(generate(MODEL, task(temperature=0, stops=(stop,))))
    assert sum(piece.tokens for piece in pieces) == 5
    assert text(pieces) == "".join(piece.text for piece in free[:3])


def test_text_held_back_comes_out_at_the_end():
    free = text(list(generate(MODEL, task(temperature=0))))
    pieces = list(generate(MODEL, task(temperature=0, stops=(free[-3:] + " never comes",))))
    assert text(pieces) == free
    assert pieces[-1].finish_reason == "length"


def test_choices_take_turns_and_differ():
    pieces = list(generate(MODEL, task(n=3, max_tokens=20, echo=True)))
    assert [piece.choice for piece in pieces[:9]] == [0, 1, 2] * 3
    assert len({text(pieces, choice) for choice in range(3)}) == 3


def test_first_choice_does_not_depend_on_how_many_there_are():
    assert text(list(generate(MODEL, task(n=4)))) == text(list(generate(MODEL, task(n=1))))


def test_echo_puts_the_prompt_first_and_costs_nothing():
    plain, echoed = (list(generate(MODEL, task(echo=echo, n=2))) for echo in (False, True))
    assert text(echoed, 1) == "A class" + text(plain, 1)
    assert sum(piece.tokens for piece in echoed) == sum(piece.tokens for piece in plain)


def test_stop_in_the_prompt_does_not_end_the_echo():
    assert text(list(generate(MODEL, task(echo=True, stops=("class",))))).startswith("A class")


@pytest.mark.parametrize("settings", [{"temperature": 0}, {"temperature": 1.0}, {"temperature": 1.5}], ids=str)
def test_prompt_that_ends_in_a_space_goes_on_with_a_word(settings):
    for seed in range(20):
        said = text(list(generate(MODEL, task("A class ", seed=seed, **settings))))
        assert said
        assert not said[0].isspace()


def test_space_at_the_end_of_the_prompt_changes_nothing_but_itself():
    without, with_space = (
        text(list(generate(MODEL, task(prompt, temperature=0)))) for prompt in ("A function definition", "A function definition ")
    )
    assert without == " " + with_space


def counting(number: int) -> Iterator[Piece]:
    return (Piece(0, str(place), None, 1) for place in range(number))


async def test_unpaced_pieces_come_in_batches_and_others_get_their_turn():
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    busy = asyncio.create_task(other())
    batches = [batch async for batch in unpaced(counting(BATCH_TOKENS * 5))]
    busy.cancel()
    assert [piece.text for batch in batches for piece in batch] == [str(place) for place in range(BATCH_TOKENS * 5)]
    assert max(map(len, batches)) == BATCH_TOKENS
    assert turns >= 4


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def arrivals(tokens: int, tokens_per_s: float, stall_after: int = -1, stall_s: float = 0.0) -> list[float]:
    """When each token comes, in seconds after the start; the reader stalls once."""
    clock, times = Clock(), []
    async for batch in paced(counting(tokens), tokens_per_s, clock, clock.sleep):
        times += [clock.now - 100] * len(batch)
        if len(times) == stall_after:
            clock.now += stall_s
    return times


async def test_each_token_comes_when_it_is_due():
    assert await arrivals(1_000, 80) == pytest.approx([place / 80 for place in range(1_000)])


async def test_delay_does_not_move_the_schedule():
    times = await arrivals(60, 200, stall_after=20, stall_s=0.1)
    assert times[:20] == pytest.approx([place / 200 for place in range(20)], abs=1e-9)
    assert times[-1] == pytest.approx(59 / 200)
    assert sum(when == times[25] for when in times) >= 18  # what was due in the meantime comes together


async def test_first_token_is_not_delayed():
    assert (await arrivals(3, 2))[0] == 0
