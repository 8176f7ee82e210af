"""Which page's slot shows which run, and so whom a change concerns."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from core.errors import PlaygroundError
from core.hub.channels import Attachment, Channel, Numbers
from core.metrics import Clock
from core.run import Run

CHANNEL_IDLE_S: Final = 600.0
"""How long a channel that nobody follows is kept."""
MAX_CHANNELS: Final = 1000


class HubFull(PlaygroundError):
    """The process follows as many pages as it can."""

    kind = "hub_full"


class Switchboard:
    """The channels by id, and for each run the channels that show it. Any thread may change what is shown; readers are woken on the loop,
    for which ``soon`` takes what is to be done there."""

    def __init__(self, clock: Clock, soon: Callable[[Callable[[], None]], None]) -> None:
        self._clock = clock
        self._soon = soon
        self._lock = threading.RLock()
        self._channels: dict[str, Channel] = {}
        self._showing: dict[str, set[Channel]] = {}
        self._numbers = Numbers()
        self._releasing = False

    def __len__(self) -> int:
        return len(self._channels)

    def channel(self, channel_id: str) -> Channel:
        """The channel of this id, made when missing. HubFull when there are too many that somebody follows."""
        with self._lock:
            found = self._channels.get(channel_id)
            if found is None:
                self._drop_idle()
                found = self._channels[channel_id] = Channel(channel_id, self._clock())
                found.closed = self._releasing
            return found

    def channel_of(self, run: Run) -> Channel:
        """A channel of its own for one run, to be given back with ``drop``."""
        channel = Channel("", self._clock())
        with self._lock:
            self._show(channel, run.slot, run)
        return channel

    def drop(self, channel: Channel) -> None:
        """Forget what a channel shows."""
        with self._lock:
            for slot in channel.slots:
                self._forget(channel, slot)

    def left(self, channel: Channel) -> None:
        """A reader left: the time from which an unfollowed channel counts as idle."""
        channel.idle_since = self._clock()

    def show(self, channel_id: str, slot: str, run: Run) -> None:
        """Let a channel's slot show a run from its beginning; nothing happens when it already does. HubFull as ``channel``."""
        with self._lock:
            channel = self.channel(channel_id)
            current = channel.slots.get(slot)
            if current is None or current.run is not run:
                self._show(channel, slot, run)

    def clear(self, channel_id: str, slot: str) -> None:
        """Let a channel's slot show nothing."""
        with self._lock:
            channel = self._channels.get(channel_id)
            if channel is None or slot not in channel.slots:
                return
            self._forget(channel, slot)
            channel.clear(slot)
        self._soon(channel.wake)

    def shows_a_run_that_goes_on(self, channel_id: str) -> bool:
        """Whether a slot of this channel shows a run that has not ended."""
        with self._lock:
            channel = self._channels.get(channel_id)
            return channel is not None and any(not attachment.run.ended for attachment in channel.slots.values())

    def wake(self, run: Run, *, at_once: bool) -> None:
        """Tell who reads a run that there is something; ``at_once`` when it is more than another piece of text. Loop only."""
        for channel in self._showing.get(run.id, ()):
            channel.wake(at_once=at_once)

    def evict(self, run: Run) -> None:
        """The run is no longer in memory; what a panel already shows of it may stay. Loop only."""
        with self._lock:
            for channel in self._showing.pop(run.id, ()):
                for slot in [slot for slot, attachment in channel.slots.items() if attachment.run is run]:
                    channel.evict(slot)
                channel.wake()

    def open(self) -> None:
        """Take readers, again after a ``release``."""
        self._releasing = False

    def release(self) -> None:
        """Let every reader go, and those that come until ``open``. Loop only."""
        with self._lock:
            self._releasing = True
            channels = {*self._channels.values(), *(channel for showing in self._showing.values() for channel in showing)}
            self._channels.clear()
            self._showing.clear()
        for channel in channels:
            channel.close()

    def _show(self, channel: Channel, slot: str, run: Run) -> None:
        self._forget(channel, slot)
        self._showing[run.id] = {*self._showing.get(run.id, ()), channel}
        channel.show(Attachment(self._numbers.take(), slot, run))
        self._soon(lambda: channel.wake(at_once=True))

    def _forget(self, channel: Channel, slot: str) -> None:
        current = channel.slots.get(slot)
        if current is None or any(a.run is current.run for name, a in channel.slots.items() if name != slot):
            return
        left = self._showing.get(current.run.id, set()) - {channel}
        if left:
            self._showing[current.run.id] = left
        else:
            self._showing.pop(current.run.id, None)

    def _drop_idle(self) -> None:
        idle = sorted((c for c in self._channels.values() if not c.readers), key=lambda c: c.idle_since)
        excess = len(self._channels) + 1 - MAX_CHANNELS
        oldest = self._clock() - CHANNEL_IDLE_S
        for position, channel in enumerate(idle):
            if channel.idle_since < oldest or position < excess:
                del self._channels[channel.id]
                self.drop(channel)
        if len(self._channels) >= MAX_CHANNELS:
            raise HubFull("Too many pages are open on this server.", "Close some, or try again in a few minutes.")
