"""Where upstreams are written down: ``router.toml``, a person's own file, and ``upstreams.json``, which the Connections page keeps.

``router.toml``::

    [[upstream]]
    name = "ollama"                        # models are ollama/<model>
    base_url = "http://127.0.0.1:11434"

    [[upstream]]
    name = "openai"
    base_url = "https://api.openai.com"
    api_key_env = "OPENAI_API_KEY"         # the variable's name, never the key
    models = ["gpt-3.5-turbo-instruct"]    # left out: the server is asked
    # chat, headers, connect_timeout_s, read_timeout_s, completions_path, chat_path, embeddings_path, rerank_path: see ``UpstreamConfig``

An upstream that cannot be used is left out and told; the others work.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from core.local_router.upstreams.config import UpstreamConfig

_KEY_IN_FILE: Final = frozenset({"api_key", "key", "token"})
_HEADING: Final = re.compile(r"^\s*\[\[\s*upstream\s*\]\]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Written:
    """What a file says: the upstreams that can be used, in its order, and a sentence for each thing that cannot."""

    upstreams: tuple[UpstreamConfig, ...] = ()
    problems: tuple[str, ...] = field(default=())


def read_router_toml(path: Path) -> Written:
    """The upstreams in ``path``; none where there is no such file. Never raises: a problem names file, line and field."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Written()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        return Written(problems=(f"{path.name} cannot be read: {reason}. None of its upstreams is used.",))
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Written(problems=(f"{path.name} is not TOML: {error}. Correct it; until then none of its upstreams is used.",))
    unknown = [f"{path.name}: {name} is not known; upstreams stand under [[upstream]]." for name in document if name != "upstream"]
    tables = document.get("upstream", [])
    if not isinstance(tables, list):
        return Written(problems=(*unknown, f"{path.name}: upstream must be written [[upstream]], with two brackets."))
    starts = [text.count("\n", 0, match.start()) for match in _HEADING.finditer(text)]
    places = [_Place(path.name, text.splitlines(), starts, number) for number in range(len(tables))]
    found = _usable(tables, places)
    return Written(found.upstreams, (*unknown, *found.problems))


def read_added(path: Path) -> Written:
    """The upstreams that were added on the page; none where there is no such file. Never raises."""
    try:
        tables = json.loads(path.read_bytes())["upstreams"]
    except FileNotFoundError:
        return Written()
    except (OSError, ValueError, KeyError, TypeError):
        return Written(problems=(f"{path.name} cannot be read; the upstreams that were added before are not used. Add them again.",))
    if not isinstance(tables, list):
        return Written(problems=(f"{path.name} holds no list of upstreams; add them again.",))
    return _usable(tables, [_Place(path.name, [], [], number) for number in range(len(tables))])


def write_added(path: Path, upstreams: Sequence[UpstreamConfig]) -> None:
    """Keep ``upstreams``: the whole file at once, or as it was. Raises ``OSError``."""
    rows = [upstream.model_dump(exclude_defaults=True) for upstream in upstreams]
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"upstreams": rows}, file, indent=1)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def field_problems(error: ValidationError) -> list[tuple[str, str]]:
    """Each field at fault and what is wrong with it, to be read after the field's name; never what was written there."""
    return [(str(detail["loc"][0]) if detail["loc"] else "", _sentence(detail)) for detail in error.errors(include_input=False)]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where upstream ``number`` (from 0) stands in a file; ``starts`` are the lines (from 0) of the headings, none where unknown."""

    file: str
    lines: Sequence[str]
    starts: Sequence[int]
    number: int

    def of(self, name: str) -> str:
        """The file, and the line of field ``name`` (of the heading, where the field is not there)."""
        if self.number >= len(self.starts):
            return f"{self.file}, upstream {self.number + 1}"
        start = self.starts[self.number]
        end = self.starts[self.number + 1] if self.number + 1 < len(self.starts) else len(self.lines)
        written = re.compile(rf"\s*[\"']?{re.escape(name)}[\"']?\s*[=.]")
        line = next((line for line in range(start, end) if name and written.match(self.lines[line])), start)
        return f"{self.file}, line {line + 1}"


def _usable(tables: Sequence[Any], places: Sequence[_Place]) -> Written:
    upstreams: dict[str, UpstreamConfig] = {}
    problems: list[str] = []
    for table, place in zip(tables, places, strict=True):
        try:
            upstream = UpstreamConfig.model_validate(table)
        except ValidationError as error:
            who = f"upstream {table['name']!r}" if isinstance(table, Mapping) and isinstance(table.get("name"), str) else "this upstream"
            problems += [
                f"{place.of(name)}: {f'{name} ' if name else 'it '}{problem}. Until then {who} is not used."
                for name, problem in field_problems(error)
            ]
            continue
        if upstream.name in upstreams:
            problems.append(f"{place.of('name')}: there is an upstream {upstream.name!r} already; choose another name for this one.")
        else:
            upstreams[upstream.name] = upstream
    return Written(tuple(upstreams.values()), tuple(problems))


def _sentence(detail: Any) -> str:
    field_name = str(detail["loc"][0]) if detail["loc"] else ""
    match detail["type"]:
        case "missing":
            return "is missing; add it"
        case "extra_forbidden" if field_name in _KEY_IN_FILE:
            return "is refused: put the key into an environment variable and write its name as api_key_env"
        case "extra_forbidden":
            return f"is not a field of an upstream; there are {', '.join(UpstreamConfig.model_fields)}"
        case "value_error":
            return str(detail["ctx"]["error"])
        case _:
            return str(detail["msg"]).removeprefix("Input ")
