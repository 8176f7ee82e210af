"""Knowledge bases that the router searches before it asks the model."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import Field, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from core.contract.containers import Block
from core.contract.filters import Filter, filter_schema, read_filter
from core.contract.parts import Identifier, ModelId, OptionalFlag, OptionalText, Part
from core.contract.rules import Choice, Integer, Number, Rule


class FilterRule(Rule):
    """A metadata filter, kept parsed and sent in the shape it came in; the validation context ``lenient`` lets ``exists`` pass."""

    @property
    def expected(self) -> str:
        return 'a filter such as {"year": {"gte": 2020}}'

    def json_schema(self) -> dict[str, Any]:
        return filter_schema()

    def check(self, value: Any) -> Filter:
        return read_filter(value)

    def check_in_context(self, value: Any, info: ValidationInfo) -> Filter:
        if value is not None and info.context and info.context.get("lenient"):
            return read_filter(value, lenient=True)
        return cast(Filter, self.accept(value))

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        spelt = core_schema.plain_serializer_function_ser_schema(Filter.to_wire)
        return core_schema.with_info_plain_validator_function(self.check_in_context, serialization=spelt)


class SearchOptions(Part):
    """What comes with each chunk that was found."""

    include_vectors: OptionalFlag = Field(default=None, description="Whether each chunk that is found brings its vector.")
    include_metadata: OptionalFlag = Field(default=None, description="Whether each chunk that is found brings its metadata.")
    include_scores: OptionalFlag = Field(default=None, description="Whether each chunk that is found brings its scores.")


class RerankConfig(Part):
    """A second model that orders the chunks anew."""

    model: ModelId = Field(description="The model that orders the chunks anew, such as `cohere/rerank-v3.5`.")
    threshold: Annotated[float | None, Number(0, 1, default=0)] = Field(
        default=None, description="The relevance, from 0 to 1, that a chunk must exceed after reranking to be kept."
    )
    top_k: Annotated[int | None, Integer(1, 100, default=10)] = Field(
        default=None, description="How many chunks are kept after reranking, at most."
    )


class AgenticRagConfig(Part):
    """A model that steers the search."""

    model: ModelId = Field(description="The model that refines the search and judges the chunks, as `provider/model`.")


class KnowledgeBase(Part):
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
