"""What a short script run draws reaches the browser at once, not piece by piece.

Streamlit sends *a run began*, *it is running*, what the run draws, and *it ended* as they come. Its page renders every element anew after
each of those that it finds apart: a run of 10 ms cost a browser with a large page three renderings of 25 ms, one after the other. Held
back until the run has ended, and sent behind a message that nothing is rendered for, they cost one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

HOLD_S = 0.1
"""How long messages of a run are held back at most: one that takes longer is shown as it comes, in steps of this length."""

MOST_HELD = 400
"""Messages held back at most."""

PATH = "/_stcore/stream"

# Fields of ForwardMsg (streamlit/proto/ForwardMsg.proto, 1.67) and of the SessionStatus in it. The first two stand before what it is.
HASH, METADATA, NEW_SESSION, SCRIPT_FINISHED, SESSION_STATUS_CHANGED = 1, 2, 4, 6, 9
SCRIPT_IS_RUNNING = 2
FINISHED_EARLY_FOR_RERUN = 2
"""The status of a run in place of which another one begins at once, as ``st.rerun`` in a callback has it."""

NOTHING_NEW = b"\xd0\x01\x01"
"""A ForwardMsg with ``heartbeat_ack``, which stands before several messages. Chromium hands the first of many to the page before it looks
for more, and React renders what that one changes before the others are handed over: here, nothing."""

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class MessageBursts:
    """ASGI middleware that holds back, on Streamlit's socket, what belongs to a script run until it ends. The rest passes as it comes."""

    def __init__(self, app: App, hold_s: float = HOLD_S) -> None:
        self._app = app
        self._hold_s = hold_s

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "websocket" or not scope["path"].endswith(PATH):
            await self._app(scope, receive, send)
            return
        burst = Burst(send, self._hold_s)
        try:
            await self._app(scope, receive, burst.send)
        finally:
            burst.drop()


class Burst:
    """What is held back of one connection; ``send`` is its own, which is called with one message at a time, in their order."""

    def __init__(self, send: Send, hold_s: float = HOLD_S) -> None:
        self._send = send
        self._hold_s = hold_s
        self._held: list[Message] = []
        self._running = self._goes_on = False
        self._order = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._late: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    async def send(self, message: Message) -> None:
        """Take one message, and send what need not wait any more. What the connection raises for a late one is raised at the next."""
        if self._failure is not None:
            raise self._failure
        self._held.append(message)
        if not self._waits(message.get("bytes")) or len(self._held) >= MOST_HELD:
            await self._send_held()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._hold_s, self._begin_late)

    def drop(self) -> None:
        """Send nothing more: the connection is gone."""
        for waiting in (self._timer, self._late):
            if waiting is not None:
                waiting.cancel()

    def _waits(self, payload: bytes | None) -> bool:
        """Whether a message belongs to a run that has not ended."""
        if payload is None:
            return False
        match kind(payload):
            case int(number), _ if number == NEW_SESSION:
                self._running, self._goes_on = True, False
            case int(number), status if number == SCRIPT_FINISHED:
                self._goes_on = status == FINISHED_EARLY_FOR_RERUN
            case int(number), bytes(status) if number == SESSION_STATUS_CHANGED:
                self._running = bool(dict(fields(status)).get(SCRIPT_IS_RUNNING)) or (self._running and self._goes_on)
        return self._running

    async def _send_held(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        async with self._order:
            held, self._held = self._held, []
            if len(held) > 1:
                await self._send({"type": "websocket.send", "bytes": NOTHING_NEW})
            for message in held:
                await self._send(message)

    def _begin_late(self) -> None:
        self._timer = None
        self._late = asyncio.get_running_loop().create_task(self._send_late())

    async def _send_late(self) -> None:
        try:
            await self._send_held()
        except (OSError, RuntimeError) as failure:  # the connection is gone: whoever sends next is told
            self._failure = failure


def kind(payload: bytes) -> tuple[int, int | bytes] | None:
    """Which kind of message a serialized ForwardMsg is, by its field's number, and the field's value; None where it cannot be told."""
    return next((field for field in fields(payload) if field[0] not in (HASH, METADATA)), None)


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message of Protocol Buffers as they stand: numbers and lengths of bytes. Ends before what is neither, or is cut."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        value, at = _varint(data, at)
        match tag & 7:
            case 0:
                yield tag >> 3, value
            case 2 if at + value <= len(data):
                yield tag >> 3, data[at : at + value]
                at += value
            case _:
                return


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at ``at``, and where it ends."""
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            break
    return value, at
