"""Server-sent events from bytes: a decoder without I/O, as fast as whole frames allow.

The grammar is WHATWG HTML §9.2.6 (https://html.spec.whatwg.org/multipage/server-sent-events.html), with three
departures that streams of completions ask for: ``data: [DONE]`` ends the stream and whatever follows is ignored; what stands at
the end without its blank line is still an event (``end``); and an event may not grow without bound.
"""

from __future__ import annotations

from typing import Final, NamedTuple

MAX_EVENT_BYTES: Final = 8 * 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_DONE: Final = b"[DONE]"
_PLAIN: Final = b"data: {"
_CR: Final = 0x0D  # as numbers, because looking for a byte takes a tenth of the time that looking for a string of one takes
_LF: Final = 0x0A


class Event(NamedTuple):
    """One event that has data. ``data`` is UTF-8 as it came, its lines joined by LF; ``event`` is ``message`` unless named."""

    data: bytes
    event: str = "message"
    id: str = ""


_new = tuple.__new__  # makes an Event in half the time that calling it takes


class FrameTooLarge(ValueError):
    """An event longer than the limit. ``events`` are those that were complete before it in the same feed."""

    def __init__(self, limit: int, events: list[Event]) -> None:
        super().__init__(f"One event of the stream is longer than {limit:,} bytes.")
        self.limit = limit
        self.events = events


class EventDecoder:
    """Bytes in, events out, the same however the bytes are split.

    Time is linear in the bytes fed: an unfinished line waits as a list of pieces and is joined once. Memory is bounded by
    ``max_event_bytes``, counted over one line, and over the data of one event; past it ``feed`` raises FrameTooLarge, and the
    decoder is of no more use. LF, CRLF and CR end a line; a CR at the end of a feed ends it at once, and an LF that follows in the
    next feed is taken for its other half.
    """

    __slots__ = ("_after_cr", "_data", "_data_bytes", "_event", "_fresh", "_id", "_limit", "_pieces", "_pieces_bytes", "_start", "done")

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._limit = max_event_bytes
        self._start: bytes | None = b""  # what may be the beginning of a BOM; None once that is settled
        self._after_cr = False
        self._pieces: list[bytes] = []  # an unfinished line
        self._pieces_bytes = 0
        self._data: list[bytes] = []  # the data lines of an unfinished event
        self._data_bytes = 0
        self._event = ""
        self._id = ""
        self._fresh = False  # between two events, with nothing put aside
        self.done = False

    def feed(self, received: bytes) -> list[Event]:
        """The events that ``received`` completes, in order; none once ``done``. Raises FrameTooLarge."""
        size = len(received) - 2
        if (  # one whole frame, which is what a live stream's reads nearly always are
            self._fresh
            and received.startswith(_PLAIN)
            and received.find(_LF) == size
            and received.endswith(b"\n\n")
            and _CR not in received
            and size <= self._limit
        ):
            return [_new(Event, (received[6:size], "message", self._id))]
        events = self._feed(received)
        self._fresh = not (self.done or self._after_cr or self._pieces or self._data or self._event) and self._start is None
        return events

    def _feed(self, received: bytes) -> list[Event]:
        """``feed`` in full."""
        if self.done:
            return []
        if self._start is not None:
            received = self._settle_start(received)
        if self._after_cr or _CR in received:
            received = self._with_line_feeds(received)
        if _LF not in received:
            self._keep(received, [])
            return []
        if self._pieces:
            self._pieces.append(received)
            received = b"".join(self._pieces)
            self._pieces = []
            self._pieces_bytes = 0
        return self._decode(received)

    def end(self) -> list[Event]:
        """The event that stood at the end of the stream without its blank line, if any. Call it once, when no more bytes come."""
        if self.done:
            return []
        tail = (self._start or b"") + b"".join(self._pieces)
        self._start = None
        self._pieces = []
        try:
            return self._decode(tail + b"\n\n")
        except FrameTooLarge as problem:
            return problem.events  # what is unfinished may be dropped, says the standard, and this is also too long

    def _settle_start(self, received: bytes) -> bytes:
        """``received`` without the byte order mark a stream may begin with, which may come in three reads."""
        start = (self._start or b"") + received
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._start = start
            return b""
        self._start = None
        return start.removeprefix(_BOM)

    def _with_line_feeds(self, received: bytes) -> bytes:
        """``received`` with LF for every CRLF and CR, a CR|LF pair split over two feeds counted once."""
        if not received:
            return received
        if self._after_cr and received.startswith(b"\n"):
            received = received[1:]
            self._after_cr = False
            if not received:
                return received
        self._after_cr = received.endswith(b"\r")
        return received.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _keep(self, piece: bytes, events: list[Event]) -> None:
        """Puts the beginning of a line aside."""
        if piece:
            self._pieces.append(piece)
            self._pieces_bytes += len(piece)
            if self._pieces_bytes > self._limit:
                raise FrameTooLarge(self._limit, events)

    def _decode(self, text: bytes) -> list[Event]:
        """The events of ``text``, which holds a line feed and starts where a line starts; what follows its last line feed is put aside."""
        events: list[Event] = []
        lines = text.split(b"\n")
        rest = lines.pop()
        may_be_too_long = len(text) > self._limit
        alone = None  # a plain data line that so far stands alone in its event: nearly every event is one, and needs no joining
        for line in lines:
            if not line:
                if alone is not None:
                    events.append(_new(Event, (alone[6:], "message", self._id)))
                    alone = None
                else:
                    self._dispatch(events)
                    if self.done:
                        return events
            elif may_be_too_long and len(line) > self._limit:
                raise FrameTooLarge(self._limit, events)
            elif alone is None and not self._data and not self._event and line.startswith(_PLAIN):
                alone = line
            else:
                if alone is not None:
                    self._field(alone, events)
                    alone = None
                self._field(line, events)
        if alone is not None:
            self._field(alone, events)
        self._keep(rest, events)
        return events

    def _field(self, line: bytes, events: list[Event]) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._data_bytes += len(value) + 1
            if self._data_bytes - 1 > self._limit:
                raise FrameTooLarge(self._limit, events)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        # A comment has an empty name; `retry` is for those who reconnect; the standard says to ignore the rest.

    def _dispatch(self, events: list[Event]) -> None:
        """A blank line: what was gathered is an event, unless it has no data."""
        if not self._data:
            self._event = ""
            return
        data = b"\n".join(self._data)
        event, self._event = self._event or "message", ""
        self._data = []
        self._data_bytes = 0
        visible = data.strip()
        if visible == _DONE:
            self.done = True
        elif visible:
            events.append(Event(data, event, self._id))
