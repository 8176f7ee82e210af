"""OpenAI's client against ``/v1``: what each field it shares with the contract does, sync and async, whole and streamed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import openai
import pytest

from core.local_router.server import LocalRouter
from tests.core.local_router.conftest import KEY

ASKED: dict[str, Any] = {"model": "local/pydoc", "prompt": "A function definition", "temperature": 0, "max_tokens": 12}
WAYS = ("sync", "sync stream", "async", "async stream")


class Said(NamedTuple):
    """Texts and finish reasons by choice; usage as it came last; how many frames there were, and how many of them had usage."""

    texts: dict[int, str]
    reasons: dict[int, str | None]
    usage: Any
    frames: int
    frames_with_usage: int


class Client:
    """Asks in one of the four ways."""

    def __init__(self, base_url: str, way: str) -> None:
        self.base_url = f"{base_url}/v1"
        self.streams = way.endswith("stream")
        self.is_async = way.startswith("async")

    def __call__(self, key: str = KEY, max_retries: int = 0, **fields: Any) -> Said:
        asked = ASKED | fields | ({"stream": True} if self.streams else {})
        options: dict[str, Any] = {"api_key": key, "base_url": self.base_url, "max_retries": max_retries, "timeout": 30}
        return _said(asyncio.run(self._async(options, asked)) if self.is_async else self._sync(options, asked))

    def _sync(self, options: dict[str, Any], asked: dict[str, Any]) -> list[Any]:
        with openai.OpenAI(**options) as client:
            answer = client.completions.create(**asked)
            return list(answer) if self.streams else [answer]

    async def _async(self, options: dict[str, Any], asked: dict[str, Any]) -> list[Any]:
        async with openai.AsyncOpenAI(**options) as client:
            answer = await client.completions.create(**asked)
            return [chunk async for chunk in answer] if self.streams else [answer]


def _said(chunks: list[Any]) -> Said:
    texts: dict[int, str] = defaultdict(str)
    reasons: dict[int, str | None] = {}
    for chunk in chunks:
        for choice in chunk.choices:
            assert reasons.get(choice.index) is None, "a choice went on after its finish reason"
            texts[choice.index] += choice.text
            reasons[choice.index] = choice.finish_reason
    return Said(dict(texts), reasons, chunks[-1].usage, len(chunks), sum(chunk.usage is not None for chunk in chunks))


@pytest.fixture(params=WAYS)
def ask(router: LocalRouter, request: pytest.FixtureRequest) -> Client:
    return Client(router.base_url, request.param)


@pytest.fixture
def client(router: LocalRouter) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=KEY, base_url=f"{router.base_url}/v1", max_retries=0) as client:
        yield client


def test_completion_is_read_with_its_usage_at_the_end(ask: Client, greedy: str):
    said = ask(user="u")
    assert (said.texts, said.reasons) == ({0: greedy}, {0: "length"})
    assert (said.usage.prompt_tokens, said.usage.completion_tokens, said.usage.total_tokens) == (3, 12, 15)
    assert (said.frames, said.frames_with_usage) == (12 if ask.streams else 1, 1)


def test_no_finish_reason_comes_before_the_last_frame(client: openai.OpenAI):
    chunks = list(client.completions.create(**ASKED, stream=True))
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * 11 + ["length"]
    assert {chunk.object for chunk in chunks} == {"text_completion"}
    assert len({chunk.id for chunk in chunks}) == 1


def test_n_texts_come_under_their_indices(ask: Client):
    said = ask(n=3, temperature=1, seed=1)
    assert sorted(said.texts) == [0, 1, 2]
    assert len(set(said.texts.values())) == 3
    assert said.usage.completion_tokens == 36


async def test_choices_of_a_stream_come_in_turns(router: LocalRouter):
    async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{router.base_url}/v1") as client:
        stream = await client.completions.create(**ASKED, n=3, seed=1, stream=True)
        indices = [choice.index async for chunk in stream for choice in chunk.choices]
    assert indices == [0, 1, 2] * 12


def test_echo_puts_the_prompt_first(ask: Client, greedy: str):
    assert ask(echo=True).texts == {0: ASKED["prompt"] + greedy}


def test_stop_ends_the_text_before_itself(ask: Client, greedy: str):
    word = greedy.split()[3]
    said = ask(stop=["never said", word])
    assert (said.texts, said.reasons) == ({0: greedy.partition(word)[0]}, {0: "stop"})
    assert ask(stop=word).texts == said.texts


def test_seed_repeats_a_text(ask: Client):
    first, again, other = (ask(seed=seed, temperature=1).texts for seed in (5, 5, 6))
    assert first == again != other


def test_sampling_fields_reach_the_model(ask: Client, greedy: str):
    hot = {"temperature": 2, "seed": 3}
    assert ask(**hot).texts != {0: greedy}
    assert ask(**hot, top_p=0.0001).texts == {0: greedy}
    long = {"model": "local/pydoc-1", "temperature": 1, "seed": 5, "max_tokens": 300}
    for penalty in ("frequency_penalty", "presence_penalty"):
        much, little = (ask(**long, **{penalty: value}).texts[0].split() for value in (2, -2))
        assert len(set(much)) / len(much) > len(set(little)) / len(little)


@pytest.mark.parametrize("field", [{"best_of": 2}, {"logprobs": 1}, {"logit_bias": {"50256": -100}}, {"suffix": "end"}], ids=str)
def test_field_the_contract_does_not_have_is_refused_by_name(ask: Client, field):
    with pytest.raises(openai.BadRequestError) as raised:
        ask(**field)
    assert raised.value.param == next(iter(field))


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("rehearsal/400", openai.BadRequestError),
        ("rehearsal/401", openai.AuthenticationError),
        ("rehearsal/402", openai.APIStatusError),
        ("rehearsal/403", openai.PermissionDeniedError),
        ("nobody/nothing", openai.NotFoundError),
        ("rehearsal/408", openai.APIStatusError),
        ("rehearsal/409", openai.ConflictError),
        ("rehearsal/422", openai.UnprocessableEntityError),
        ("rehearsal/429", openai.RateLimitError),
        *((f"rehearsal/{status}", openai.InternalServerError) for status in (500, 502, 503, 504, 529)),
    ],
)
def test_errors_are_the_clients_own_classes(ask: Client, model, error):
    with pytest.raises(error) as raised:
        ask(model=model)
    assert raised.type is error
    assert (raised.value.code, raised.value.type) != (None, None)
    assert model.removeprefix("rehearsal/") in raised.value.message


def test_wrong_key_is_an_authentication_error(ask: Client):
    with pytest.raises(openai.AuthenticationError) as raised:
        ask(key="sk-wrong")
    assert raised.value.code == "invalid_api_key"


def test_wait_is_told_to_the_client(client: openai.OpenAI):
    with pytest.raises(openai.RateLimitError) as raised:
        client.completions.create(**ASKED | {"model": "rehearsal/429"})
    assert raised.value.response.headers["retry-after-ms"] == "1000"
    assert raised.value.request_id is None
    assert raised.value.response.headers["x-router-request-id"]


def test_error_in_the_answer_is_raised(ask: Client):
    with pytest.raises(openai.APIError, match="error after 2 tokens"):
        ask(model="rehearsal/error-after-2")


def test_answer_cut_off_is_raised(ask: Client):
    with pytest.raises(httpx.RemoteProtocolError if ask.streams else openai.APIConnectionError):
        ask(model="rehearsal/cut-after-2")


def test_client_retries_until_the_script_lets_it_through(ask: Client, greedy: str):
    assert ask(key=KEY, max_retries=1, model=f"rehearsal/409-ok{'-ok' * WAYS.index(_way(ask))}").texts == {0: greedy}


def _way(ask: Client) -> str:
    return f"{'async' if ask.is_async else 'sync'}{' stream' if ask.streams else ''}"


def test_models_are_listed(client: openai.OpenAI):
    assert "local/pydoc" in [model.id for model in client.models.list()]


def test_router_that_is_gone_is_a_connection_error():
    for way in WAYS:
        with pytest.raises(openai.APIConnectionError):
            Client("http://127.0.0.1:9", way)()
