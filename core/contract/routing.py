"""How the router finds a model that answers: retries, fallbacks, load balancing, cache, time limit, and the trace's name.

All of it exists both at top level and in ``orq``: one definition, used twice. Where both are set, the top-level one wins.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from core.contract.containers import Block, Blocks, Each
from core.contract.parts import ModelId, Part
from core.contract.rules import Choice, Integer, Number, Text


class Fallback(Part):
    """One model to try when those before it failed."""

    model: ModelId = Field(
        description="A model to try when the ones before it failed, as `provider/model`. Tried in the order of the list."
    )


class Retry(Part):
    """When and how often the same target is tried again."""

    count: Annotated[float | None, Number(1, 5, default=3)] = Field(
        default=None, description="How many times the router tries the same model again *after* the first try."
    )
    on_codes: Annotated[tuple[float, ...] | None, Each(item=Number(100, 599), what="HTTP status codes", at_least=1, default=(429,))] = (
        Field(default=None, description="HTTP status codes after which the router tries the same model again.")
    )


class Cache(Part):
    """Whether the router may answer from its store."""

    type: Annotated[Literal["exact_match"], Choice(values=("exact_match",))] = Field(
        description="How a stored answer is found: `exact_match` wants every field that changes the answer to be the same."
    )
    ttl: Annotated[float | None, Number(1, 259200, "seconds", default=3600)] = Field(
        default=None, description="How long the router keeps an answer, in seconds; three days at most."
    )


class WeightedModel(Part):
    """One model of a load balancer."""

    model: ModelId = Field(description="A model that the router may draw for this request, as `provider/model`.")
    weight: Annotated[float | None, Number(0.001, 1, default=0.5)] = Field(
        default=None, description="How often the router draws this model, relative to the other weights: 0.4 and 0.8 mean 33 % and 67 %."
    )


class LoadBalancer(Part):
    """Which models share the requests."""

    type: Annotated[Literal["weight_based"], Choice(values=("weight_based",))] = Field(
        description="How the router chooses the model: `weight_based` draws one at random, by weight."
    )
    models: Annotated[tuple[WeightedModel, ...], Blocks(what='models such as {"model": "openai/gpt-4o", "weight": 0.5}', at_least=1)] = (
        Field(description="The models that share the requests. While this is set, `model` is not the first one tried.")
    )


class Timeout(Part):
    """How long one attempt may take."""

    call_timeout: Annotated[float, Number(1, None, "ms")] = Field(
        description="How long the router waits for one attempt, in milliseconds. An attempt that takes longer counts as a 504, "
        "so that retries and fallbacks follow."
    )


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
