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
from typing import Annotated, Any, NoReturn

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from core.contract.containers import Block, Blocks, Each, OneOrEach, Variants
from core.contract.orq import Orq
from core.contract.parts import ModelId, OptionalFlag, OptionalText, Part
from core.contract.pii import PiiRedaction
from core.contract.problems import Translator
from core.contract.routing import CacheBlock, FallbackCodes, Fallbacks, LoadBalancerBlock, RetryBlock, TimeoutBlock, TraceName
from core.contract.rules import Fault, Flag, Integer, Number, Refusal, Text, show
from core.contract.thinking import THINKING_TYPES, Thinking, ThinkingEnabled
from core.errors import InvalidRequest, Problem

DEFAULT_MAX_TOKENS = 16
"""What the server takes when ``max_tokens`` is absent or null."""


class CompletionRequest(Part):
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
    has = f"is {limit} on the server while it is not set" if max_tokens is None else f"is {show(max_tokens)}"
    return f"must be below max_tokens, which {has}; raise max_tokens to at least {show(math.floor(budget_tokens) + 1)}"


_TRANSLATOR = Translator(CompletionRequest, whole="the request", tags={"thinking": THINKING_TYPES})
TREE = _TRANSLATOR.nodes
"""Every place in a request by its path without indices (``orq.knowledge_bases.top_k``), in contract order."""


def parse_request(body: Mapping[str, Any] | bytes | str, *, lenient: bool = False) -> CompletionRequest:
    """The request that ``body`` (a JSON object, decoded or not) spells; raises `InvalidRequest` with every problem.

    ``lenient`` takes ``exists`` in filters too, as a server may that serves older clients.
    """
    try:
        return CompletionRequest.model_validate(_object(body), context={"lenient": True} if lenient else None)
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
