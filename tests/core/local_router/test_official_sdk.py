"""The official client against the running router."""

from __future__ import annotations

from typing import Any

import pytest
from orq_ai_sdk import Orq
from orq_ai_sdk.models import APIDefaultError, APIErrorResponse, OrqError

from core.local_router.server import LocalRouter
from tests.core.local_router.conftest import KEY

ASKED: dict[str, Any] = {"model": "local/pydoc", "prompt": "A function definition", "temperature": 0, "max_tokens": 12}


@pytest.fixture(scope="module")
def orq(router: LocalRouter) -> Orq:
    return Orq(api_key=KEY, server_url=router.base_url)


def test_completion_is_read(orq: Orq, greedy: str):
    completion = orq.router.completions.create(**ASKED, n=2)
    assert [(choice.index, choice.text, choice.finish_reason) for choice in completion.choices] == [
        (0, greedy, "length"),
        (1, greedy, "length"),
    ]
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (3, 24)
    assert completion.object == "text_completion"


def test_stream_is_read_to_its_end(orq: Orq, greedy: str):
    with orq.router.completions.create(**ASKED, n=2, stream=True) as stream:
        events = [event.data for event in stream]
    for index in (0, 1):
        assert "".join(c.text for event in events for c in event.choices if c.index == index) == greedy
    assert events[-1].choices[0].finish_reason == "length"
    assert events[-1].usage.total_tokens == 27


async def test_stream_is_read_asynchronously(router: LocalRouter, greedy: str):
    async with Orq(api_key=KEY, server_url=router.base_url) as orq:
        async with await orq.router.completions.create_async(**ASKED, stream=True) as stream:
            assert "".join([event.data.choices[0].text async for event in stream]) == greedy
        completion = await orq.router.completions.create_async(**ASKED)
        assert completion.choices[0].text == greedy


def test_text_that_ends_at_a_stop_is_read(orq: Orq, greedy: str):
    with orq.router.completions.create(**ASKED, stop=[greedy.split()[3]], stream=True) as stream:
        events = [event.data for event in stream]
    assert events[-1].choices[0].finish_reason == "stop"


def test_filtered_answer_is_read(orq: Orq):
    completion = orq.router.completions.create(**ASKED | {"model": "rehearsal/content-filter"})
    assert completion.choices[0].finish_reason == "content_filter"


def test_wrong_key_is_the_clients_own_error(router: LocalRouter):
    with Orq(api_key="sk-wrong", server_url=router.base_url) as orq, pytest.raises(APIErrorResponse) as raised:
        orq.router.completions.create(**ASKED)
    assert raised.value.data.error.code == "invalid_api_key"


@pytest.mark.parametrize("status", [400, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504, 529])
def test_error_status_is_an_error_of_the_client(orq: Orq, status):
    with pytest.raises(OrqError) as raised:
        orq.router.completions.create(**ASKED | {"model": f"rehearsal/{status}"})
    assert raised.value.status_code == status


def test_field_that_is_not_built_yet_is_an_error_of_the_client(orq: Orq):
    with pytest.raises(APIDefaultError) as raised:
        orq.router.completions.create(**ASKED, retry={"on_codes": [429]})
    assert raised.value.status_code == 501
    assert "retry" in raised.value.body


def test_models_are_listed(orq: Orq):
    listed = orq.models.list()
    assert listed.data[0].id == "local/pydoc"
