"""Places for calls: how many one connection takes at once, and fewer of them while its router says that it is too much.

Two kinds of calls share a connection. Somebody waits for a *foreground* call, as after a click on Run; a *background* call is one of
many that a program makes, as in a sweep. Background calls leave a place free, so a click never waits behind them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil
from typing import Final

from core.connection import Connection
from core.metrics import Clock

FIRST_PAUSE_S: Final = 1.0
"""How long nothing is sent after a refusal that names no time; it doubles with every further one, up to ``LONGEST_PAUSE_S``."""
LONGEST_PAUSE_S: Final = 30.0
LONGEST_RETRY_AFTER_S: Final = 3_600.0
"""More than an hour of ``Retry-After`` is taken for an hour: then one call asks again."""
FORGOTTEN_S: Final = 600.0
"""A refusal so long ago says nothing any more where nothing has been sent since."""
RECOVERS_S: Final = 5.0
"""How long after a refusal, and after each place that came back before, a click may have one place more, whether calls end or not."""
KEPT_FREE: Final = 1 / 8
"""The part of the whole process's places that background calls leave free."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One call's place, from before it is sent to its end. ``taken_at`` is the clock's."""

    key: str
    background: bool
    taken_at: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """What goes on at one connection: calls ``running`` and ``waiting``; ``limit`` is what was set, ``allowed`` what is left of it.

    ``pause_s`` is how long the router asked to be left alone, from now; 0 when it did not.
    """

    limit: int
    allowed: int
    running: int
    waiting: int = 0
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a click waits: ``running`` of ``allowed`` places are in use. ``slowed`` tells that a refusal (429) left fewer than were set.

    ``until`` is the second (Unix time) at which the next place comes by itself, where one does; a call that ends gives one before.
    """

    running: int
    allowed: int
    slowed: bool = False
    until: int | None = None

    def to_dict(self) -> dict[str, int | bool | None]:
        """As the panel gets it."""
        return {"running": self.running, "allowed": self.allowed, "slowed": self.slowed, "until": self.until}


class _Lane:
    """What is known of one connection; ``allowed`` is None while the router has not refused anything lately."""

    __slots__ = ("allowed", "backed_off_at", "background", "foreground", "paused_until", "refusals")

    def __init__(self) -> None:
        self.foreground = 0
        self.background = 0
        self.allowed: float | None = None
        self.backed_off_at = float("-inf")
        self.paused_until = float("-inf")
        self.refusals = 0


def connection_key(connection: Connection) -> str:
    """What tells connections apart: address and key, for a router limits each key's calls. The key itself is not in it."""
    secret = connection.api_key.get_secret_value() if connection.api_key else ""
    return f"{connection.base_url} {blake2b(secret.encode(), digest_size=8).hexdigest()}"


class CallPlaces:
    """Hands out places: at most ``most`` in all, and per connection what ``limit`` says, less where its router asks for less.

    Additive increase, multiplicative decrease: a refusal (429, or any error with ``Retry-After``) halves what was under way, once for
    all calls that were sent before it; each answer then adds a share, one call more per round. A click may have one more every
    ``RECOVERS_S``, so that it does not wait for the end of a long answer. Loop only; no call of it waits.
    """

    def __init__(self, limit: Callable[[Connection], int], *, most: int, clock: Clock = time.monotonic) -> None:
        self.most = most
        self._limit = limit
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}
        self._taken = 0
        self._taken_background = 0

    def take(self, connection: Connection, *, background: bool = False) -> Place | None:
        """A place, or None where there is none now.

        The one foreground call of a connection needs nothing but room under the limit: it is not held back for what others were told.
        """
        key, now = connection_key(connection), self._clock()
        lane = self._lane(key, now)
        if not (self._background_fits if background else self._foreground_fits)(lane, max(1, self._limit(connection)), now):
            return None
        self._lanes[key] = lane
        self._taken += 1
        if background:
            self._taken_background += 1
            lane.background += 1
        else:
            lane.foreground += 1
        return Place(key, background, now)

    def _lane(self, key: str, now: float) -> _Lane:
        lane = self._lanes.get(key)
        idle = lane is None or not (lane.foreground or lane.background)
        return _Lane() if lane is None or (idle and now > max(lane.backed_off_at + FORGOTTEN_S, lane.paused_until)) else lane

    def _foreground_fits(self, lane: _Lane, limit: int, now: float) -> bool:
        if self._taken >= self.most or lane.foreground + lane.background >= limit:
            return False
        return lane.foreground == 0 or (lane.foreground < _allowed_clicks(lane, limit, now) and now >= lane.paused_until)

    def _background_fits(self, lane: _Lane, limit: int, now: float) -> bool:
        if self._taken_background >= max(1, self.most - max(1, int(self.most * KEPT_FREE))) or self._taken >= self.most:
            return False
        allowed = min(_allowed(lane, limit), max(1, limit - 1))
        return lane.foreground + lane.background < allowed and now >= lane.paused_until

    def give_back(self, place: Place) -> None:
        """The call has ended, or was never made."""
        lane = self._lanes[place.key]
        self._taken -= 1
        if place.background:
            self._taken_background -= 1
            lane.background -= 1
        else:
            lane.foreground -= 1
        self._forget_quiet(place.key, lane)

    def refused(self, place: Place, retry_after_s: float | None) -> None:
        """The router said that it is too much; before ``give_back``."""
        lane, now = self._lanes[place.key], self._clock()
        if retry_after_s is not None:
            lane.paused_until = max(lane.paused_until, now + min(retry_after_s, LONGEST_RETRY_AFTER_S))
        if place.taken_at < lane.backed_off_at:
            return
        under_way = lane.foreground + lane.background
        lane.allowed = max(1.0, min(under_way, under_way if lane.allowed is None else lane.allowed) / 2)
        lane.backed_off_at = now
        if retry_after_s is None:
            lane.paused_until = max(lane.paused_until, now + min(FIRST_PAUSE_S * 2**lane.refusals, LONGEST_PAUSE_S))
        lane.refusals += 1

    def answered(self, place: Place) -> None:
        """The router took the call; before ``give_back``."""
        lane = self._lanes[place.key]
        if place.taken_at < lane.backed_off_at or lane.allowed is None:
            return
        lane.refusals = 0
        lane.allowed += 1 / lane.allowed
        if lane.allowed >= self.most:
            lane.allowed = None

    def next_click_s(self, connection: Connection) -> float | None:
        """In how many seconds a click may be sent though no call ends; None where time alone gives no place."""
        lane, limit, now = self._lanes.get(connection_key(connection)), max(1, self._limit(connection)), self._clock()
        if lane is None or lane.foreground + lane.background >= limit or self._taken >= self.most:
            return None
        due = lane.paused_until
        if lane.allowed is not None:
            due = max(due, _recovers_from(lane) + RECOVERS_S * max(0.0, lane.foreground + 1 - lane.allowed))
        return max(0.0, due - now)

    def wait(self, connection: Connection) -> Wait:
        """Why a click that has no place waits."""
        lane, limit, now = self._lanes.get(connection_key(connection)), max(1, self._limit(connection)), self._clock()
        running = lane.foreground + lane.background if lane else 0
        if lane is None or running >= limit:
            return Wait(running, limit)
        if self._taken >= self.most:
            return Wait(self._taken, self.most)
        due_s = self.next_click_s(connection)
        until = None if due_s is None else ceil(time.time() + due_s)
        return Wait(lane.foreground, _allowed_clicks(lane, limit, now), slowed=True, until=until)

    def pause_s(self, connection: Connection) -> float:
        """How long until the connection may be asked again; 0 when it may."""
        lane = self._lanes.get(connection_key(connection))
        return max(0.0, lane.paused_until - self._clock()) if lane else 0.0

    def traffic(self, connection: Connection) -> Traffic:
        """What goes on there, without what waits."""
        limit = max(1, self._limit(connection))
        lane = self._lanes.get(connection_key(connection))
        if lane is None:
            return Traffic(limit, limit, 0)
        return Traffic(limit, _allowed(lane, limit), lane.foreground + lane.background, pause_s=self.pause_s(connection))

    def _forget_quiet(self, key: str, lane: _Lane) -> None:
        """A connection that nothing is said of and nothing runs at is like a new one."""
        if not lane.foreground and not lane.background and lane.allowed is None and lane.paused_until <= self._clock():
            del self._lanes[key]


def _recovers_from(lane: _Lane) -> float:
    return max(lane.backed_off_at, lane.paused_until)


def _allowed_clicks(lane: _Lane, limit: int, now: float) -> int:
    """What is allowed to clicks: one more for every ``RECOVERS_S`` since the router was left alone."""
    if lane.allowed is None:
        return limit
    since = max(0.0, now - _recovers_from(lane))
    return max(1, min(limit, int(lane.allowed + since / RECOVERS_S + 1e-9)))


def _allowed(lane: _Lane, limit: int) -> int:
    return limit if lane.allowed is None else max(1, min(limit, int(lane.allowed)))
