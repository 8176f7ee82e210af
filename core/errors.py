"""Everything that can go wrong with a run, as one tree.

Branches are cut by who can act::

    PlaygroundError               every error the playground raises on purpose
    ├── InvalidRequest            the user, before anything is sent: problems by path
    ├── InvalidPreset             the user: what is to be a preset, or a file of them, is none
    ├── InvalidImport             the user: there is no call in what was pasted
    ├── ConnectionProblem         the network or the address
    │   ├── ConnectionFailed      no connection: refused, unknown host, TLS, wrong URL
    │   └── TimedOut              connected or not, nothing came in time
    ├── RouterRejected            the router answered with an error status
    ├── StreamBroken              the answer began and did not end well; the text so far is kept
    └── StorageProblem            what was done is kept in memory only
        ├── StorageUnavailable    locked, full, not reached: tried again by itself
        └── StorageRefused        somebody must act: the database is newer than the program

Each carries a one-sentence ``cause`` and a ``next_step``; one component shows them all.
Cancelling is a run's status, not an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from core.contract.response import Completion


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request, at one place.

    ``path`` is a wire path with list indices as numbers (``orq.knowledge_bases.0.top_k``), ``""`` for the whole body.
    ``message`` is one sentence that also says what would be right.
    """

    path: str
    message: str

    @property
    def sentence(self) -> str:
        """The message with the whole path in it: ``retry.count must be between 1 and 5, got 9``."""
        name = self.path.rpartition(".")[2]
        if name and self.message.startswith(name):
            return self.path + self.message[len(name) :]
        return f"{self.path}: {self.message}" if self.path else self.message


class PlaygroundError(Exception):
    """An error with a cause for the reader and a next step."""

    kind: str = "error"

    def __init__(self, cause: str, next_step: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.next_step = next_step


class InvalidRequest(PlaygroundError):
    """A request the contract refuses; nothing was sent."""

    kind = "invalid_request"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        first = problems[0] if problems else Problem("", "The request is not valid.")
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(first.sentence + more, "Correct the marked field.")
        self.problems = problems


class InvalidPreset(PlaygroundError):
    """What was to be kept or read as a preset is none; nothing was changed."""

    kind = "invalid_preset"


class InvalidImport(PlaygroundError):
    """What was pasted or uploaded holds no call that can be read; nothing was changed."""

    kind = "invalid_import"


class ConnectionProblem(PlaygroundError):
    """The router was not reached, or not in time."""

    kind = "connection"


class ConnectionFailed(ConnectionProblem):
    """No connection was made."""

    kind = "connection_failed"


class TimedOut(ConnectionProblem):
    """Nothing came within ``seconds``; ``phase`` tells what was waited for."""

    kind = "timed_out"

    def __init__(self, cause: str, next_step: str = "", *, phase: Literal["connect", "read"], seconds: float) -> None:
        super().__init__(cause, next_step)
        self.phase = phase
        self.seconds = seconds


class RouterRejected(PlaygroundError):
    """The router answered with an error instead of a completion.

    ``status`` is the HTTP status; ``code``, ``param`` and ``error_type`` are the router's own words, where it sent them;
    ``request_id`` comes from the response headers; ``retry_after_s`` from ``Retry-After`` (seconds or HTTP date) or ``retry-after-ms``;
    ``body`` is the answer as received, cut to 64 KiB; ``headers`` are the answer's ``x-router-*`` (lower case).
    """

    kind = "router_rejected"

    def __init__(
        self,
        cause: str,
        next_step: str = "",
        *,
        status: int,
        code: str | None = None,
        param: str | None = None,
        error_type: str | None = None,
        doc_url: str | None = None,
        failures: Any = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        body: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(cause, next_step)
        self.status = status
        self.headers = dict(headers or {})
        self.code = code
        self.param = param
        self.error_type = error_type
        self.doc_url = doc_url
        self.failures = failures
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.body = body


class StreamBroken(PlaygroundError):
    """A stream began and did not end well.

    ``partial`` is what had arrived, merged; ``None`` when nothing had. ``reason`` tells how it broke:
    an in-band error frame, a cut connection, a frame that is not JSON, a frame too large, silence past the read time-out.
    """

    kind = "stream_broken"

    def __init__(
        self,
        cause: str,
        next_step: str = "",
        *,
        reason: Literal["error_frame", "cut", "malformed", "frame_too_large", "read_timeout"],
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        partial: Completion | None = None,
    ) -> None:
        super().__init__(cause, next_step)
        self.reason = reason
        self.code = code
        self.status = status
        self.request_id = request_id
        self.partial = partial


class StorageProblem(PlaygroundError):
    """The database did not do what it was asked."""

    kind = "storage"


class StorageUnavailable(StorageProblem):
    """The database cannot be used now; later it may work."""

    kind = "storage_unavailable"


class StorageRefused(StorageProblem):
    """The database must not be used as it is."""

    kind = "storage_refused"
