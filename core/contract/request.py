"""The request of Router.Completions: every field of the contract, under its wire name.

A field that was not sent, a field sent as null and a field with a value are three things and stay so: `CompletionRequest.to_wire`
gives back what came in. An attribute is ``None`` when its field is not set *or* null; ``model_fields_set`` tells which.
Blocks that exist at top level and in ``orq`` are one class used twice. Lists are kept as tuples: a request never changes.

Sources: the seed and the official Python client (PyPI ``orq-ai-sdk`` 4.17.13) for the shape, orq.ai's OpenAPI document of
2026-08-21 for the ranges. Each ``description`` is the only place that says what a field means, its unit and who honours it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import CoreSchema, core_schema

from core.contract.filters import Filter, read_filter
from core.contract.problems import Translator
from core.contract.rules import (
    Block,
    Blocks,
    Choice,
    Each,
    Fault,
    Flag,
    Inputs,
    Integer,
    JsonObject,
    Number,
    OneOrEach,
    Refusal,
    Rule,
    Table,
    Text,
    Variants,
    show,
)
from core.errors import InvalidRequest, Problem

DEFAULT_MAX_TOKENS = 16
"""What the server takes when ``max_tokens`` is absent or null."""

_DEPRECATED: dict[str, Any] = {"deprecated": True}


class FilterRule(Rule):
    """A metadata filter, kept parsed and sent in the shape it came in."""

    @property
    def expected(self) -> str:
        return 'a filter such as {"year": {"gte": 2020}}'

    def check(self, value: Any) -> Filter:
        return read_filter(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        spelt = core_schema.plain_serializer_function_ser_schema(Filter.to_wire)
        return core_schema.no_info_plain_validator_function(self.accept, serialization=spelt)


_MODEL_ID = Text(what="a model's name such as openai/gpt-3.5-turbo-instruct", filled=True)
_TEXTS = Each(item=Text(), what="texts")

ModelId = Annotated[str, _MODEL_ID]
Identifier = Annotated[str, Text(what="an identifier", filled=True)]
OptionalText = Annotated[str | None, Text()]
OptionalTexts = Annotated[tuple[str, ...] | None, _TEXTS]
OptionalFlag = Annotated[bool | None, Flag(default=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Fallback(_Part):
    """One model to try when those before it failed."""

    model: ModelId = Field(
        description="A model to try when the ones before it failed, as `provider/model`. Tried in the order of the list."
    )


class Retry(_Part):
    """When and how often the same target is tried again."""

    count: Annotated[float | None, Number(1, 5, default=3)] = Field(
        default=None, description="How many times the router tries the same model again *after* the first try."
    )
    on_codes: Annotated[tuple[float, ...] | None, Each(item=Number(100, 599), what="HTTP status codes", at_least=1, default=(429,))] = (
        Field(default=None, description="HTTP status codes after which the router tries the same model again.")
    )


class Cache(_Part):
    """Whether the router may answer from its store."""

    type: Annotated[Literal["exact_match"], Choice(values=("exact_match",))] = Field(
        description="How a stored answer is found: `exact_match` wants every field that changes the answer to be the same."
    )
    ttl: Annotated[float | None, Number(1, 259200, "seconds", default=3600)] = Field(
        default=None, description="How long the router keeps an answer, in seconds; three days at most."
    )


class WeightedModel(_Part):
    """One model of a load balancer."""

    model: ModelId = Field(description="A model that the router may draw for this request, as `provider/model`.")
    weight: Annotated[float | None, Number(0.001, 1, default=0.5)] = Field(
        default=None, description="How often the router draws this model, relative to the other weights: 0.4 and 0.8 mean 33 % and 67 %."
    )


class LoadBalancer(_Part):
    """Which models share the requests."""

    type: Annotated[Literal["weight_based"], Choice(values=("weight_based",))] = Field(
        description="How the router chooses the model: `weight_based` draws one at random, by weight."
    )
    models: Annotated[tuple[WeightedModel, ...], Blocks(what='models such as {"model": "openai/gpt-4o", "weight": 0.5}', at_least=1)] = (
        Field(description="The models that share the requests. While this is set, `model` is not the first one tried.")
    )


class Timeout(_Part):
    """How long one attempt may take."""

    call_timeout: Annotated[float, Number(1, None, "ms")] = Field(
        description="How long the router waits for one attempt, in milliseconds. An attempt that takes longer counts as a 504, "
        "so that retries and fallbacks follow."
    )


class ThinkingDisabled(_Part):
    """No reasoning before the answer."""

    type: Annotated[Literal["disabled"], Choice(values=("disabled",))] = Field(
        description="Whether the model reasons before it answers: `disabled`, `enabled` with a budget of its own, or `adaptive` "
        "for models that decide by themselves. Honoured by reasoning models only."
    )


class ThinkingEnabled(_Part):
    """Reasoning within a budget."""

    type: Annotated[Literal["enabled"], Choice(values=("enabled",))] = Field(description="`enabled`.")
    budget_tokens: Annotated[float, Number(1024)] = Field(
        description="How many tokens the model may spend on reasoning. They count towards `max_tokens`, which must be larger."
    )
    thinking_level: Annotated[Literal["minimal", "low", "medium", "high"] | None, Choice(values=("minimal", "low", "medium", "high"))] = (
        Field(default=None, description="How hard the model reasons. Honoured by Gemini 3 models only, which then ignore `budget_tokens`.")
    )


class ThinkingAdaptive(_Part):
    """The model decides how much it reasons."""

    type: Annotated[Literal["adaptive"], Choice(values=("adaptive",))] = Field(description="`adaptive`.")


THINKING_TYPES = ("disabled", "enabled", "adaptive")
Thinking = ThinkingDisabled | ThinkingEnabled | ThinkingAdaptive


class PiiRedaction(_Part):
    """A plug-in that hides personal data from the model and puts it back into the answer."""

    id: Annotated[Literal["pii_redaction"], Choice(values=("pii_redaction",))] = Field(
        description="The plug-in: `pii_redaction` replaces personal data by placeholders before the model sees the prompt, "
        "and restores it in the answer."
    )
    language: Annotated[str | None, Text(default="auto")] = Field(
        default=None, description="Language of the text, as a code such as `en`; `auto` detects it for each request."
    )
    regions: OptionalTexts = Field(
        default=None,
        description="Regions whose kinds of personal data are looked for, as codes such as `nl` or `gb`; `all` stands alone. "
        "Added to `entities`; with neither, every region is looked for.",
    )
    entities: OptionalTexts = Field(
        default=None,
        description="Kinds of personal data to replace, such as `EMAIL_ADDRESS`. Alone, only these; with `regions`, these too.",
    )
    entity_thresholds: Annotated[dict[str, float] | None, Table(item=Number(0, 1), what="numbers between 0 and 1 by entity")] = Field(
        default=None,
        description="How sure the detector must be, from 0 to 1, for single kinds; each must be named in `entities`. "
        "Changes what is sure enough, never what is looked for.",
    )
    threshold: Annotated[float | None, Number(0, 1)] = Field(
        default=None, description="How sure the detector must be, from 0 to 1, for every kind without a threshold of its own."
    )
    on_failure: Annotated[Literal["block", "passthrough"] | None, Choice(values=("block", "passthrough"), default="block")] = Field(
        default=None, description="What happens when detection fails: `block` refuses the request, `passthrough` sends it as it is."
    )

    @field_validator("entity_thresholds")
    @classmethod
    def _of_named_entities(cls, value: dict[str, float] | None, info: ValidationInfo) -> dict[str, float] | None:
        if "entities" in info.data and value:  # absent when entities was refused itself
            named = info.data["entities"] or ()
            strangers = [entity for entity in value if entity not in named]
            if strangers:
                raise Refusal(*(Fault((one,), "must also be named in entities; add it there or remove its threshold") for one in strangers))
        return value


class StoredPrompt(_Part):
    """A prompt kept by the router."""

    id: Identifier = Field(description="A prompt stored with the router, by its identifier. Its text replaces `prompt`.")
    version: Annotated[Literal["latest"], Choice(values=("latest",))] = Field(
        description="Which version of the stored prompt is used; `latest` is the only one."
    )


class Party(_Part):
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


class Thread(_Part):
    """What groups requests."""

    id: Identifier = Field(
        description="Groups requests that belong together in the router's traces. Stores no history and adds none to the prompt."
    )
    tags: OptionalTexts = Field(default=None, description="Tags of the thread, to filter traces by.")


class SearchOptions(_Part):
    """What comes with each chunk that was found."""

    include_vectors: OptionalFlag = Field(default=None, description="Whether each chunk that is found brings its vector.")
    include_metadata: OptionalFlag = Field(default=None, description="Whether each chunk that is found brings its metadata.")
    include_scores: OptionalFlag = Field(default=None, description="Whether each chunk that is found brings its scores.")


class RerankConfig(_Part):
    """A second model that orders the chunks anew."""

    model: ModelId = Field(description="The model that orders the chunks anew, such as `cohere/rerank-v3.5`.")
    threshold: Annotated[float | None, Number(0, 1, default=0)] = Field(
        default=None, description="The relevance, from 0 to 1, that a chunk must exceed after reranking to be kept."
    )
    top_k: Annotated[int | None, Integer(1, 100, default=10)] = Field(
        default=None, description="How many chunks are kept after reranking, at most."
    )


class AgenticRagConfig(_Part):
    """A model that steers the search."""

    model: ModelId = Field(description="The model that refines the search and judges the chunks, as `provider/model`.")


class KnowledgeBase(_Part):
    """One knowledge base to search before the prompt is sent."""

    knowledge_id: Identifier = Field(description="The knowledge base to search; the chunks that are found go before the prompt.")
    top_k: Annotated[int | None, Integer(1, 100, null=True)] = Field(
        default=None, description="How many chunks the search gives, at most. Not sent or null: as the knowledge base is configured."
    )
    threshold: Annotated[float | None, Number(0, 1, null=True)] = Field(
        default=None, description="The score, from 0 to 1, that a chunk must reach. Not sent or null: as the knowledge base is configured."
    )
    search_type: Annotated[
        Literal["vector_search", "keyword_search", "hybrid_search"] | None,
        Choice(values=("vector_search", "keyword_search", "hybrid_search"), null=True),
    ] = Field(
        default=None,
        description="How chunks are found: by meaning, by words, or by both. Not sent or null: as the knowledge base is configured.",
    )
    filter_by: Annotated[Filter | None, FilterRule()] = Field(
        default=None, description="Only chunks whose metadata passes are searched. Eight operators; fields are joined by and, or by or."
    )
    search_options: Annotated[SearchOptions | None, Block()] = Field(default=None, description="What comes with each chunk that is found.")
    rerank_config: Annotated[RerankConfig | None, Block()] = Field(
        default=None, description="Orders the chunks anew by a second model. Not sent: as the knowledge base is configured."
    )
    agentic_rag_config: Annotated[AgenticRagConfig | None, Block()] = Field(
        default=None, description="Lets a model steer the search. Not sent: as the knowledge base is configured."
    )
    query: OptionalText = Field(default=None, description="What to search for. Not sent: the prompt.")


# The fields that exist both at top level and in `orq`: one definition, used twice. Where both are set, the top-level one wins.
TraceName = Annotated[str | None, Text(), Field(description="The name shown on the request's trace. Does not reach the model.")]
Fallbacks = Annotated[
    tuple[Fallback, ...] | None,
    Blocks(what='models such as {"model": "openai/gpt-4o"}', at_most=5),
    Field(description="Up to 5 models that the router tries in turn when the first one failed for good."),
]
FallbackCodes = Annotated[
    tuple[int, ...] | None,
    Each(item=Integer(400, 599), what="HTTP status codes", at_most=20, unique=True, default=(408, 429, 500, 502, 503, 504, 529)),
    Field(description="HTTP status codes after which the router goes on to the next fallback; up to 20, from 400 to 599."),
]
RetryBlock = Annotated[Retry | None, Block(), Field(description="Lets the router try the same model again when it failed.")]
CacheBlock = Annotated[
    Cache | None, Block(), Field(description="Lets the router answer the same request again from its store, without the model.")
]
LoadBalancerBlock = Annotated[
    LoadBalancer | None,
    Block(),
    Field(description="Shares requests among several models. While this is set, `model` is not the first one tried."),
]
TimeoutBlock = Annotated[Timeout | None, Block(), Field(description="Limits how long the router waits for one attempt.")]

TWINS = ("name", "fallbacks", "fallback_on_codes", "retry", "cache", "load_balancer", "timeout")
"""The fields that exist both at top level and in ``orq``."""


class Orq(_Part):
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


class CompletionRequest(_Part):
    """One request, as the contract takes it. Make it with `parse_request`, which explains what is wrong in plain English."""

    model: ModelId = Field(
        description="The model that continues the text, as `provider/model`. Not the first one tried while `load_balancer` is set."
    )
    prompt: Annotated[str, Text()] = Field(description="The text to continue. `{{name}}` stands for a value of `orq.inputs`.")
    echo: Annotated[bool | None, Flag(default=False, null=True)] = Field(
        default=None, description="Whether the answer begins with the prompt."
    )
    frequency_penalty: Annotated[float | None, Number(-2, 2, default=0, null=True)] = Field(
        default=None, description="Lowers a token's chance with every time it has appeared already, against repetition; below 0 raises it."
    )
    max_tokens: Annotated[int | None, Integer(1, default=DEFAULT_MAX_TOKENS, null=True)] = Field(
        default=None, description="How many tokens each choice may have; the text is cut there, with finish reason `length`."
    )
    presence_penalty: Annotated[float | None, Number(-2, 2, default=0, null=True)] = Field(
        default=None, description="Lowers a token's chance once it has appeared at all, towards new topics; below 0 raises it."
    )
    seed: Annotated[int | None, Integer(null=True)] = Field(
        default=None,
        description="Makes sampling repeatable: the same seed and settings give the same text, as far as the model's provider can.",
    )
    stop: Annotated[str | tuple[str, ...] | None, OneOrEach(each=Each(item=Text(), what="stop sequences", at_most=4), null=True)] = Field(
        default=None, description="Up to 4 texts at which the answer ends. The answer does not contain them."
    )
    temperature: Annotated[float | None, Number(0, 2, default=1, null=True)] = Field(
        default=None, description="How daring the choice of tokens is: 0 takes the likeliest each time, 2 is close to random."
    )
    top_p: Annotated[float | None, Number(0, 1, default=1, null=True)] = Field(
        default=None,
        description="Only the likeliest tokens are drawn, those that together reach this probability. An alternative to `temperature`.",
    )
    n: Annotated[int | None, Integer(1, default=1, null=True)] = Field(
        default=None, description="How many answers to the same prompt. Each one costs its own tokens."
    )
    user: OptionalText = Field(default=None, description="Your end user's identifier, passed on to the model's provider to detect abuse.")
    name: TraceName = None
    fallbacks: Fallbacks = None
    fallback_on_codes: FallbackCodes = None
    retry: RetryBlock = None
    cache: CacheBlock = None
    load_balancer: LoadBalancerBlock = None
    timeout: TimeoutBlock = None
    thinking: Annotated[Thinking | None, Variants(null=True)] = Field(
        default=None, description="Lets a reasoning model think before it answers. Null is legal for the block as a whole."
    )
    plugins: Annotated[tuple[PiiRedaction, ...] | None, Blocks(what='plug-ins such as {"id": "pii_redaction"}')] = Field(
        default=None, description="Transforms the router applies to the text on its way to the model and back."
    )
    orq: Annotated[Orq | None, Block()] = Field(
        default=None,
        description="The router's own block: stored prompt, identity, thread, inputs, knowledge bases, and twins of top-level fields.",
    )
    stream: OptionalFlag = Field(default=None, description="Whether the answer comes piece by piece while it is made, or whole at the end.")

    @field_validator("thinking")
    @classmethod
    def _budget_below_max_tokens(cls, value: Thinking | None, info: ValidationInfo) -> Thinking | None:
        if isinstance(value, ThinkingEnabled) and "max_tokens" in info.data:  # absent when max_tokens was refused itself
            fault = _budget_fault(value.budget_tokens, info.data["max_tokens"])
            if fault:
                raise Refusal(Fault(("budget_tokens",), fault))
        return value

    def to_wire(self) -> dict[str, Any]:
        """The JSON object to send: what was set, nulls included, in contract order; shares nothing mutable with this request."""
        return self.model_dump(mode="json", exclude_unset=True)


def _budget_fault(budget_tokens: float, max_tokens: int | None) -> str:
    limit = DEFAULT_MAX_TOKENS if max_tokens is None else max_tokens
    if budget_tokens < limit:
        return ""
    enough = math.floor(budget_tokens) + 1
    if max_tokens is None:
        return f"must be below max_tokens, which is {limit} on the server while it is not set; raise max_tokens to at least {enough}"
    return f"must be below max_tokens, got {show(budget_tokens)} with max_tokens {show(max_tokens)}; raise max_tokens to at least {enough}"


_TRANSLATOR = Translator(CompletionRequest, whole="the request", tags={"thinking": THINKING_TYPES})
TREE = _TRANSLATOR.nodes
"""Every place in a request by its path without indices (``orq.knowledge_bases.top_k``), in contract order."""


def parse_request(body: Mapping[str, Any] | bytes | str) -> CompletionRequest:
    """The request that ``body`` (a JSON object, decoded or not) spells; raises `InvalidRequest` with every problem."""
    try:
        return CompletionRequest.model_validate(_object(body))
    except ValidationError as error:
        raise InvalidRequest(_TRANSLATOR.problems(error)) from None


def check_request(body: Mapping[str, Any]) -> tuple[Problem, ...]:
    """What is wrong with ``body``, in contract order; nothing when it can be sent. Never raises: a half-edited form is fine."""
    try:
        parse_request(body)
    except InvalidRequest as refused:
        return refused.problems
    return ()


def _object(body: Mapping[str, Any] | bytes | str) -> dict[str, Any]:
    if isinstance(body, bytes | str):
        body = _decoded(body)
    if not isinstance(body, Mapping):
        raise InvalidRequest((Problem("", f"the request must be a JSON object, got {show(body)}"),))
    return dict(body)


def _decoded(body: bytes | str) -> Any:
    try:
        return json.loads(body, parse_constant=_no_constant)
    except RecursionError:
        message = "the request is nested too deeply to be read"
    except UnicodeDecodeError as error:
        message = f"the request must be JSON in UTF-8, but byte {error.start} is not"
    except json.JSONDecodeError as error:
        message = f"the request must be JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    except ValueError as error:
        message = f"the request must be JSON: {error}"
    raise InvalidRequest((Problem("", message),))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")
