"""A learned model and a running router, once a test process."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from core.local_router.generation import Task, generate
from core.local_router.models.corpus import topics
from core.local_router.models.ngram import LearnedText, NgramModel
from core.local_router.models.sampling import SamplingParameters
from core.local_router.server import LocalRouter

KEY = "sk-local-3f9a77c1"


@pytest.fixture(scope="session")
def learned() -> LearnedText:
    return LearnedText(topics())


@pytest.fixture(scope="session")
def greedy(learned: LearnedText) -> str:
    """What ``local/pydoc`` says at temperature 0 after "A function definition", twelve tokens long, on this Python."""
    prompt = "A function definition"
    task = Task(prompt, learned.tokenizer.encode(prompt), SamplingParameters(temperature=0), max_tokens=12, n=1, stops=(), echo=False)
    return "".join(piece.text for piece in generate(NgramModel(learned), task))


@pytest.fixture(scope="session")
def router() -> Iterator[LocalRouter]:
    with LocalRouter(api_key=KEY, pace=0).running() as running:
        yield running


@pytest.fixture
def client(router: LocalRouter) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=router.base_url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as client:
        yield client
