"""OpenAI's client against ``/v1``."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from core.local_router.server import LocalRouter
from tests.core.local_router.conftest import KEY

ASKED: dict[str, Any] = {"model": "local/pydoc", "prompt": "A function definition", "temperature": 0, "max_tokens": 12}


@pytest.fixture
def client(router: LocalRouter) -> openai.OpenAI:
    return openai.OpenAI(api_key=KEY, base_url=f"{router.base_url}/v1", max_retries=0)


def test_completion_is_read(client: openai.OpenAI, greedy: str):
    completion = client.completions.create(**ASKED, user="u")
    assert (completion.choices[0].text, completion.choices[0].finish_reason) == (greedy, "length")
    assert completion.usage.total_tokens == 15


def test_stream_is_read(client: openai.OpenAI, greedy: str):
    chunks = list(client.completions.create(**ASKED, stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == greedy
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * 11 + ["length"]
    assert chunks[-1].usage.completion_tokens == 12


async def test_stream_is_read_asynchronously(router: LocalRouter):
    async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{router.base_url}/v1") as client:
        stream = await client.completions.create(**ASKED, n=3, seed=1, stream=True)
        indices = [choice.index async for chunk in stream for choice in chunk.choices]
    assert indices == [0, 1, 2] * 12


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("rehearsal/400", openai.BadRequestError),
        ("rehearsal/401", openai.AuthenticationError),
        ("rehearsal/403", openai.PermissionDeniedError),
        ("nobody/nothing", openai.NotFoundError),
        ("rehearsal/409", openai.ConflictError),
        ("rehearsal/422", openai.UnprocessableEntityError),
        ("rehearsal/429", openai.RateLimitError),
        ("rehearsal/503", openai.InternalServerError),
    ],
)
def test_errors_are_the_clients_own_classes(client: openai.OpenAI, model, error):
    with pytest.raises(error) as raised:
        client.completions.create(**ASKED | {"model": model})
    assert raised.value.code


def test_error_frame_is_raised_by_the_client(client: openai.OpenAI):
    with pytest.raises(openai.APIError, match="error after 2 tokens"):
        list(client.completions.create(**ASKED | {"model": "rehearsal/error-after-2"}, stream=True))


def test_client_retries_until_the_script_lets_it_through(router: LocalRouter, greedy: str):
    client = openai.OpenAI(api_key=KEY, base_url=f"{router.base_url}/v1", max_retries=1)
    assert client.completions.create(**ASKED | {"model": "rehearsal/409-ok"}).choices[0].text == greedy


def test_models_are_listed(client: openai.OpenAI):
    assert "local/pydoc" in [model.id for model in client.models.list()]
