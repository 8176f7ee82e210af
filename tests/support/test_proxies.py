"""The bad proxies are as bad as they are said to be, and no worse."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.support.conditions import eventually
from tests.support.proxies import buffering, cutting
from tests.support.replay import Replay, Script, replaying


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    with replaying() as running:
        yield running


def port(replay: Replay) -> int:
    return int(replay.url.rsplit(":", 1)[1])


def test_buffering_proxy_brings_nothing_before_the_end_and_everything_then(replay: Replay) -> None:
    model = replay.add(Script.of("one two three", hold_after=1))
    with buffering(port(replay)) as proxy:
        url = f"{proxy.url}/v1/completions"
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(url, json={"model": model, "stream": True}, timeout=0.3, trust_env=False)
        assert replay.call(model).sent
        replay.release(model)
        answer = httpx.post(url, json={"model": model, "stream": True}, trust_env=False)
        assert answer.text.count("data: ") == 5
        assert proxy.held == ["/v1/completions"] * 2


def test_buffering_proxy_leaves_upstream_when_its_client_leaves(replay: Replay) -> None:
    model = replay.add(Script.of("one two", hold_after=1))
    with buffering(port(replay)) as proxy:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{proxy.url}/v1/completions", json={"model": model, "stream": True}, timeout=0.3, trust_env=False)
        assert eventually(lambda: replay.call(model).ended) == "client_left"


def test_cutting_proxy_passes_pieces_on_at_once_and_cuts_in_time(replay: Replay) -> None:
    model = replay.add(Script.of("one two", hold_after=1))
    with cutting(port(replay), every_s=0.4) as proxy:
        began = time.monotonic()
        body = {"model": model, "stream": True}
        with httpx.stream("POST", f"{proxy.url}/v1/completions", json=body, trust_env=False) as answer:
            lines = answer.iter_lines()
            assert "one" in next(lines)
            with pytest.raises(httpx.TransportError):
                list(lines)
        assert 0.35 < time.monotonic() - began < 5
        assert proxy.cut == 1
