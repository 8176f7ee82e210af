"""The scripted upstream: what tests of everything else stand on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.support.conditions import eventually
from tests.support.replay import Replay, Script, replaying, words


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    with replaying() as running:
        yield running


def post(replay: Replay, model: str, **body: object) -> httpx.Response:
    sent = {"model": model, "prompt": "two words", **body}
    return httpx.post(f"{replay.url}/v2/router/completions", json=sent, trust_env=False)


def frames(text: str) -> list[str]:
    return [line.removeprefix("data: ") for line in text.split("\n\n") if line]


def test_words_joined_again_are_the_text() -> None:
    text = "  مرحبا 🙂\n\n a\tb  "
    assert "".join(words(text)) == text


def test_stream_sends_one_frame_a_piece_then_usage_then_done(replay: Replay) -> None:
    model = replay.add(Script.of("one two three"))
    *pieces, usage, done = frames(post(replay, model, stream=True).text)
    assert [json.loads(frame)["choices"][0]["text"] for frame in pieces] == ["one", " two", " three"]
    assert json.loads(usage)["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
    assert done == "[DONE]"


def test_choices_are_interleaved(replay: Replay) -> None:
    model = replay.add(Script.choices("a b", "x y z"))
    sent = [json.loads(frame)["choices"] for frame in frames(post(replay, model, stream=True).text)[:-2]]
    assert [choices[0]["index"] for choices in sent] == [0, 1, 0, 1, 1]


def test_without_stream_the_whole_text_comes_as_one_completion(replay: Replay) -> None:
    model = replay.add(Script.choices("a b", "x", finish_reason="length"))
    answer = post(replay, model).json()
    assert [(choice["text"], choice["finish_reason"]) for choice in answer["choices"]] == [("a b", "length"), ("x", "length")]


def test_refusal_keeps_status_code_and_headers(replay: Replay) -> None:
    model = replay.add(Script.refusal(429, "rate_limit_exceeded", "slow down", retry_after="2"))
    answer = post(replay, model, stream=True)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"


def test_cut_ends_the_connection_inside_the_body(replay: Replay) -> None:
    model = replay.add(Script.of("one two", ending="cut"))
    with pytest.raises(httpx.RemoteProtocolError):
        post(replay, model, stream=True)
    assert eventually(lambda: replay.call(model).ended) == "cut"


def test_held_stream_goes_on_after_release_and_tells_what_was_sent_until_then(replay: Replay) -> None:
    model = replay.add(Script.of("one two three", hold_after=2))
    with httpx.stream("POST", f"{replay.url}/v1/completions", json={"model": model, "stream": True}, trust_env=False) as answer:
        lines = answer.iter_lines()
        assert "one" in next(lines)
        eventually(lambda: len(replay.call(model).sent) == 2)
        replay.release(model)
        assert [line for line in lines if line][-1] == "data: [DONE]"
    assert eventually(lambda: replay.call(model).ended) == "done"


def test_client_that_leaves_is_noticed_while_the_stream_is_held(replay: Replay) -> None:
    model = replay.add(Script.of("one two", hold_after=1))
    with httpx.stream("POST", f"{replay.url}/v1/completions", json={"model": model, "stream": True}, trust_env=False) as answer:
        next(answer.iter_lines())
    assert eventually(lambda: replay.call(model).ended) == "client_left"
    assert [text for _, _, text in replay.call(model).sent] == ["one"]


def test_pieces_keep_their_pace(replay: Replay) -> None:
    model = replay.add(Script.of("a b c d e", tokens_per_s=100, first_token_s=0.05))
    post(replay, model, stream=True)
    call = replay.call(model)
    assert call.first_token_s >= 0.05
    assert call.sent[-1][0] - call.received_at >= 0.05 + 4 / 100


def test_models_lists_the_scripts_and_an_unknown_model_is_told(replay: Replay) -> None:
    model = replay.add(Script(), name="replay/listed")
    listed = httpx.get(f"{replay.url}/v3/router/models", trust_env=False).json()["data"]
    assert model in {entry["id"] for entry in listed}
    assert post(replay, "replay/unheard-of").status_code == 404
