"""Exported code on the embedded local router: it sends what our own client sends, and with the same seed it is told the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import httpx
import pytest

import core.local_router.server
import core.snippets.call
from core.client.client import RouterClient
from core.connection import DEFAULT_PATHS, Connection
from core.importers.shell import Shell, commands
from core.local_router.app import local_router_app
from core.local_router.server import LocalRouter
from core.snippets import Language, call_to, language
from tests.core.snippets.running import ENVIRONMENT, KEY, RUNNABLE, expected, needed, run, run_process

SEEDED: dict[str, Any] = {
    "model": "local/pydoc",
    "prompt": "A generator\nis a 'function' that \"returns\" $HOME",
    "max_tokens": 40,
    "temperature": 0.9,
    "top_p": 0.95,
    "seed": 20_261,
    "stop": ["\n\n"],
}
ROUTED: dict[str, Any] = {
    **{name: value for name, value in SEEDED.items() if name != "model"},
    "model": "rehearsal/503",
    "fallbacks": [{"model": "local/pydoc-3"}],
    "timeout": {"call_timeout": 20_000},
    "name": "a snippet",
    "orq": {"thread": {"id": "t", "tags": ["x"]}, "identity": {"id": "ann"}},
}
BODIES = {
    "whole": SEEDED,
    "streamed": {**SEEDED, "stream": True},
    "answered by a fallback": ROUTED,
    "answered by a fallback, streamed": {**ROUTED, "stream": True},
}


class Wiretap:
    """The router's application, and the bodies of all completions it was asked for."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.state = app.state
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        read = bytearray()

        async def listened() -> Any:
            message = await receive()
            if message["type"] == "http.request":
                read.extend(message.get("body", b""))
                if not message.get("more_body", False) and scope["method"] == "POST":
                    self.bodies.append(bytes(read))
            return message

        await self.app(scope, listened, send)


class Tapped:
    """A running local router, the connection to it as the playground has it, and what came over the wire."""

    def __init__(self, router: LocalRouter, taps: list[Wiretap]) -> None:
        self.connection = Connection("Local router", "local", router.base_url, DEFAULT_PATHS["local"], router.api_key)
        self._taps = taps

    @property
    def came(self) -> list[dict[str, Any]]:
        """The bodies so far."""
        return [json.loads(body) for tap in self._taps for body in tap.bodies]

    def ours(self, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """What our own client is told, and the body it sent."""

        async def asked() -> str:
            async with RouterClient(self.connection) as client:
                return (await client.complete(body)).choices[0].text

        return asyncio.run(asked()), self.came[-1]


@pytest.fixture(scope="module")
def router() -> Iterator[Tapped]:
    taps: list[Wiretap] = []

    def tapped(*arguments: Any, **named: Any) -> Any:
        taps.append(Wiretap(local_router_app(*arguments, **named)))
        return taps[-1]

    with (
        mock.patch.object(core.local_router.server, "local_router_app", tapped),
        LocalRouter(pace=0, api_key=KEY).running() as running,
        # Code for the local router names the port of one that was started for programs; here that is this one.
        mock.patch.object(core.snippets.call, "LOCAL_URL", running.base_url),
    ):
        yield Tapped(running, taps)


def told(one: Language, printed: str, *, streams: bool) -> str:
    """The text in what a program printed: a line for the choice of a whole answer, the pieces of a stream as they are, curl's own reply."""
    if one.highlight != "bash":
        return printed if streams else printed.removesuffix("\n")
    frames = [line[6:] for line in printed.splitlines() if line.startswith("data: {")] if streams else [printed]
    return "".join(choice["text"] for frame in frames for choice in json.loads(frame)["choices"])


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("one", RUNNABLE, ids=lambda one: one.id)
def test_code_is_told_by_the_local_router_what_our_own_client_is_told(router: Tapped, one: Language, name: str) -> None:
    packages = needed(one)
    body = BODIES[name]
    text, sent = router.ours(body)
    before = len(router.came)
    printed = run(one, one.write(call_to(body, router.connection)), packages)
    assert told(one, printed, streams=body.get("stream") is True) == text
    assert len(text) > 20
    assert sent == body
    (came,) = router.came[before:]
    assert came == expected(one, sent)


@pytest.mark.parametrize("shell", ["powershell", "cmd"])
def test_a_command_for_windows_is_told_the_same_with_its_words_as_our_reader_splits_them(router: Tapped, shell: Shell) -> None:
    needed(language("curl"))
    text, sent = router.ours(SEEDED)
    code = language(f"curl-{shell}").write(call_to(SEEDED, router.connection))
    command = [one for one in commands(code, shell) if one.words and one.words[0] in ("curl", "curl.exe")][-1]
    variable = {"powershell": "$env:ORQ_API_KEY", "cmd": "%ORQ_API_KEY%"}[shell]
    words = [word.replace(variable, ENVIRONMENT["ORQ_API_KEY"]) for word in command.words[1:]]
    printed = run_process(["curl", *words], command.typed)
    assert told(language("curl"), printed, streams=False) == text
    assert router.came[-1] == sent


def test_the_raw_json_is_the_body(router: Tapped) -> None:
    text, sent = router.ours(SEEDED)
    written = language("json").write(call_to(SEEDED, router.connection))
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    answer = httpx.post(router.connection.base_url + router.connection.path, content=written, headers=headers, timeout=30)
    assert answer.raise_for_status().json()["choices"][0]["text"] == text
    assert router.came[-1] == sent
