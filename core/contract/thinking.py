"""Reasoning before the answer: three kinds of block, told apart by ``type``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from core.contract.parts import Part
from core.contract.rules import Choice, Number


class ThinkingDisabled(Part):
    """No reasoning before the answer."""

    type: Annotated[Literal["disabled"], Choice(values=("disabled",))] = Field(
        description="Whether the model reasons before it answers: `disabled`, `enabled` with a budget of its own, or `adaptive` "
        "for models that decide by themselves. Honoured by reasoning models only."
    )


class ThinkingEnabled(Part):
    """Reasoning within a budget."""

    type: Annotated[Literal["enabled"], Choice(values=("enabled",))] = Field(description="`enabled`.")
    budget_tokens: Annotated[float, Number(1024)] = Field(
        description="How many tokens the model may spend on reasoning. They count towards `max_tokens`, which must be larger."
    )
    thinking_level: Annotated[Literal["minimal", "low", "medium", "high"] | None, Choice(values=("minimal", "low", "medium", "high"))] = (
        Field(
            default=None,
            description="How hard the model reasons. Gemini 3 models honour it and then ignore `budget_tokens`; local models spend that "
            "much of the budget: minimal an eighth, low a quarter, medium half, high all of it.",
        )
    )


class ThinkingAdaptive(Part):
    """The model decides how much it reasons."""

    type: Annotated[Literal["adaptive"], Choice(values=("adaptive",))] = Field(description="`adaptive`.")


THINKING_TYPES = ("disabled", "enabled", "adaptive")
Thinking = ThinkingDisabled | ThinkingEnabled | ThinkingAdaptive
