"""Plug-ins of a request; the only one hides personal data from the model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from core.contract.containers import Table
from core.contract.parts import OptionalTexts, Part
from core.contract.rules import Choice, Fault, Number, Refusal, Text


class PiiRedaction(Part):
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
            faults = [_stranger(entity) for entity in value if entity not in named]
            if faults:
                raise Refusal(*faults)
        return value


def _stranger(entity: str) -> Fault:
    if not entity.strip():
        return Fault((), "must name an entity for each threshold, got empty text")
    return Fault((entity,), "must also be named in entities; add it there or remove its threshold")
