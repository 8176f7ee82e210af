"""What the blocks of a request share: their base class, and the kinds of fields that occur again and again."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict

from core.contract.containers import Each
from core.contract.rules import Flag, Text

ModelId = Annotated[str, Text(what="a model's name such as openai/gpt-3.5-turbo-instruct", filled=True)]
Identifier = Annotated[str, Text(what="an identifier", filled=True)]
OptionalText = Annotated[str | None, Text()]
OptionalTexts = Annotated[tuple[str, ...] | None, Each(item=Text(), what="texts")]
OptionalFlag = Annotated[bool | None, Flag(default=False)]


class Part(BaseModel):
    """An object of the request: refuses fields it does not know, never changes, and keeps values out of its error texts."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
