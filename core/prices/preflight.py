"""What a request can cost at most, and at least, before it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from core.outgoing import most_tokens
from core.prices.pricing import MILLION, PriceList

BYTES_PER_TOKEN: Final = 4
"""About, of English text; for the least that a prompt can count."""


def most_cost(body: Mapping[str, Any], prices: PriceList) -> Decimal | None:
    """US dollars that one answered try can cost at most, with the dearest of the models that may answer; None where that is unknown.

    No tokenizer makes more tokens of a prompt than it has bytes in UTF-8, so that is what the prompt counts. Knowledge and stored
    prompts, which the router adds, are not known here: with them it is unknown.
    """
    size, completion = _prompt_bytes(body), most_tokens(body)
    if size is None or completion is None:
        return None
    costs = [prices.most(model, size, completion) for model in models(body)]
    known = [cost for cost in costs if cost is not None]
    return max(known) if known and len(known) == len(costs) else None


def least_cost(body: Mapping[str, Any], prices: PriceList) -> Decimal | None:
    """What one try costs about whose answer ends at once, with the cheapest model: the prompt, a token taken for four bytes."""
    size = _prompt_bytes(body)
    found = [prices.find(model) for model in models(body)]
    known = [min(price.input, price.input if price.cached is None else price.cached) for price in found if price is not None]
    return None if size is None or not known or len(known) < len(found) else min(known) * (size // BYTES_PER_TOKEN) / MILLION


def _prompt_bytes(body: Mapping[str, Any]) -> int | None:
    prompt, orq = body.get("prompt"), body.get("orq")
    added = isinstance(orq, Mapping) and (orq.get("knowledge_bases") or orq.get("prompt"))
    return len(prompt.encode("utf-8", "replace")) if isinstance(prompt, str) and not added else None


def models(body: Mapping[str, Any]) -> Iterator[str]:
    """Every model that may answer: the balanced ones, or the request's own, and the fallbacks. A field at the top wins over its twin."""
    orq = body.get("orq")
    twins = {**orq, **body} if isinstance(orq, Mapping) else body
    balancer = twins.get("load_balancer")
    rows = [*_rows(balancer.get("models") if isinstance(balancer, Mapping) else None)] or [body.get("model")]
    yield from (model for model in [*rows, *_rows(twins.get("fallbacks"))] if isinstance(model, str) and model)


def _rows(rows: Any) -> Iterator[Any]:
    for row in rows if isinstance(rows, list | tuple) else ():
        if isinstance(row, Mapping):
            yield row.get("model")
