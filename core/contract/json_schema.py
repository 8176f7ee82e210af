"""The request as JSON Schema, for the router's OpenAPI document and for files that hold requests."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from core.contract.parts import Part
from core.contract.request import CompletionRequest


class _Wire(GenerateJsonSchema):
    """A field that may be absent has no default of ours: its rule says what the server does."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def request_schema(definitions: str = "#/$defs/") -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of `CompletionRequest`, as `part_schema` has it.

    Whatever the contract takes is valid by it. It takes a little more than the contract: rules between fields (a thinking budget below
    ``max_tokens``, thresholds of named entities, one operator a field) are not in it.
    """
    return part_schema(CompletionRequest, definitions)


@cache
def part_schema(kind: type[Part], definitions: str = "#/$defs/") -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a body. Its parts stand under ``$defs`` and are referred to as ``definitions`` + name.

    Shared: copy it before you change it.
    """
    return kind.model_json_schema(schema_generator=_Wire, ref_template=definitions + "{model}")
