"""What one run cost, and how that was reckoned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from core.prices.pricing import Price, PriceList, cost
from core.run import RunSnapshot

OPENAI_HOST: Final = "api.openai.com"
DEAREST_USD: Final = 1_000_000
"""No run costs more; usage that says so is not to be believed, and storage holds no more than nine times that."""


@dataclass(frozen=True, slots=True)
class RunCost:
    """``usd`` is None while unknown; ``reason`` says why, or what a known cost stands on. ``price`` is the one that was used."""

    usd: Decimal | None
    reason: str
    price: Price | None = None

    def detail(self) -> dict[str, Any] | None:
        """What is stored beside the cost; None while it is unknown."""
        if self.usd is None:
            return None
        return {"reason": self.reason, "price": self.price.to_dict() if self.price else None}


def run_cost(run: RunSnapshot, prices: PriceList) -> RunCost:
    """The cost of the tokens that the router reported for ``run``, at the price of the model that answered.

    An answer from the router's own cache cost nothing. What a provider may have charged for attempts that failed is not in it:
    nobody reports that.
    """
    if run.headers.get("x-router-cache") == "hit":
        return RunCost(Decimal(0), "answered from the router's cache")
    if run.usage is None or run.usage.prompt_tokens is None or run.usage.completion_tokens is None:
        return RunCost(None, "no usage was reported" if run.ended else "the run is under way")
    names = list(_names(run))
    price = next((found for name in names if (found := prices.find(name))), None)
    if price is None:
        return RunCost(None, f"no price is known for {names[0]}" if names else "nobody said which model answered")
    usd = cost(price, run.usage)
    if usd is not None and not 0 <= usd <= DEAREST_USD:
        return RunCost(None, "the usage that was reported cannot be true")
    return RunCost(usd, _said(price), price)


def _names(run: RunSnapshot) -> Iterator[str]:
    """What the price may be listed under: the model that answered; the one asked for only where it is the same one, less exactly named."""
    asked = run.body.get("model")
    answered = run.model
    names = [answered] if answered else []
    if isinstance(asked, str) and asked and (not answered or answered.startswith(asked) or asked.endswith("/" + answered)):
        names.append(asked)
    if urlsplit(run.base_url).hostname == OPENAI_HOST:
        names += [f"openai/{name}" for name in names]
    yield from dict.fromkeys(names)


def _said(price: Price) -> str:
    source = price.source or "the price list"
    return f"${price.input:f} in, ${price.output:f} out per million tokens ({source}{f', {price.as_of}' if price.as_of else ''})"
