"""What is kept of an identity or a thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Kind = Literal["identity", "thread"]


class Subject(NamedTuple):
    """Who (or what) requests are counted for. ``owner`` is whose it is: nobody sees another's; ``name`` is the sender's id."""

    owner: str
    kind: Kind
    name: str


@dataclass(slots=True)
class Usage:
    """Counts, all at least 0. ``failed`` are those of ``requests`` that ended in an error; tokens are those that answers told as their
    usage, also where they came from the cache. ``last_seen`` is in seconds since 1970."""

    requests: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    last_seen: float = 0.0

    def add(self, other: Usage) -> None:
        """Count ``other`` too."""
        self.requests += other.requests
        self.failed += other.failed
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.last_seen = max(self.last_seen, other.last_seen)


@dataclass(slots=True)
class Change:
    """What is new about a subject: fields of its profile that came with a request, and what it used."""

    profile: dict[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Party:
    """A subject as it is kept. ``profile`` has the fields of the request (``display_name``, ``email``, ``logo_url``, ``metadata``,
    ``tags``) that ever came, each the newest; ``created`` and ``updated`` (of the profile) are in seconds since 1970."""

    id: str
    subject: Subject
    created: float
    updated: float
    profile: Mapping[str, Any]
    usage: Usage


class UnknownParty(LookupError):
    """There is no such identity or thread."""
