"""What a stored prompt is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Content:
    """What one save holds, named as on the wire. ``prompt`` is ``{messages, model?, …}``: what is not used here is kept as it came."""

    display_name: str
    prompt: Mapping[str, Any]
    description: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Version:
    """One save of a prompt. ``number`` counts from 1; ``saved`` is in seconds since 1970."""

    prompt_id: str
    number: int
    saved: float
    content: Content

    @property
    def id(self) -> str:
        """The version's own identifier."""
        return f"{self.prompt_id}.v{self.number}"

    @property
    def text(self) -> str:
        """What replaces a request's ``prompt``."""
        return text_of(self.content.prompt)


@dataclass(frozen=True, slots=True)
class StoredPrompt:
    """A prompt with its newest version; ``created`` is in seconds since 1970."""

    id: str
    created: float
    latest: Version


class UnknownPrompt(LookupError):
    """There is no such prompt, or no such version of it; the message says so."""


def text_of(prompt: Mapping[str, Any]) -> str:
    """The texts of a prompt's messages, an empty line between them: this endpoint has one text where a chat has roles."""
    return "\n\n".join(text for message in prompt.get("messages", ()) if (text := _message_text(message.get("content"))))


def _message_text(content: Any) -> str:
    """A message's content is a text, or a list of parts of which those of type ``text`` count."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(part["text"] for part in parts if part.get("type") == "text")
