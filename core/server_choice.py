"""From what a person chose, typed or set in the environment to the connection that is used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from core.connection import DEFAULT_PATHS, Connection, ServerKind
from core.settings import Settings

KEY_VARIABLES: dict[str, str] = {"orq": "ORQ_API_KEY", "openai": "OPENAI_API_KEY"}
"""Environment variable and Streamlit secret that hold the key of each kind of server."""

UPSTREAM_VARIABLES = "UPSTREAM_"
"""Environment variables that begin so are meant for upstreams, whatever their addresses."""

KeySource = Literal["typed", "environment", "secrets", "none"]


class ServerFields(BaseModel):
    """What a person may set for one kind of server; ``None`` means the default."""

    base_url: str | None = None
    path: str | None = None
    connect_timeout_s: float | None = None
    read_timeout_s: float | None = None
    headers: dict[str, str] | None = None


class ServerChoice(BaseModel):
    """The Connections page as data: the chosen kind (``None``: by what keys there are) and each kind's fields. No keys in here."""

    kind: ServerKind | None = None
    orq: ServerFields = ServerFields()
    openai: ServerFields = ServerFields()

    def fields(self, kind: ServerKind) -> ServerFields:
        """What was set for ``kind``; the local router has nothing to set."""
        match kind:
            case "orq":
                return self.orq
            case "openai":
                return self.openai
            case _:
                return ServerFields()


def find_key(
    kind: ServerKind, base_url: str, settings: Settings, typed: SecretStr | None, secrets: Mapping[str, str]
) -> tuple[SecretStr | None, KeySource]:
    """The key for ``kind`` at ``base_url`` and where it comes from: typed beats the environment, which beats Streamlit's secrets.

    A key that was not typed for this server goes only where it belongs: ``OPENAI_API_KEY`` to OpenAI or to ``OPENAI_BASE_URL``,
    never to whatever other address is typed.
    """
    if typed is not None:
        return typed, "typed"
    if kind == "local" or (kind == "openai" and not _same_host(base_url, settings.openai_base_url, "https://api.openai.com")):
        return None, "none"
    from_environment = settings.orq_api_key if kind == "orq" else settings.openai_api_key
    if from_environment is not None:
        return from_environment, "environment"
    kept = secrets.get(KEY_VARIABLES[kind])
    return (SecretStr(kept), "secrets") if kept else (None, "none")


def variable_problem(variable: str, base_url: str, settings: Settings) -> str | None:
    """Why the environment variable ``variable`` may not be named on a page as the key of ``base_url``; ``None`` when it may.

    Whoever opens the page could otherwise have any secret of the environment sent to an address of their own.
    """
    if variable.startswith(UPSTREAM_VARIABLES):
        return None
    if variable == KEY_VARIABLES["openai"] and _same_host(base_url, settings.openai_base_url, "https://api.openai.com"):
        return None
    return (
        f"Only variables that begin with {UPSTREAM_VARIABLES}, and OPENAI_API_KEY for OpenAI's own address, can be named here. "
        "Type the key, or name the variable in router.toml"
    )


def _same_host(url: str, *others: str) -> bool:
    return urlsplit(url).netloc in {urlsplit(other).netloc for other in others}


def chosen_kind(choice: ServerChoice, settings: Settings, secrets: Mapping[str, str]) -> ServerKind:
    """The chosen kind of server; with nothing chosen, Orq when the environment or the secrets hold its key, else the local router."""
    if choice.kind is not None:
        return choice.kind
    return "orq" if settings.orq_api_key is not None or secrets.get(KEY_VARIABLES["orq"]) else "local"


def choose_connection(
    choice: ServerChoice,
    settings: Settings,
    *,
    local: Connection,
    typed_keys: Mapping[str, SecretStr | None],
    secrets: Mapping[str, str],
) -> Connection:
    """The connection that requests go to."""
    kind = chosen_kind(choice, settings, secrets)
    if kind == "local":
        return local
    fields = choice.fields(kind)
    base_url = (fields.base_url or (settings.orq_base_url if kind == "orq" else settings.openai_base_url)).rstrip("/")
    key, _source = find_key(kind, base_url, settings, typed_keys.get(kind), secrets)
    timeouts: dict[str, Any] = {
        name: value for name in ("connect_timeout_s", "read_timeout_s") if (value := getattr(fields, name)) is not None
    }
    return Connection(
        name="Orq" if kind == "orq" else "OpenAI-compatible server",
        kind=kind,
        base_url=base_url,
        path=fields.path or DEFAULT_PATHS[kind],
        api_key=key,
        headers=fields.headers or {},
        **timeouts,
    )


def base_url_problem(text: str) -> str | None:
    """What is wrong with a typed base URL, as a sentence; ``None`` when it can be used."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return "This is not a URL. Write it like http://127.0.0.1:11434"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "A base URL starts with http:// or https:// and names a host, like https://my.orq.ai"
    if parts.username or parts.password:
        return "Leave user name and password out of the URL; type the key into its own field"
    if parts.query or parts.fragment:
        return "A base URL has no ? and no #"
    return None


def path_problem(text: str) -> str | None:
    """What is wrong with a typed path, as a sentence; ``None`` when it can be used."""
    if not text.startswith("/") or any(c in text for c in "?# \t\n"):
        return "A path starts with / and has no spaces, ? or #, like /v2/router/completions"
    return None


def double_path_problem(base_url: str, path: str) -> str | None:
    """A warning when the base URL already ends in the path's version part, as in ``http://host/v1`` with ``/v1/completions``."""
    ending = urlsplit(base_url).path.rstrip("/")
    if ending and path.startswith(ending + "/"):
        return f"The base URL already ends in {ending}: requests would go to {base_url.rstrip('/')}{path}"
    return None


_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 §5.6.2, token


def parse_headers(text: str) -> dict[str, str]:
    """Headers typed as ``Name: value`` lines. Raises ``ValueError`` with a sentence that names the line at fault."""
    headers: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"Line {number} is no header: write it like X-Project: playground")
        if name.lower() in ("authorization", "content-length", "content-type", "host", "transfer-encoding"):
            raise ValueError(f"Line {number}: {name} is set by the playground itself")
        if not value.isprintable() or not value.isascii():
            raise ValueError(f"Line {number}: the value has characters that no header may hold")
        headers[name] = value
    return headers


def headers_problem(text: str) -> str | None:
    """What is wrong with typed headers, as a sentence; ``None`` when they can be used."""
    try:
        parse_headers(text)
    except ValueError as error:
        return str(error)
    return None
