"""Clients of the event streams that drop their connection now and then and go on with what they remember, as browsers do."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx

Texts = dict[int, str]


class Reader:
    """Follows one run to its end. ``texts`` are what it shows, by choice; ``reached`` how far each ever was; ``status`` the end's.

    ``status`` stays empty when the run is nowhere any more. ``connections`` counts the requests it took. A connection that fails is
    made again once ``app_is_up`` says so.
    """

    def __init__(self, http: httpx.AsyncClient, rng: random.Random, app_is_up: Callable[[], Awaitable[object]]) -> None:
        self.http = http
        self.rng = rng
        self.app_is_up = app_is_up
        self.texts: Texts = {}
        self.reached: dict[int, int] = {}
        self.status = ""
        self.gone = False
        self.connections = 0

    async def follow(self) -> None:
        """Until the run's end, however many connections that takes."""
        while not self.status and not self.gone:
            await self.app_is_up()
            self.connections += 1
            try:
                await self.connect(patience=self.rng.choice((1, 3, 10, 10**6)))
            except (httpx.TransportError, httpx.StreamError):
                await asyncio.sleep(0.02)

    async def connect(self, patience: int) -> None:
        """One connection, left after ``patience`` events."""
        raise NotImplementedError

    def begin(self) -> None:
        """Forget the text: it comes anew."""
        self.texts = {}

    def add(self, choice: int, text: str) -> None:
        """Text that came."""
        self.texts[choice] = self.texts.get(choice, "") + text
        self.reached[choice] = max(self.reached.get(choice, 0), len(self.texts[choice]))


class RunReader(Reader):
    """One run's own stream, resumed with ``Last-Event-ID``."""

    def __init__(self, address: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.address = address
        self.last_id = ""

    async def connect(self, patience: int) -> None:
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        async with self.http.stream("GET", self.address, headers=headers) as answer:
            if answer.status_code == 404:
                self.gone = True
                return
            async for name, event_id, data in events(answer):
                if name == "run" and data["seen"] == 0:
                    self.begin()
                elif name == "end":
                    self.status = data["status"]
                elif name == "":
                    self.last_id = event_id
                    for key, text in data.items():
                        self.add(int(key.partition(".")[2] or 0), text)
                patience -= 1
                if not patience or self.status:
                    return


class PollReader(Reader):
    """One run's text by polling, each time from where the last answer ended."""

    def __init__(self, address: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.address = address
        self.cursor: str | int = 0

    async def connect(self, patience: int) -> None:
        response = await self.http.get(f"{self.address}&from={self.cursor}")
        if response.status_code == 404:
            self.gone = True
            return
        answer = response.json()
        assert response.status_code == 200, answer
        if answer["from"] == 0:
            self.begin()
        for choice, text in answer["text"].items():
            self.add(int(choice), text)
        self.cursor = answer["next"]
        if answer["ended"]:
            self.status = answer["status"]
        await asyncio.sleep(0.01 * min(patience, 20))


class ChannelReader(Reader):
    """A page with one slot. After a restart of the app its channel shows nothing, and ``show`` does what drawing the page anew does:
    has the slot show the run, and tells whether there still is one."""

    def __init__(self, address: str, run: str, show: Callable[[], Awaitable[bool]], **rest: Any) -> None:
        super().__init__(**rest)
        self.address = address
        self.run = run
        self.show = show
        self.number = ""
        self.last_id = ""

    async def connect(self, patience: int) -> None:
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        async with self.http.stream("GET", self.address, headers=headers) as answer:
            async for name, event_id, data in events(answer):
                self.last_id = event_id or self.last_id
                if (name == "hello" and not data["runs"]) or name == "gone":
                    self.gone = not await self.show()
                elif name == "run":
                    if data["n"] != self.number or data["seen"] == 0:
                        self.begin()
                    self.number = data["n"]
                elif name == "end" and data["run"] == self.run:
                    self.status = data["status"]
                elif name == "":
                    for key, text in data.items():
                        self.add(int(key.partition(".")[2] or 0), text)
                patience -= 1
                if not patience or self.status or self.gone:
                    return


async def events(answer: httpx.Response) -> AsyncIterator[tuple[str, str, Any]]:
    """Name, id and data of each event; the id is empty where it has none."""
    name, event_id, data = "", "", ""
    async for line in answer.aiter_lines():
        field, _, value = line.partition(":")
        if not line:
            if data:
                yield name, event_id, json.loads(data)
            name, event_id, data = "", "", ""
        elif field == "event":
            name = value
        elif field == "id":
            event_id = value
        elif field == "data":
            data = value
