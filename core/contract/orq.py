"""The router's own block of a request: ``orq``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from core.contract.containers import Block, Blocks, Each, Inputs, JsonObject
from core.contract.knowledge import KnowledgeBase
from core.contract.parts import Identifier, OptionalText, OptionalTexts, Part
from core.contract.routing import CacheBlock, FallbackCodes, Fallbacks, LoadBalancerBlock, RetryBlock, TimeoutBlock, TraceName
from core.contract.rules import Choice, Text

_DEPRECATED: dict[str, Any] = {"deprecated": True}


class StoredPrompt(Part):
    """A prompt kept by the router."""

    id: Identifier = Field(description="A prompt stored with the router, by its identifier. Its text replaces `prompt`.")
    version: Annotated[Literal["latest"], Choice(values=("latest",))] = Field(
        description="Which version of the stored prompt is used; `latest` is the only one."
    )


class Party(Part):
    """Who makes the request: the identity, or the deprecated contact."""

    id: Identifier = Field(description="Who makes the request, by your own identifier. Created in the router's analytics when new.")
    display_name: OptionalText = Field(default=None, description="A name to show in the router's analytics.")
    email: Annotated[str | None, Text(what="an e-mail address such as ada@example.com", email=True)] = Field(
        default=None, description="An e-mail address, shown in the router's analytics; nothing is sent to it."
    )
    logo_url: OptionalText = Field(default=None, description="Address of a picture to show in the router's analytics.")
    metadata: Annotated[tuple[dict[str, Any], ...] | None, Each(item=JsonObject(), what="objects")] = Field(
        default=None, description="Anything else worth keeping about them, as a list of JSON objects; the model does not see it."
    )
    tags: OptionalTexts = Field(default=None, description="Tags to filter by in the router's analytics.")


class Thread(Part):
    """What groups requests."""

    id: Identifier = Field(
        description="Groups requests that belong together in the router's traces. Stores no history and adds none to the prompt."
    )
    tags: OptionalTexts = Field(default=None, description="Tags of the thread, to filter traces by.")


class Orq(Part):
    """The router's own block. Deprecated as a whole in the official client, yet every field of it works."""

    name: TraceName = None
    fallbacks: Fallbacks = None
    fallback_on_codes: FallbackCodes = None
    retry: RetryBlock = None
    cache: CacheBlock = None
    load_balancer: LoadBalancerBlock = None
    timeout: TimeoutBlock = None
    prompt: Annotated[StoredPrompt | None, Block()] = Field(
        default=None, description="Uses a prompt stored with the router instead of `prompt`."
    )
    identity: Annotated[Party | None, Block()] = Field(default=None, description="Who makes the request, for the router's analytics.")
    contact: Annotated[Party | None, Block()] = Field(
        default=None,
        description="Who makes the request, in the older form. Deprecated: use `orq.identity`, which wins where both are set.",
        json_schema_extra=_DEPRECATED,
    )
    thread: Annotated[Thread | None, Block()] = Field(
        default=None, description="Groups requests that belong together in the router's traces."
    )
    inputs: Annotated[dict[str, Any] | tuple[dict[str, Any], ...] | None, Inputs()] = Field(
        default=None,
        description="Values for the `{{name}}` placeholders of the prompt, by name; or a list of key, value and is_pii. "
        "Deprecated, and the only way to fill placeholders on this endpoint.",
        json_schema_extra=_DEPRECATED,
    )
    knowledge_bases: Annotated[tuple[KnowledgeBase, ...] | None, Blocks(what='knowledge bases such as {"knowledge_id": "…"}')] = Field(
        default=None, description="Knowledge bases the router searches; what it finds goes before the prompt."
    )
