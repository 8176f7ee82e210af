"""What ``/v2/prompts`` takes as bodies: fields and names of the official SDK's ``client.prompts`` (orq-ai-sdk 4.17.13).

Of a prompt's configuration it takes ``messages`` and ``model``: parameters that would be stored and never used are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from core.contract.containers import Block, Blocks, Each
from core.contract.parts import Identifier, OptionalText, Part
from core.contract.rules import Choice, Rule, Text, refuse
from core.local_router.prompts.records import Content

USE_CASES = (
    "Agents simulations",
    "Agents",
    "API interaction",
    "Autonomous Agents",
    "Chatbots",
    "Classification",
    "Code understanding",
    "Code writing",
    "Conversation",
    "Documents QA",
    "Evaluation",
    "Extraction",
    "Multi-modal",
    "Self-checking",
    "Sentiment analysis",
    "SQL",
    "Summarization",
    "Tagging",
    "Translation (document)",
    "Translation (sentences)",
)
LANGUAGES = ("Chinese", "Dutch", "English", "French", "German", "Russian", "Spanish")
ROLES = ("system", "assistant", "user", "tool")
"""The closed lists of the SDK: it cannot read a prompt with another word."""


@dataclass(frozen=True, kw_only=True)
class MessageContent(Rule):
    """A text, or a list of parts that are texts: ``{"type": "text", "text": …}``."""

    null: bool = True

    @property
    def expected(self) -> str:
        return "text, or a list of text parts"

    def json_schema(self) -> dict[str, Any]:
        part = {"type": "object", "properties": {"type": {"const": "text"}, "text": {"type": "string"}}, "required": ["type", "text"]}
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": part}]}

    def check(self, value: Any) -> str | list[dict[str, str]]:
        if isinstance(value, str):
            return Text().check(value)
        if not isinstance(value, list):
            raise self.wrong(value)
        for part in value:
            if not isinstance(part, dict) or set(part) != {"type", "text"} or part["type"] != "text":
                raise refuse('may only have parts such as {"type": "text", "text": "…"}: this endpoint takes no pictures or files')
        return [{"type": "text", "text": Text().check(part["text"])} for part in value]


class Message(Part):
    """A message of a stored prompt; their texts make up the prompt, an empty line between them."""

    role: Annotated[Literal["system", "assistant", "user", "tool"], Choice(values=ROLES)] = Field(description="Whose message it is.")
    content: Annotated[str | list[dict[str, str]] | None, MessageContent()] = Field(description="What it says.")


class Configuration(Part):
    """``prompt``: the messages, and the model they were written for, which is not asked here."""

    messages: Annotated[tuple[Message, ...], Blocks(what='messages such as {"role": "user", "content": "…"}')] = Field(
        description="The messages."
    )
    model: OptionalText = Field(default=None, description="The model it was written for; a request's own model answers.")


class Metadata(Part):
    """What a prompt is for."""

    use_cases: Annotated[tuple[str, ...] | None, Each(item=Choice(values=USE_CASES), what="use cases")] = Field(
        default=None, description="What it is for."
    )
    language: Annotated[str | None, Choice(values=LANGUAGES, null=True)] = Field(default=None, description="What it is written in.")


class NewPrompt(Part):
    """``POST /v2/prompts``."""

    display_name: Identifier = Field(description="Its name.")
    prompt: Annotated[Configuration, Block()] = Field(description="What it says.")
    description: Annotated[str | None, Text(null=True)] = Field(default=None, description="What it is for, in words.")
    metadata: Annotated[Metadata | None, Block()] = Field(default=None, description="What it is for.")
    path: OptionalText = Field(default=None, description="A folder of the sender's project; this router has none. The SDK demands it.")

    def content(self) -> Content:
        """As the library keeps it."""
        given = _given(self)
        return Content(given["display_name"], given["prompt"], given.get("description"), given.get("metadata") or {})


class ChangedPrompt(Part):
    """``PATCH /v2/prompts/{id}``: what is left out stays."""

    display_name: Annotated[str | None, Text(what="a name", filled=True)] = Field(default=None, description="Its name.")
    prompt: Annotated[Configuration | None, Block()] = Field(default=None, description="What it says, in full.")
    description: Annotated[str | None, Text(null=True)] = Field(default=None, description="What it is for, in words.")
    metadata: Annotated[Metadata | None, Block()] = Field(default=None, description="What it is for.")
    path: OptionalText = Field(default=None, description="A folder of the sender's project; this router has none.")

    def applied(self, content: Content) -> Content:
        """``content`` with the change."""
        given = {name: value for name, value in _given(self).items() if name != "path"}
        return replace(content, **given)


def _given(part: Part) -> dict[str, Any]:
    return part.model_dump(mode="json", exclude_unset=True)
