"""What a run cost: a price list of models, and exact arithmetic over the usage that was reported.

A cost is a ``Decimal`` in US dollars or *unknown* (None), never a zero that stands for not knowing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Final

from core.contract.response import Usage

MILLION: Final = Decimal(1_000_000)
SMALLEST_SHOWN: Final = Decimal("0.000001")
HIGHEST: Final = MILLION
"""The highest price taken, a dollar a token: what is above is a slip of the keyboard."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in US dollars per million tokens.

    ``model`` is an id, or a pattern such as ``local/*``. ``cached`` is for prompt tokens read from the provider's cache, ``reasoning`` for
    completion tokens spent on thinking; None means they cost what other tokens of their kind do. ``source`` says where the price was
    read and ``as_of`` when.
    """

    model: str
    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    reasoning: Decimal | None = None
    source: str = ""
    as_of: date | None = None

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise ValueError("a price needs a model's id or a pattern such as local/*")
        for name in ("input", "output", "cached", "reasoning"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, Decimal) and value.is_finite() and 0 <= value <= HIGHEST):
                raise ValueError(f"the {name} price of {self.model} must be a number from 0 to 1,000,000, in dollars per million tokens")

    def to_dict(self) -> dict[str, Any]:
        """The price as JSON, numbers as text so that they stay exact."""
        return {
            "model": self.model,
            **{name: None if (value := getattr(self, name)) is None else str(value) for name in ("input", "output", "cached", "reasoning")},
            "source": self.source,
            "as_of": self.as_of.isoformat() if self.as_of else None,
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Price:
        """The price that ``to_dict`` gave. ValueError for anything else."""

        def number(name: str) -> Decimal | None:
            return None if row.get(name) in (None, "") else _decimal(str(row[name]), name)

        into, out = number("input"), number("output")
        if into is None or out is None:
            raise ValueError("a price needs both an input and an output price")
        read = _date(str(row["as_of"])) if row.get("as_of") else None
        return cls(
            str(row.get("model") or "").strip(), into, out, number("cached"), number("reasoning"), str(row.get("source") or ""), read
        )


def _decimal(text: str, name: str) -> Decimal:
    try:
        return Decimal(text.strip())
    except ArithmeticError:
        raise ValueError(f"the {name} price must be a number, got {text[:40]!r}") from None


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"the date must look like 2026-03-31, got {text[:40]!r}") from None


_OPENAI = "https://platform.openai.com/docs/pricing"
HERE = "runs on this machine"
FIRST_PRICES: tuple[Price, ...] = (
    Price("local/*", Decimal(0), Decimal(0), source=HERE),
    Price("rehearsal/*", Decimal(0), Decimal(0), source=HERE),
    Price("openai/gpt-3.5-turbo-instruct", Decimal("1.50"), Decimal("2.00"), source=_OPENAI, as_of=date(2025, 6, 1)),
    Price("openai/davinci-002", Decimal("2.00"), Decimal("2.00"), source=_OPENAI, as_of=date(2025, 6, 1)),
    Price("openai/babbage-002", Decimal("0.40"), Decimal("0.40"), source=_OPENAI, as_of=date(2025, 6, 1)),
)
"""What a new installation knows: models of its own, and OpenAI's models for text completion. Everything else is for its user to add."""


class PriceList:
    """Prices by model: an exact id wins over a pattern, a longer pattern over a shorter one."""

    def __init__(self, prices: Iterable[Price] = FIRST_PRICES) -> None:
        self.prices = tuple(prices)
        self._exact = {price.model: price for price in self.prices}
        self._patterns = sorted((price for price in self.prices if "*" in price.model), key=lambda price: -len(price.model))

    def find(self, model: str | None) -> Price | None:
        """The price of a model; None where it is not known."""
        if not model:
            return None
        return self._exact.get(model) or next((price for price in self._patterns if fnmatchcase(model, price.model)), None)

    def cost(self, model: str | None, usage: Usage | None) -> Decimal | None:
        """What the tokens in ``usage`` cost with ``model``; None where the price or a count is not known."""
        price = self.find(model)
        return None if price is None else cost(price, usage)

    def most(self, model: str | None, prompt_tokens: int | None, completion_tokens: int | None) -> Decimal | None:
        """What so many tokens cost at most, none of them cached; None where anything is not known."""
        price = self.find(model)
        if price is None or prompt_tokens is None or completion_tokens is None:
            return None
        dearest = max(price.output, price.reasoning or price.output)
        return (price.input * prompt_tokens + dearest * completion_tokens) / MILLION


def cost(price: Price, usage: Usage | None) -> Decimal | None:
    """What ``usage`` costs at ``price``, exactly: the details are parts of their totals. None where a total was not reported."""
    if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    cached = min((prompt.cached_tokens if prompt else None) or 0, usage.prompt_tokens)
    reasoning = min((completion.reasoning_tokens if completion else None) or 0, usage.completion_tokens)
    dollars = price.input * (usage.prompt_tokens - cached) + _or(price.cached, price.input) * cached
    dollars += price.output * (usage.completion_tokens - reasoning) + _or(price.reasoning, price.output) * reasoning
    return dollars / MILLION


def _or(value: Decimal | None, otherwise: Decimal) -> Decimal:
    return otherwise if value is None else value


def dollars(amount: Decimal | None) -> str:
    """An amount as people read it: ``$0.00042``, ``$1.27``, ``$0`` only for exactly nothing, ``cost unknown`` for None."""
    if amount is None:
        return "cost unknown"
    if amount == 0:
        return "$0"
    if amount < SMALLEST_SHOWN:
        return f"under ${SMALLEST_SHOWN:f}"
    digits = 2 if amount >= 1 else 2 - amount.adjusted()
    return f"${amount.quantize(Decimal(1).scaleb(-digits)):f}".rstrip("0").rstrip(".") if digits > 2 else f"${amount:.2f}"
