"""A run: one submitted request and all that was observed of its answer.

``Run`` is written by the hub's loop only; ``RunSnapshot`` is what every other thread gets. A run's text is a log of pieces in order
of arrival. Cursors into it are sequence numbers (how many pieces were seen), never character offsets: Python counts code points,
browsers count UTF-16 units.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from core.calls.places import Wait
from core.connection import Connection
from core.errors import PlaygroundError, RouterRejected
from core.metrics import Clock, Stopwatch, Timings
from core.piece_log import PackedLog, PieceLog, SurrogateJoiner

if TYPE_CHECKING:
    from core.client.reply import Reply
    from core.contract.response import CompletionChunk, Usage

RunStatus = Literal["queued", "waiting", "streaming", "finished", "stopped", "failed", "interrupted"]
"""``queued``: no free place yet. ``waiting``: sent, no text yet. ``interrupted``: the process ended before the answer did."""

RESTORED_CUT: Final = "s"
"""How the cursors of a run begin that came from storage: its text is cut into other pieces than those that came."""

ENDED: Final[frozenset[RunStatus]] = frozenset({"finished", "stopped", "failed", "interrupted"})

_NEXT: Final[Mapping[RunStatus, frozenset[RunStatus]]] = {
    "queued": ENDED | {"waiting"},
    "waiting": ENDED | {"streaming"},
    "streaming": ENDED,
    "finished": frozenset(),
    "stopped": frozenset(),
    "failed": frozenset(),
    "interrupted": frozenset(),
}


class ChoiceText(NamedTuple):
    """One of the ``n`` texts so far, and its finish reason: the last non-null one, ``None`` until it means something."""

    text: str
    finish_reason: str | None


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run failed, as data: a sentence for the reader, a next step, and what the router said where it said something.

    ``kind`` is the error class's (``core.errors``), or ``bug`` for a fault of the playground itself, which then has a ``bug_id`` that
    stands in the log beside the traceback.
    """

    kind: str
    cause: str
    next_step: str = ""
    status: int | None = None
    code: str | None = None
    param: str | None = None
    reason: str | None = None
    request_id: str | None = None
    retry_after_s: float | None = None
    bug_id: str | None = None

    @classmethod
    def of(cls, problem: PlaygroundError) -> RunError:
        """The error of a run that ``problem`` ended."""
        optional = ("status", "code", "param", "reason", "request_id", "retry_after_s")
        return cls(problem.kind, problem.cause, problem.next_step, **{name: getattr(problem, name, None) for name in optional})

    @classmethod
    def of_bug(cls, problem: Exception, bug_id: str) -> RunError:
        """The error of a run that a fault of the playground ended; says the exception's type, never its message."""
        cause = f"The playground itself failed while handling this run ({type(problem).__name__})."
        return cls("bug", cause, f"Run it again; if it happens again, report it with the number {bug_id}.", bug_id=bug_id)

    def to_dict(self) -> dict[str, Any]:
        """The fields that are set, for JSON."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) not in (None, "")}


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """A run at one moment, for any thread.

    ``body`` is the request as data and ``sent`` the exact bytes; ``choices`` by index; ``headers`` are the answer's ``x-router-*``
    (lower case); ``raw`` is the answer as received, cut at 4 MiB (then ``raw_truncated``); ``queue_position`` counts from 1 and is
    ``None`` unless queued; ``pieces`` is how many pieces of text have come; ``trace`` is what our own router told about the request
    after its end (``core.local_router.trace``), ``None`` for every other router; ``tags`` are those it was started with.
    """

    id: str
    slot: str
    body: Mapping[str, Any]
    sent: bytes = field(repr=False)
    connection_name: str
    base_url: str
    status: RunStatus
    created_at: datetime
    choices: Mapping[int, ChoiceText]
    usage: Usage | None
    model: str | None
    completion_id: str | None
    request_id: str | None
    system_fingerprint: str | None
    headers: Mapping[str, str]
    timings: Timings
    error: RunError | None
    raw: str = field(repr=False)
    raw_truncated: bool
    queue_position: int | None
    pieces: int
    trace: Mapping[str, Any] | None = None
    tags: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in ENDED

    @property
    def text(self) -> str:
        """The text of the first choice."""
        return self.choices[min(self.choices)].text if self.choices else ""


class Run:
    """One run, as the hub's loop writes it. ``version`` grows with every change that is not text; cursors are good for one ``cut``."""

    def __init__(
        self, run_id: str, slot: str, body: Mapping[str, Any], sent: bytes, connection: Connection, clock: Clock = time.monotonic
    ) -> None:
        self.id = run_id
        self.slot = slot
        self.body = body
        self.sent = sent
        self.connection = connection
        self.created_at = datetime.now(UTC)
        self.status: RunStatus = "queued"
        self.log: PieceLog | PackedLog = PieceLog()
        self.finish: dict[int, str] = {}
        self.told_finish: dict[int, str] = {}
        self.usage: Usage | None = None
        self.model: str | None = None
        self.completion_id: str | None = None
        self.request_id: str | None = None
        self.system_fingerprint: str | None = None
        self.headers: dict[str, str] = {}
        self.error: RunError | None = None
        self.queue_position: int | None = None
        self.wait: Wait | None = None
        self.trace: Mapping[str, Any] | None = None
        self.tags: tuple[str, ...] = ()
        self.cut = ""
        self.version = 0
        self._watch = Stopwatch(clock)
        self._reply: Reply | None = None
        self._raw = b""
        self._raw_truncated = False
        self._trace_size = 0
        self._stored_timings: Timings | None = None
        self._open_choices: set[int] = set()
        self._joiner = SurrogateJoiner()

    @classmethod
    def restored(cls, stored: RunSnapshot) -> Run:
        """An ended run as it was stored. The lengths of its pieces are not: as many as there were, they are about equal now."""
        connection = Connection(stored.connection_name, "openai", stored.base_url, "")  # nothing is sent to it any more
        run = cls(stored.id, stored.slot, stored.body, stored.sent, connection)
        run.created_at, run.status = stored.created_at, stored.status
        run.cut = RESTORED_CUT
        run.log = PackedLog.of({index: choice.text for index, choice in stored.choices.items()}, stored.pieces)
        run.finish = {index: choice.finish_reason for index, choice in stored.choices.items() if choice.finish_reason is not None}
        run.told_finish = dict(run.finish)
        run.usage, run.model, run.completion_id = stored.usage, stored.model, stored.completion_id
        run.request_id, run.system_fingerprint = stored.request_id, stored.system_fingerprint
        run.headers, run.error = dict(stored.headers), stored.error
        run._raw, run._raw_truncated = stored.raw.encode(), stored.raw_truncated
        run._stored_timings = stored.timings
        if stored.trace is not None:
            run.traced(stored.trace)
        return run

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in ENDED

    @property
    def choice_count(self) -> int:
        """How many texts to expect: the request's ``n``, or more where more came."""
        asked = self.body.get("n")
        return max(asked if isinstance(asked, int) and not isinstance(asked, bool) else 1, len(self.finish), 1)

    @property
    def weight(self) -> int:
        """Characters and bytes this run keeps in memory; the raw answer counts from the end on."""
        return self.log.characters + len(self._raw) + len(self.sent) + self._trace_size

    def move(self, status: RunStatus) -> None:
        """Change the status. ValueError for a step that cannot be (an ended run never changes)."""
        if status not in _NEXT[self.status]:
            raise ValueError(f"a run cannot go from {self.status} to {status}")
        self.status = status
        self.version += 1

    def place_in_queue(self, position: int | None, wait: Wait | None = None) -> None:
        """Say how many are in front, counting this one, and why it waits."""
        if (position, wait) != (self.queue_position, self.wait):
            self.queue_position, self.wait = position, wait
            self.version += 1

    def leave(self) -> None:
        """The request leaves now."""
        self.place_in_queue(None)
        self._watch.sent()
        self.move("waiting")

    def answered(self, reply: Reply) -> None:
        """The answer's status line and headers are there."""
        self._reply = reply
        self.request_id = reply.request_id
        self.headers = {name: value for name, value in reply.headers.items() if name.startswith("x-router-")}
        self.model = self.headers.get("x-router-model")

    def refused(self, problem: RouterRejected) -> None:
        """The router answered with an error: what its headers tell."""
        self.headers = self.headers or problem.headers

    def traced(self, trace: Mapping[str, Any]) -> None:
        """What the router told about the request, after the end."""
        self.trace = trace
        self._trace_size = len(str(trace))
        self.version += 1

    def add(self, chunk: CompletionChunk) -> None:
        """Take in one piece of the answer."""
        for choice in chunk.choices:
            text = choice.text
            if not text.isascii() or self._joiner.holds:
                text = self._joiner.join(choice.index, text)
            if text:
                if self.status == "waiting":
                    if self._reply is None or self._reply.streamed:
                        self._watch.first_token()
                    self.move("streaming")
                self.log.append(choice.index, text)
            self._note_finish(choice.index, choice.finish_reason)
        if chunk.usage is not None:
            self.usage = chunk.usage
        if self.completion_id is None or self.model is None or self.system_fingerprint is None:
            self.completion_id = self.completion_id or chunk.id
            self.model = self.model or chunk.model
            self.system_fingerprint = self.system_fingerprint or chunk.system_fingerprint

    def _note_finish(self, index: int, reason: str | None) -> None:
        """Keep the last non-null reason; tell it before the end only where earlier frames of this choice said null.

        A server may send ``stop`` on every frame (contract §1): such a reason means nothing unless the stream has ended, and well.
        """
        if reason is None:
            self._open_choices.add(index)
            return
        self.finish[index] = reason
        if index in self._open_choices and self.told_finish.get(index) != reason:
            self.told_finish[index] = reason
            self.version += 1

    def end(self, status: RunStatus, error: RunError | None = None, raw: str = "") -> None:
        """Nothing more will come. ``raw`` is what a refused request was answered with."""
        for index, rest in self._joiner.rest():
            self.log.append(index, rest)
        self._raw = self.raw_bytes() or raw.encode("utf-8", "replace")
        self._raw_truncated = self._reply is not None and self._reply.raw_truncated
        self._reply = None
        self.error = error
        self.request_id = self.request_id or (error.request_id if error else None)
        self.queue_position = self.wait = None
        if status == "finished":  # some routers send a reason on every frame: it means something only where the stream ended well
            self.told_finish = dict(self.finish)
        self._watch.ended()
        self.log = self.log.packed()
        self.move(status)

    def raw_bytes(self) -> bytes:
        """The answer as received so far."""
        reply = self._reply  # once: the loop may let go of it between two looks
        return self._raw if reply is None else reply.raw

    @property
    def timings(self) -> Timings:
        """The durations so far. Tokens are the router's count, pieces of text where it told none."""
        if self._stored_timings is not None:
            return self._stored_timings
        told = self.usage.completion_tokens if self.usage else None
        return self._watch.timings(len(self.log) if told is None else told)

    def snapshot(self, *, with_raw: bool = True) -> RunSnapshot:
        """The run as it is now; safe to call from any thread while the loop writes.

        Of a run under way, joining what was received costs the most; ``with_raw`` False leaves it out until the end.
        """
        reply, told, known = self._reply, dict(self.told_finish), list(self.finish)
        texts = self.log.texts()
        choices = {index: ChoiceText(texts.get(index, ""), told.get(index)) for index in sorted({*texts, *known})}
        return RunSnapshot(
            id=self.id,
            slot=self.slot,
            body=self.body,
            sent=self.sent,
            connection_name=self.connection.name,
            base_url=self.connection.base_url,
            status=self.status,
            created_at=self.created_at,
            choices=choices,
            usage=self.usage,
            model=self.model,
            completion_id=self.completion_id,
            request_id=self.request_id,
            system_fingerprint=self.system_fingerprint,
            headers=self.headers,
            timings=self.timings,
            error=self.error,
            raw=self.raw_bytes().decode("utf-8", "replace") if with_raw or self.ended else "",
            raw_truncated=reply.raw_truncated if reply is not None else self._raw_truncated,
            queue_position=self.queue_position,
            pieces=len(self.log),
            trace=self.trace,
            tags=self.tags,
        )


def error_body(problem: PlaygroundError) -> str:
    """What the router answered with, where it answered with an error."""
    return problem.body if isinstance(problem, RouterRejected) else ""
