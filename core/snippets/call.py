"""What a snippet is written from: the body, where it goes, and which headers go along, without any secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from core.connection import DEFAULT_PATHS, Connection, ServerKind
from core.contract.parameters import PARAMETERS
from core.redaction import is_secret_name
from core.server_choice import KEY_VARIABLES

LOCAL_URL: Final = "http://127.0.0.1:9001"
"""Where code finds a local router. The playground's own takes only the playground's key, on another port after every start."""
LOCAL_NOTE: Final = "A local router for programs: python -m core.local_router --port 9001"

DEPRECATED: Final[Mapping[str, str]] = {
    "orq": "the official clients mark orq as deprecated; the router takes every field of it",
    "orq.contact": "deprecated: orq.identity takes its place",
    "orq.inputs": "deprecated, and the only way to fill placeholders here",
}
"""Fields that are deprecated, by path, and what to know about it."""


@dataclass(frozen=True, slots=True)
class Header:
    """A header of the connection: its ``value``, or the environment ``variable`` that holds it, where it is a secret."""

    name: str
    value: str = ""
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to write down.

    ``body`` is what leaves, in its order. ``key_variable`` names the environment variable with the key. ``notes`` are sentences that
    are true of every language.
    """

    body: Mapping[str, Any]
    kind: ServerKind
    base_url: str
    path: str
    key_variable: str
    headers: tuple[Header, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where the request goes."""
        return self.base_url + self.path

    @property
    def streams(self) -> bool:
        """Whether the answer comes in pieces."""
        return self.body.get("stream") is True

    @property
    def deprecated(self) -> dict[str, str]:
        """The deprecated fields in the body, by path, with what to know about each."""
        orq = self.body.get("orq")
        inside = orq if isinstance(orq, Mapping) else {}
        return {path: why for path, why in DEPRECATED.items() if (path in self.body if path == "orq" else path[4:] in inside)}


def call_to(body: Mapping[str, Any], connection: Connection) -> Call:
    """The call of ``body`` over ``connection``. Its key and secret headers become environment variables; so does what is in the address."""
    local = connection.kind == "local"
    return Call(
        body=body,
        kind=connection.kind,
        base_url=LOCAL_URL if local else without_credentials(connection.base_url),
        path=connection.path or "/v1/completions",
        key_variable=KEY_VARIABLES.get(connection.kind, "ORQ_API_KEY"),
        headers=() if local else tuple(map(_header, connection.headers, connection.headers.values())),
        notes=(LOCAL_NOTE,) if local else (),
    )


def ran_over(connection_name: str, base_url: str, current: Connection) -> Connection:
    """The connection of a past run, whose name and address are kept: the current one if it goes there, else by its name."""
    if current.kind == "local" and connection_name == current.name:
        return current
    if current.base_url == base_url:
        return current
    kind: ServerKind = "local" if connection_name == "Local router" else "orq" if connection_name == "Orq" else "openai"
    return Connection(connection_name, kind, base_url, DEFAULT_PATHS[kind])


def without_credentials(url: str) -> str:
    """``url`` without user name, password, query and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))


def _header(name: str, value: str) -> Header:
    if is_secret_name(name):
        return Header(name, variable=re.sub(r"\W", "_", name).upper())
    return Header(name, value)


def known_fields() -> Iterator[tuple[str, ...]]:
    """Every path of the contract as names, without marks of lists and tables."""
    for spec in PARAMETERS:
        names = re.sub(r"\[\]|\{\}", "", spec.path).split(".")
        for end in range(1, len(names) + 1):
            yield tuple(names[:end])


FIELDS: Final = frozenset(known_fields())
"""The contract's fields and blocks by their names from the top; what stands elsewhere is an extra field, or a person's own key."""
FREE: Final = frozenset({("orq", "inputs"), ("orq", "identity", "metadata"), ("orq", "contact", "metadata")})
"""Fields whose inside is anybody's."""
FILTER: Final = ("orq", "knowledge_bases", "filter_by")


def extra_paths(value: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths in ``value``, as names, that are no field of the contract."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from extra_paths(item, names)
    elif isinstance(value, Mapping) and names not in FREE and names != FILTER and names[-1:] != ("entity_thresholds",):
        for name, inner in value.items():
            if (*names, name) in FIELDS:
                yield from extra_paths(inner, (*names, name))
            else:
                yield (*names, name)
