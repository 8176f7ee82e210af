"""What a person says about one upstream, in ``router.toml`` or on the Connections page."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from core.server_choice import base_url_problem, headers_problem, path_problem

RESERVED: Final = ("local", "rehearsal")
"""The prefixes of the router's own models."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
Seconds = Annotated[float, Field(gt=0, le=3600)]


class UpstreamConfig(BaseModel):
    """One OpenAI-compatible server. Holds no key: ``api_key_env`` is the name of the environment variable that does.

    ``base_url`` is taken without a ``/v1`` at its end, which many servers' documentation writes there. ``models`` None asks the server
    for its list (beside ``completions_path``); a list is taken as it is. ``chat`` tells whether completions go over ``chat_path``:
    True always, False never, None when the server has no ``completions_path``. Time-outs are seconds, as ``Connection``'s.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    name: str
    base_url: str
    api_key_env: str | None = None
    models: list[str] | None = None
    chat: bool | None = None
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    connect_timeout_s: Seconds = 10.0
    read_timeout_s: Seconds = 600.0
    completions_path: str = "/v1/completions"
    chat_path: str = "/v1/chat/completions"
    embeddings_path: str = "/v1/embeddings"
    rerank_path: str = "/v1/rerank"

    @field_validator("name")
    @classmethod
    def _usable_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError("must be 1 to 64 letters, digits, dots, dashes or underscores, like ollama")
        if name in RESERVED:
            raise ValueError(f"may not be {name}, which the router's own models have; choose another")
        return name

    @field_validator("base_url")
    @classmethod
    def _usable_url(cls, url: str) -> str:
        problem = base_url_problem(url)
        if problem:
            raise ValueError(f"cannot be used: {problem}")
        return url.rstrip("/").removesuffix("/v1")

    @field_validator("api_key_env")
    @classmethod
    def _usable_variable(cls, variable: str | None) -> str | None:
        if variable is not None and not _VARIABLE.fullmatch(variable):
            raise ValueError("must be the name of an environment variable, like OPENAI_API_KEY, never the key itself")
        return variable

    @field_validator("models")
    @classmethod
    def _usable_models(cls, models: list[str] | None) -> list[str] | None:
        if models is not None and not all(model.strip() == model and model for model in models):
            raise ValueError("must be names without spaces around them; leave the field out to ask the server")
        return models

    @field_validator("headers")
    @classmethod
    def _usable_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if headers_problem(f"{name}: {value}"):
                raise ValueError(f"has {name[:80]!r}, which cannot be sent or is set by the router itself; take it out")
        return headers

    @field_validator("completions_path", "chat_path", "embeddings_path", "rerank_path")
    @classmethod
    def _usable_path(cls, path: str) -> str:
        problem = path_problem(path)
        if problem:
            raise ValueError(f"cannot be used: {problem}")
        return path
