"""Channels: what one page watches. A slot of a channel shows one run; a reader is one connection that follows a channel.

A channel holds no text: a reader's cursor says how many pieces of each run it has seen, and the runs' logs give the rest. So a slow
or vanished reader costs nothing, and whoever comes back with its cursor misses nothing and gets nothing twice.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from core.piece_log import FRAME_CHARACTERS
from core.run import Run

_FIRST_NUMBERS: Final = 36**3
_CURSOR_PART: Final = re.compile(r"([0-9a-z]{1,12}):([0-9]{1,12})(?::([0-9]{1,12}))?", re.ASCII)
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"

Cursor = dict[str, int]
"""Attachment number -> events seen of its run: its pieces, and one more once its end was seen."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A run shown in a slot. ``number`` is this showing's name in cursors: short, and never used twice by a process."""

    number: str
    slot: str
    run: Run


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event. ``name`` is empty for pieces of text; ``cursor`` is the reader's after it, where it changed."""

    name: str
    data: Mapping[str, Any]
    cursor: str | None = None

    def encode(self) -> bytes:
        """The event on the wire. Kept short: one goes out per animation frame and page."""
        lines = b"id:" + self.cursor.encode("ascii") + b"\n" if self.cursor is not None else b""
        if self.name:
            lines += b"event:" + self.name.encode("ascii") + b"\n"
        return lines + b"data:" + orjson.dumps(self.data) + b"\n\n"


class Numbers:
    """Numbers attachments in base 36, from a random start: a cursor from before a restart matches nothing."""

    def __init__(self) -> None:
        self._next = itertools.count(_FIRST_NUMBERS // 36 + secrets.randbelow(_FIRST_NUMBERS))

    def take(self) -> str:
        """The next number; thread-safe."""
        number, digits = next(self._next), ""
        while number:
            number, digit = divmod(number, 36)
            digits = _DIGITS[digit] + digits
        return digits


def parse_cursor(text: str) -> Cursor:
    """The cursor in ``text``; what is not a cursor counts as having seen nothing."""
    return {number: seen for number, seen, _ in _cursor_parts(text)}


def parse_versions(text: str) -> dict[str, int]:
    """Which version of each run's state a poll's cursor has seen; -1 where it does not say."""
    return {number: version for number, _, version in _cursor_parts(text)}


def _cursor_parts(text: str) -> Iterator[tuple[str, int, int]]:
    for part in text.split(","):
        match = _CURSOR_PART.fullmatch(part)
        if match:
            yield match[1], int(match[2]), int(match[3] or -1)


def format_cursor(cursor: Mapping[str, int]) -> str:
    """``k3f:120,k3g:7``."""
    return ",".join([f"{number}:{seen}" for number, seen in cursor.items()])


class Channel:
    """One page's slots and those who follow them. Slots change by replacement, so that any thread may change and the loop read."""

    def __init__(self, channel_id: str, now: float) -> None:
        self.id = channel_id
        self.slots: Mapping[str, Attachment] = {}
        self.evicted: frozenset[str] = frozenset()
        self.readers: set[Reader] = set()
        self.idle_since = now
        self.closed = False

    def show(self, attachment: Attachment) -> None:
        """Let a slot show a run."""
        self.evicted -= {attachment.slot}
        self.slots = {**self.slots, attachment.slot: attachment}

    def clear(self, slot: str) -> None:
        """Let a slot show nothing."""
        self.slots = {name: attachment for name, attachment in self.slots.items() if name != slot}

    def evict(self, slot: str) -> None:
        """The slot's run is no longer in memory; what a panel already shows of it may stay."""
        self.evicted |= {slot}
        self.clear(slot)

    def wake(self, *, at_once: bool = False) -> None:
        """Tell the readers that there is something; ``at_once`` when it is more than another piece of text. Loop only."""
        for reader in self.readers:
            reader.ready.set()
            if at_once:
                reader.urgent.set()

    def close(self) -> None:
        """Let every reader go. Loop only."""
        self.closed = True
        self.wake(at_once=True)


class Reader:
    """One connection's view of a channel: what it has been told, and what is new. Loop only.

    ``sign`` gives a run's token. ``cursor`` is what an earlier connection of the same client had seen. ``versions`` are the states a
    polling client still knows: those runs are not announced again, while a new connection is told of each run once.
    """

    def __init__(
        self,
        channel: Channel,
        sign: Callable[[str], str],
        cursor: Cursor | None = None,
        versions: Mapping[str, int] | None = None,
    ) -> None:
        self.channel = channel
        self.ready = asyncio.Event()
        self.urgent = asyncio.Event()
        self._sign = sign
        self._seen: Cursor = dict(cursor or {})
        self._told: dict[str, int] = dict(versions or {})
        self._shown: dict[str, str] = {}

    @property
    def cursor(self) -> str:
        """How far this reader is, over the runs the channel shows now."""
        return format_cursor({a.number: self._seen.get(a.number, 0) for a in self.channel.slots.values()})

    @property
    def poll_cursor(self) -> str:
        """As ``cursor``, with the states told: what a client gives back at its next poll."""
        slots = self.channel.slots.values()
        return ",".join([f"{a.number}:{self._seen.get(a.number, 0)}:{self._told.get(a.number, 0)}" for a in slots])

    @property
    def done(self) -> bool:
        """Whether every run the channel shows has ended and this reader has seen it."""
        return all(a.run.ended and self._seen.get(a.number, 0) > len(a.run.log) for a in self.channel.slots.values())

    def take(self) -> list[Event]:
        """What is new since the last call: slots cleared, runs, states, pieces of all runs in one event, ends. Empty when nothing is.

        Takes at most ``FRAME_CHARACTERS`` of each run; ``ready`` stays set while more is there.
        """
        self.ready.clear()
        self.urgent.clear()
        slots = self.channel.slots
        evicted = self.channel.evicted
        events = [Event("gone" if slot in evicted else "clear", {"slot": slot}) for slot in self._shown if slot not in slots]
        self._shown = {slot: attachment.number for slot, attachment in slots.items()}
        pieces: dict[str, str] = {}
        ended: list[Attachment] = []
        for attachment in slots.values():
            events += self._news(attachment)
            if self._read(attachment, pieces):
                ended.append(attachment)
        if pieces:
            events.append(Event("", pieces, self.cursor))
        for attachment in ended:
            self._seen[attachment.number] = len(attachment.run.log) + 1
            events.append(Event("end", {"slot": attachment.slot, **end_of(attachment.run)}, self.cursor))
        self._seen = {number: seen for number, seen in self._seen.items() if number in self._shown.values()}
        self._told = {number: version for number, version in self._told.items() if number in self._shown.values()}
        return events

    def _news(self, attachment: Attachment) -> list[Event]:
        run, told = attachment.run, self._told.get(attachment.number)
        if told == run.version:
            return []
        self._told[attachment.number] = run.version
        if told is None:
            seen = self._known(attachment)
            about = {"slot": attachment.slot, "n": attachment.number, "seen": seen, "token": self._sign(run.id), **state_of(run)}
            return [Event("run", about)]
        return [] if run.ended else [Event("state", {"slot": attachment.slot, **state_of(run)})]

    def _known(self, attachment: Attachment) -> int:
        """How much of the run was seen before this connection; a cursor past what there is counts as nothing."""
        seen = self._seen.get(attachment.number, 0)
        if seen > len(attachment.run.log) + attachment.run.ended:
            seen = 0
        self._seen[attachment.number] = seen
        return seen

    def _read(self, attachment: Attachment, pieces: dict[str, str]) -> bool:
        """Add the run's new text to ``pieces``; whether its end comes next."""
        run, seen = attachment.run, self._seen.get(attachment.number, 0)
        total = len(run.log)
        if seen < total:
            texts, seen = run.log.since(seen, FRAME_CHARACTERS)
            self._seen[attachment.number] = seen
            for choice, text in texts.items():
                pieces[attachment.slot if choice == 0 else f"{attachment.slot}.{choice}"] = text
            if seen < total:
                self.ready.set()
                return False
        return run.ended and seen == total


def state_of(run: Run) -> dict[str, Any]:
    """What a panel's state line says of a run, as JSON: id, status, how many choices, seconds since it was sent (``elapsed_s``) and to its
    first text (``first_s``), finish reasons by choice; ``queue`` (from 1) and ``wait`` while it waits for a place."""
    timings = run.timings
    state: dict[str, Any] = {
        "run": run.id,
        "status": run.status,
        "choices": run.choice_count,
        "elapsed_s": timings.total_s,
        "first_s": timings.first_token_s,
        "finish": {str(index): reason for index, reason in run.told_finish.items()},
    }
    if run.queue_position is not None:
        state["queue"] = run.queue_position
    if run.wait is not None:
        state["wait"] = run.wait.to_dict()
    return state


def end_of(run: Run) -> dict[str, Any]:
    """``state_of`` a run that has ended, with its tokens as the router counted them, its pieces of text, and its error or None."""
    tokens = run.usage.completion_tokens if run.usage else None
    return {**state_of(run), "tokens": tokens, "pieces": len(run.log), "error": run.error.to_dict() if run.error else None}
