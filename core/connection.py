"""A connection: which router, where, and with which key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import SecretStr

ServerKind = Literal["local", "orq", "openai"]

DEFAULT_PATHS: dict[ServerKind, str] = {
    "local": "/v2/router/completions",
    "orq": "/v2/router/completions",
    "openai": "/v1/completions",
}


@dataclass(frozen=True, slots=True)
class Connection:
    """Where completions are sent.

    ``kind`` decides which parameters the server understands: ``local`` (the embedded router) and ``orq`` take the whole
    contract, ``openai`` the subset an OpenAI-compatible server knows. ``base_url`` has no trailing slash and no path of the call;
    ``path`` starts with a slash. Time-outs are seconds: ``connect_timeout_s`` for making the connection, ``read_timeout_s`` for
    the longest silence between two pieces of the answer. ``api_key`` shows as ``**********`` wherever it is printed.
    """

    name: str
    kind: ServerKind
    base_url: str
    path: str
    api_key: SecretStr | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 600.0
